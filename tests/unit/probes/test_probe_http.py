"""Whatever a server does, a question ends in time, costs little, and goes nowhere it should not."""

import asyncio
import gzip
import time

import httpx
import pytest
from aiohttp import web

from onboarding import names
from onboarding.adapters.probes.http import Login, Reply, authority
from onboarding.adapters.probes.problem import ProbeProblem
from tests.support.internet import LOOPBACK, Handler, Internet

LIMIT = 64 * 1024
REQUEST_END = b"\r\n\r\n"


async def fetch(
    internet: Internet,
    url: str,
    *,
    limit: int = LIMIT,
    patience: float = 5,
    allowed: tuple[str, ...] = LOOPBACK,
    login: Login | None = None,
) -> Reply:
    async with internet.web(allowed=allowed, patience=patience).session() as session:
        return await session.fetch(url, limit=limit, login=login)


def say(status: int = 200, body: bytes = b"", **headers: str) -> Handler:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(
            status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return answer


async def test_an_answer_comes_back_in_full(internet: Internet) -> None:
    asked: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request)
        return web.Response(text="hello", headers={"X-Thing": "1"})

    url = await internet.serve("www.example.org", answer)
    reply = await fetch(internet, f"{url}/path?query=1")
    assert (reply.status, reply.body, reply.headers["x-thing"], reply.phrase) == (200, b"hello", "1", "200 OK")
    assert asked[0].headers["User-Agent"] == names.MANAGER
    assert asked[0].headers["Accept-Encoding"] == "identity"
    assert asked[0].headers["Host"] == authority(httpx.URL(url))


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
    login = Login(url.removeprefix("https://"), "Bearer s3cret")
    assert (await fetch(internet, url, login=login)).status == 204
    assert seen == {"www.example.org": "Bearer s3cret", "there.example.org": None}
    assert "s3cret" not in repr(login)


async def test_a_login_is_not_sent_without_tls(internet: Internet) -> None:
    seen: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response()

    url = await internet.serve("www.example.org", answer, plain=True)
    await fetch(internet, url, login=Login(url.removeprefix("http://"), "Bearer s3cret"))
    assert seen == [None]


async def test_a_certificate_that_is_not_trusted_gets_no_request(internet: Internet) -> None:
    asked: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request)
        return web.Response()

    for tls in (internet.authority.server("other.example.org"), internet.authority.server("www.example.org", days=-1)):
        url = await internet.serve("www.example.org", answer, tls=tls)
        with pytest.raises(ProbeProblem, match="certificate is not trusted"):
            await fetch(internet, url)
    assert asked == []


async def test_a_large_answer_is_not_read_to_its_end(internet: Internet) -> None:
    url = await internet.serve("www.example.org", say(body=b"x" * (LIMIT + 1)))
    with pytest.raises(ProbeProblem, match="larger than 64 KiB"):
        await fetch(internet, url)
    assert len((await fetch(internet, url, limit=LIMIT + 1)).body) == LIMIT + 1


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(REQUEST_END)
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


async def test_an_endless_answer_ends(internet: Internet) -> None:
    port = await internet.speak("www.example.org", endless)
    with pytest.raises(ProbeProblem, match="larger than"):
        await fetch(internet, f"http://www.example.org:{port}/")


async def test_an_endless_answer_does_not_matter_where_only_the_status_counts(internet: Internet) -> None:
    port = await internet.speak("www.example.org", endless)
    assert (await fetch(internet, f"http://www.example.org:{port}/", limit=0)).status == 200


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one byte after the other, each in time for a time-out that begins anew with each."""
    await reader.readuntil(REQUEST_END)
    for byte in b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def early_hints(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(REQUEST_END)
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("speaker", [drip, silence, early_hints])
async def test_a_slow_answer_is_not_waited_for(internet: Internet, speaker: object) -> None:
    assert callable(speaker)
    port = await internet.speak("www.example.org", speaker)
    started = time.monotonic()
    with pytest.raises(ProbeProblem, match=r"did not answer within 0\.3 seconds"):
        await fetch(internet, f"http://www.example.org:{port}/", patience=0.3)
    assert time.monotonic() - started < 10


async def test_a_tls_handshake_that_never_comes_is_not_waited_for(internet: Internet) -> None:
    port = await internet.speak("www.example.org", silence)
    with pytest.raises(ProbeProblem, match="did not answer"):
        await fetch(internet, f"https://www.example.org:{port}/", patience=0.3)


async def test_endless_headers_end(internet: Internet) -> None:
    async def headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(REQUEST_END)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X: " + b"y" * 4096 + b"\r\n")
            await writer.drain()

    port = await internet.speak("www.example.org", headers)
    with pytest.raises(ProbeProblem, match="not HTTP"):
        await fetch(internet, f"http://www.example.org:{port}/")


async def test_a_compressed_bomb_is_not_unpacked(internet: Internet) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    assert len(bomb) < LIMIT
    url = await internet.serve("www.example.org", say(body=bomb, Content_Encoding="gzip"))
    with pytest.raises(ProbeProblem, match="compressed"):
        await fetch(internet, url)


@pytest.mark.parametrize(
    ("sent", "words"),
    [(b"SSH-2.0-s3cret\r\n\r\n", "not HTTP"), (b"", "not HTTP"), (b"HTTP/1.1 2x0 s3cret\r\n\r\n", "HTTP")],
)
async def test_what_is_not_http_is_not_quoted(internet: Internet, sent: bytes, words: str) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(REQUEST_END)
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    port = await internet.speak("www.example.org", other)
    with pytest.raises(ProbeProblem, match=words) as raised:
        await fetch(internet, f"http://www.example.org:{port}/?s3cret")
    assert "s3cret" not in str(raised.value)


async def test_no_tls_where_it_is_wanted_is_said(internet: Internet) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    port = await internet.speak("www.example.org", plain)
    with pytest.raises(ProbeProblem, match="no TLS"):
        await fetch(internet, f"https://www.example.org:{port}/")


async def test_a_closed_port_is_said(internet: Internet) -> None:
    port = await internet.speak("www.example.org", silence)
    internet.names.knows("www.example.org", ["127.0.0.2"])
    with pytest.raises(ProbeProblem, match="takes no connection"):
        await fetch(internet, f"http://www.example.org:{port}/")


async def test_the_next_address_is_tried_where_one_takes_no_connection(internet: Internet) -> None:
    url = await internet.serve("www.example.org", say())
    internet.names.knows("www.example.org", ["127.0.0.2", "127.0.0.1"])
    assert (await fetch(internet, url)).status == 200


@pytest.mark.parametrize(
    ("answer", "words"), [("server failure", "no nameserver"), ("silence", "no nameserver|did not answer")]
)
async def test_a_name_that_cannot_be_found_out_is_said(internet: Internet, answer: str, words: str) -> None:
    internet.names.knows("www.example.org", [answer])
    with pytest.raises(ProbeProblem, match=words):
        await fetch(internet, "https://www.example.org/", patience=1)
    with pytest.raises(ProbeProblem, match="does not resolve"):
        await fetch(internet, "https://nowhere.example.org/")


async def test_one_host_is_asked_twice_at_once_and_no_more(internet: Internet) -> None:
    running = most = 0
    both = asyncio.Event()

    async def answer(_request: web.BaseRequest) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            both.set()
        await both.wait()
        running -= 1
        return web.Response()

    url = await internet.serve("www.example.org", answer)
    client = internet.web()

    async def ask() -> None:
        async with client.session() as session:
            await session.fetch(url)

    await asyncio.gather(*(ask() for _ in range(6)))
    assert most == 2


async def test_the_environment_names_no_proxy(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    url = await internet.serve("www.example.org", say())
    assert (await fetch(internet, url)).status == 200


async def test_urls_are_not_logged(internet: Internet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    url = await internet.serve("www.example.org", say())
    await fetch(internet, f"{url}/s3cret")
    assert [record for record in caplog.records if not record.name.startswith("aiohttp")] == []
