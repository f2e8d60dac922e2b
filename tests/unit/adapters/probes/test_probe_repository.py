"""A Git repository is asked for its revision and a path in it, over HTTPS and without a clone."""

import base64
from pathlib import Path

import pytest
from aiohttp import web

from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Credential, Probes, TokenSecret
from onboarding.checks.probe import RepositoryFacts, RepositoryRequest
from tests.support.githost import GitHost
from tests.support.internet import LOOPBACK, Internet

FILES = {
    "README.md": "read me",
    "deploy/dev/values.yaml": "a: 1\n",
    "deploy/prod/values.yaml": "a: 2\n",
    **{f"deploy/dev/many/{number}/file.yaml": f"number: {number}\n" * 20 for number in range(40)},
    "big.txt": "".join(f"{number * 7919 % 10007:05d} no line is like another\n" for number in range(20000)),
}


@pytest.fixture
def host(tmp_path: Path) -> GitHost:
    return GitHost(tmp_path)


async def ask(internet: Internet, host: GitHost, revision: str, path: str, name: str = "app") -> RepositoryFacts:
    url = await internet.serve("git.example.org", host.application())
    facts: RepositoryFacts = await internet.ask(RepositoryRequest(f"{url}/{name}.git", revision, path))
    return facts


PATHS = {
    ".": True,
    "deploy": True,
    "deploy/dev/": True,
    "deploy/dev/values.yaml": True,
    "deploy/dev/many/39/file.yaml": True,
    "deploy/test": False,
    "README.md/x": False,
    "Deploy": False,
}


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
async def test_a_path_is_found_or_not(internet: Internet, host: GitHost, hash_name: str) -> None:
    commit = host.make("app", FILES, hash_name=hash_name)
    for path, found in PATHS.items():
        assert await ask(internet, host, "main", path) == RepositoryFacts(found=True, commit=commit, path_found=found)


async def test_a_revision_stands_for_a_commit(internet: Internet, host: GitHost) -> None:
    commit = host.make("app", FILES)
    for revision in ("HEAD", "main", "v1", "refs/heads/main", "refs/tags/v1"):
        assert (await ask(internet, host, revision, ".")).commit == commit


async def test_a_full_commit_is_looked_for(internet: Internet, host: GitHost) -> None:
    commit = host.make("app", FILES)
    facts = await ask(internet, host, commit, "deploy")
    assert facts == RepositoryFacts(found=True, commit=commit, path_found=True)


async def test_a_revision_that_is_not_there_has_no_commit(internet: Internet, host: GitHost) -> None:
    host.make("app", FILES)
    for revision in ("no-such-branch", "mai", "v", "0" * 40):
        for path in (".", "deploy"):
            assert await ask(internet, host, revision, path) == RepositoryFacts(found=True)


@pytest.mark.parametrize("name", ["main^{tree}", "main:README.md", "v1"])
async def test_an_id_that_is_no_commit_has_none(internet: Internet, host: GitHost, name: str) -> None:
    host.make("app", FILES)
    other = host.git(host.directory / "app.git", "rev-parse", name)
    assert await ask(internet, host, other, ".") == RepositoryFacts(found=True)


async def test_an_empty_repository_has_no_commit(internet: Internet, host: GitHost) -> None:
    host.git(host.directory, "init", "-q", "--bare", "app.git")
    assert await ask(internet, host, "HEAD", ".") == RepositoryFacts(found=True)


async def test_only_what_is_needed_is_fetched(internet: Internet, host: GitHost) -> None:
    host.make("app", FILES)
    await ask(internet, host, "main", "deploy/dev/values.yaml")
    assert host.sent < 2000


async def test_a_server_without_filter_tells_the_revision_and_no_path(internet: Internet, host: GitHost) -> None:
    commit = host.make("app", FILES, filters=False)
    for revision in ("HEAD", "main", "v1"):
        facts = await ask(internet, host, revision, ".")
        assert facts == RepositoryFacts(found=True, commit=commit, path_found=True)
    for revision, path in (("main", "deploy"), (commit, ".")):
        with pytest.raises(ProbeProblem, match=r"does not offer partial clones \(filter\).*uploadpack.allowFilter"):
            await ask(internet, host, revision, path)
    assert not any(b"command=fetch" in body for body in host.bodies)


async def test_an_old_server_tells_the_revision_and_no_path(internet: Internet, host: GitHost) -> None:
    commit = host.make("app", FILES)
    host.old = True
    url = await internet.serve("git.example.org", host.application())
    for revision in ("HEAD", "main", "v1"):
        facts = await internet.ask(RepositoryRequest(f"{url}/app.git", revision, "."))
        assert facts == RepositoryFacts(found=True, commit=commit, path_found=True)
    assert await internet.ask(RepositoryRequest(f"{url}/app.git", "other", ".")) == RepositoryFacts(found=True)
    with pytest.raises(ProbeProblem, match="too old"):
        await internet.ask(RepositoryRequest(f"{url}/app.git", "main", "deploy"))


async def test_a_missing_or_closed_repository_is_not_found(internet: Internet, host: GitHost) -> None:
    host.make("app", FILES)
    host.private["app"] = "Basic of somebody else"
    assert await ask(internet, host, "main", ".", "other") == RepositoryFacts(found=False, refusal="404 Not Found")
    assert await ask(internet, host, "main", ".") == RepositoryFacts(found=False, refusal="401 Unauthorized")


@pytest.mark.parametrize(
    ("username", "header"),
    [("robot", "Basic " + base64.b64encode(b"robot:s3cret").decode()), ("", "Bearer s3cret")],
)
async def test_a_login_opens_a_repository(internet: Internet, host: GitHost, username: str, header: str) -> None:
    commit = host.make("app", FILES)
    host.private["app"] = header
    url = await internet.serve("git.example.org", host.application())
    internet.secrets["git-login", "token"] = b"s3cret\n"
    login = Credential(host=url.removeprefix("https://"), username=username, token_secret=TokenSecret(name="git-login"))
    probes = Probes(allowed_networks=LOOPBACK, credentials=(login,))
    facts = await internet.ask(RepositoryRequest(f"{url}/app.git", "main", "deploy"), probes)
    assert facts == RepositoryFacts(found=True, commit=commit, path_found=True)


async def test_a_renamed_repository_is_followed(internet: Internet, host: GitHost) -> None:
    commit = host.make("app", FILES)
    application = host.application()

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPMovedPermanently(f"/app.git/info/refs?{request.query_string}")

    application.router.add_get("/old/info/refs", moved)
    url = await internet.serve("git.example.org", application)
    facts = await internet.ask(RepositoryRequest(f"{url}/old", "main", "deploy"))
    assert facts == RepositoryFacts(found=True, commit=commit, path_found=True)


@pytest.mark.parametrize("url", ["ssh://git@git.example.org/app.git", "git@git.example.org:app.git"])
async def test_an_ssh_url_is_unknown(internet: Internet, url: str) -> None:
    with pytest.raises(ProbeProblem, match="over HTTPS only"):
        await internet.ask(RepositoryRequest(url, "main", "."))


@pytest.mark.parametrize(
    ("revision", "path"), [("a\nb", "."), ("main 0001", "."), ("main", "/".join("d" * 17)), ("é", ".")]
)
async def test_what_git_would_misread_is_not_sent(internet: Internet, revision: str, path: str) -> None:
    with pytest.raises(ProbeProblem, match="not one that can be asked"):
        await internet.ask(RepositoryRequest("https://git.example.org/app.git", revision, path))


ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
GREETING = b"000eversion 2\n0019fetch=shallow filter\n0000"


@pytest.mark.parametrize(
    ("status", "kind", "body", "words"),
    [
        (503, "text/html", b"secret words", "503 Service Unavailable"),
        (200, "text/html", b"<html>secret words", "not as a Git server"),
        (200, ADVERTISEMENT, b"secret words", "cannot be read"),
        (200, ADVERTISEMENT, b"00ffsecret words", "cut off"),
        (200, ADVERTISEMENT, b"000eversion 2\n0000", "does not offer"),
        (200, ADVERTISEMENT, GREETING[:-4] + b"0016object-format=md5\n0000", "does not offer"),
    ],
)
async def test_a_strange_greeting_is_unknown_and_never_quoted(
    internet: Internet, status: int, kind: str, body: bytes, words: str
) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, body=body, content_type=kind)

    url = await internet.serve("git.example.org", answer)
    with pytest.raises(ProbeProblem, match=words) as raised:
        await internet.ask(RepositoryRequest(f"{url}/app.git", "main", "deploy"))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"0015ERR secret words\n", "refuses to show"),
        (b"0000", "sends no pack"),
        (b"000dpackfile\n0007\x03no", "cannot be read"),
        (b"000dpackfile\n0013\x01PACK\0\0\0\2\0\0\0\1\x95\x0a", "cannot be read"),
        (b"000dpackfile\n0011\x01PACK\0\0\0\2\x7f\xff\xff\xff", "sends more"),
    ],
)
async def test_a_strange_pack_is_unknown_and_never_quoted(internet: Internet, body: bytes, words: str) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.method == "GET":
            return web.Response(body=GREETING, content_type=ADVERTISEMENT)
        return web.Response(body=body)

    url = await internet.serve("git.example.org", answer)
    with pytest.raises(ProbeProblem, match=words) as raised:
        await internet.ask(RepositoryRequest(f"{url}/app.git", "1" * 40, "deploy"))
    assert "secret" not in str(raised.value)


async def test_a_greeting_from_somewhere_else_is_unknown(internet: Internet) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path != "/login":
            raise web.HTTPFound("/login")
        return web.Response(body=GREETING, content_type=ADVERTISEMENT)

    url = await internet.serve("git.example.org", answer)
    with pytest.raises(ProbeProblem, match="no Git repository"):
        await internet.ask(RepositoryRequest(f"{url}/app.git", "main", "deploy"))


@pytest.mark.parametrize("status", [302, 500])
async def test_a_command_that_fails_is_unknown(internet: Internet, status: int) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.method == "GET":
            return web.Response(body=GREETING, content_type=ADVERTISEMENT)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    url = await internet.serve("git.example.org", answer)
    with pytest.raises(ProbeProblem, match=f"answers {status}"):
        await internet.ask(RepositoryRequest(f"{url}/app.git", "main", "deploy"))
