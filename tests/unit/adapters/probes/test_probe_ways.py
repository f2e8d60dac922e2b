"""A question goes to the addresses that the policy allows, and a login to its own host, also along redirects."""

import pytest
from aiohttp import web

from onboarding.adapters.probes.http import HttpLogin
from onboarding.adapters.probes.problem import ProbeProblem
from tests.support.fetching import fetch, say
from tests.support.internet import Internet


async def test_loopback_is_refused_unless_the_policy_allows_it(internet: Internet) -> None:
    url = await internet.serve("www.example.org", say())
    with pytest.raises(ProbeProblem, match="private"):
        await fetch(internet, url, allowed=())


async def test_every_address_of_a_name_has_to_be_allowed(internet: Internet) -> None:
    url = await internet.serve("www.example.org", say())
    for other in ("169.254.169.254", "10.0.0.1", "fe80::1", "::ffff:169.254.169.254"):
        internet.names.knows("www.example.org", ["127.0.0.1", other])
        with pytest.raises(ProbeProblem, match="its address is"):
            await fetch(internet, url)


async def test_a_name_is_resolved_once_for_the_check_and_the_connection(internet: Internet) -> None:
    """What a name resolves to after the check does not matter: the connection goes to the checked address."""
    url = await internet.serve("www.example.org", say(), plain=True)
    internet.names.knows("www.example.org", ["127.0.0.1"], ["10.0.0.1"])
    assert (await fetch(internet, url)).status == 200
    assert internet.names.asked["www.example.org"] == 1


async def test_a_name_that_turns_to_a_private_address_is_refused_the_next_time(internet: Internet) -> None:
    url = await internet.serve("www.example.org", say(302, Location="/again", Connection="close"), plain=True)
    internet.names.knows("www.example.org", ["127.0.0.1"], ["169.254.169.254"])
    with pytest.raises(ProbeProblem, match="never reach"):
        await fetch(internet, url)


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/s3cret",
        "https://[::ffff:169.254.169.254]/s3cret",
        "https://[fd00:ec2::254]/s3cret",
        "https://10.0.0.1/s3cret",
        "https://metadata.example.org/s3cret",
        "https://2852039166/s3cret",
        "https://0251.0376.0251.0376/s3cret",
        "https://vault.secrets.svc.cluster.local/s3cret",
        "https://user:s3cret@www.example.org/",
        "https://www.example.org:22/s3cret",
        "file:///etc/s3cret",
        "gopher://www.example.org/s3cret",
        "//169.254.169.254/s3cret",
        "https://[s3cret",
        "https:////s3cret]",
        "https://s3cret.xn--\u00b5/",
        "https://s3cret:port/",
    ],
)
async def test_a_redirect_is_checked_like_a_url_of_a_project(internet: Internet, target: str) -> None:
    internet.names.knows("metadata.example.org", ["169.254.169.254"])
    url = await internet.serve("www.example.org", say(302, Location=target))
    with pytest.raises(ProbeProblem) as raised:
        await fetch(internet, url)
    assert "s3cret" not in str(raised.value)


async def test_a_redirect_leads_to_another_host(internet: Internet) -> None:
    there = await internet.serve("there.example.org", say(204))
    url = await internet.serve("www.example.org", say(307, Location=f"{there}/x"))
    reply = await fetch(internet, url)
    assert (reply.status, str(reply.url)) == (204, f"{there}/x")


async def test_a_redirect_out_of_https_is_refused(internet: Internet) -> None:
    there = await internet.serve("there.example.org", say(), plain=True)
    url = await internet.serve("www.example.org", say(302, Location=there))
    with pytest.raises(ProbeProblem, match="from https to http"):
        await fetch(internet, url)


async def test_a_redirect_loop_ends(internet: Internet) -> None:
    asked = 0

    async def answer(request: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        raise web.HTTPFound(request.path)

    url = await internet.serve("www.example.org", answer)
    with pytest.raises(ProbeProblem, match="again and again"):
        await fetch(internet, url)
    assert asked == 6


async def test_a_login_stays_with_its_origin(internet: Internet) -> None:
    seen: dict[str, str | None] = {}

    async def remember(request: web.BaseRequest) -> web.Response:
        seen[request.host.partition(":")[0]] = request.headers.get("Authorization")
        return web.Response(status=204)

    async def move(request: web.BaseRequest) -> web.Response:
        await remember(request)
        raise web.HTTPFound(there)

    there = await internet.serve("there.example.org", remember)
    url = await internet.serve("www.example.org", move)
    login = HttpLogin(url.removeprefix("https://"), "Bearer s3cret")
    assert (await fetch(internet, url, login=login)).status == 204
    assert seen == {"www.example.org": "Bearer s3cret", "there.example.org": None}
    assert "s3cret" not in repr(login)


async def test_a_login_is_not_sent_without_tls(internet: Internet) -> None:
    seen: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response()

    url = await internet.serve("www.example.org", answer, plain=True)
    await fetch(internet, url, login=HttpLogin(url.removeprefix("http://"), "Bearer s3cret"))
    assert seen == [None]
