"""The identity provider is asked for a group as the policy says, with the policy's token."""

from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Directory, IdentityProvider, Probes, TokenSecret
from onboarding.checks.probe import GroupFacts, GroupRequest
from tests.support.internet import LOOPBACK, Handler, Internet

GROUPS = ("team-a-admins", "Team-B", "a/b@c:d")


class Directories:
    """A SCIM server with filters, and a lookup that lists groups."""

    def __init__(self) -> None:
        self.token = "Bearer s3cret"
        self.filters: list[str] = []
        self.heard = True
        """Whether the filter is heeded."""

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/scim/v2/Groups", self._scim)
        application.router.add_get("/groups", self._lookup)
        application.router.add_get("/groups/{name:.+}", self._one)
        return application

    async def _scim(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != self.token:
            return web.json_response({"detail": "s3cret"}, status=401)
        self.filters.append(request.query["filter"])
        found = [
            {"displayName": name}
            for name in GROUPS
            if f'displayname eq "{name}"'.lower() == self.filters[-1].lower() or not self.heard
        ]
        return web.json_response({"totalResults": len(found) if self.heard else 500, "Resources": found})

    async def _lookup(self, request: web.Request) -> web.Response:
        return web.json_response([{"name": name} for name in GROUPS if name == request.query["search"]])

    async def _one(self, request: web.Request) -> web.Response:
        return web.json_response({}) if request.match_info["name"] in GROUPS else web.Response(status=404)


async def ask(internet: Internet, group: str, url: str, kind: Directory, *, token: bool = True) -> GroupFacts:
    internet.secrets.setdefault(("directory", "token"), b"s3cret\n")
    secret = TokenSecret(name="directory") if token else None
    provider = IdentityProvider(kind=kind, url=url, token_secret=secret)
    facts: GroupFacts = await internet.ask(
        GroupRequest(group), Probes(allowed_networks=LOOPBACK, identity_provider=provider)
    )
    return facts


@pytest.mark.parametrize(
    ("group", "found"), [("team-a-admins", True), ("a/b@c:d", True), ("team-b", False), ("other", False)]
)
async def test_scim_knows_a_group_by_its_exact_name(internet: Internet, group: str, found: bool) -> None:
    directories = Directories()
    url = await internet.serve("id.example.org", directories.application())
    assert await ask(internet, group, f"{url}/scim/v2/", Directory.SCIM) == GroupFacts(found)
    assert directories.filters == [f'displayName eq "{group}"']


async def test_a_name_cannot_change_the_filter(internet: Internet) -> None:
    directories = Directories()
    url = await internet.serve("id.example.org", directories.application())
    await ask(internet, 'x" or displayName eq "team-a\\', f"{url}/scim/v2", Directory.SCIM)
    assert directories.filters == [r'displayName eq "x\" or displayName eq \"team-a\\"']


@pytest.mark.parametrize("path", ["/groups/{group}", "/groups?search={group}&exact=true"])
@pytest.mark.parametrize(("group", "found"), [("team-a-admins", True), ("a/b@c:d", True), ("other", False)])
async def test_a_lookup_knows_a_group(internet: Internet, path: str, group: str, found: bool) -> None:
    url = await internet.serve("id.example.org", Directories().application())
    assert await ask(internet, group, url + path, Directory.LOOKUP) == GroupFacts(found)


async def test_a_filter_that_is_not_heeded_proves_nothing(internet: Internet) -> None:
    directories = Directories()
    directories.heard = False
    url = await internet.serve("id.example.org", directories.application())
    assert await ask(internet, "Team-B", f"{url}/scim/v2", Directory.SCIM) == GroupFacts(found=True)
    with pytest.raises(ProbeProblem, match="ignores the filter"):
        await ask(internet, "other", f"{url}/scim/v2", Directory.SCIM)


async def test_a_refused_token_is_unknown_and_never_quoted(internet: Internet) -> None:
    directories = Directories()
    directories.token = "another"
    url = await internet.serve("id.example.org", directories.application())
    with pytest.raises(ProbeProblem, match="refuses the platform's login: 401 Unauthorized") as raised:
        await ask(internet, "other", f"{url}/scim/v2", Directory.SCIM)
    assert "s3cret" not in str(raised.value)


async def test_without_a_token_the_identity_provider_is_asked_without_a_login(internet: Internet) -> None:
    url = await internet.serve("id.example.org", Directories().application())
    facts = await ask(internet, "other", f"{url}/groups/{{group}}", Directory.LOOKUP, token=False)
    assert facts == GroupFacts(found=False)
    assert internet.secrets_read == 0


@pytest.mark.parametrize("content", [b"", b" \n", b"two\nlines", b"\xff\xfe", "é".encode()])
async def test_a_secret_without_a_plain_token_is_unknown(internet: Internet, content: bytes) -> None:
    internet.secrets["directory", "token"] = content
    with pytest.raises(ProbeProblem, match="no plain token"):
        await ask(internet, "other", "https://id.example.org", Directory.SCIM)


async def test_a_missing_secret_is_unknown(internet: Internet) -> None:
    provider = IdentityProvider(url="https://id.example.org", token_secret=TokenSecret(name="nowhere"))
    with pytest.raises(ProbeProblem, match="login cannot be read"):
        await internet.ask(GroupRequest("x"), Probes(identity_provider=provider))


async def test_without_an_identity_provider_groups_are_unknown(internet: Internet) -> None:
    with pytest.raises(ProbeProblem, match="names no identity provider"):
        await internet.ask(GroupRequest("x"), Probes())


def answering(status: int, content: Any) -> Handler:
    async def answer(_request: web.BaseRequest) -> web.Response:
        if isinstance(content, bytes):
            return web.Response(status=status, body=content)
        return web.json_response(content, status=status)

    return answer


@pytest.mark.parametrize(
    ("kind", "status", "content", "words"),
    [
        (Directory.SCIM, 404, {}, "404 Not Found"),
        (Directory.SCIM, 500, b"s3cret", "500 Internal Server Error"),
        (Directory.SCIM, 200, b"<html>s3cret", "cannot be read"),
        (Directory.SCIM, 200, [], "cannot be read"),
        (Directory.SCIM, 200, {"totalResults": 1}, "cannot be read"),
        (Directory.SCIM, 200, {"Resources": []}, "cannot be read"),
        (Directory.SCIM, 200, b'"' + b"x" * 300_000 + b'"', "larger than 256 KiB"),
        (Directory.LOOKUP, 200, b"<html>s3cret", "cannot be read"),
        (Directory.LOOKUP, 200, b"", "cannot be read"),
        (Directory.LOOKUP, 503, b"", "503 Service Unavailable"),
    ],
)
async def test_a_strange_answer_is_unknown_and_never_quoted(
    internet: Internet, kind: Directory, status: int, content: Any, words: str
) -> None:
    url = await internet.serve("id.example.org", answering(status, content))
    with pytest.raises(ProbeProblem, match=words) as raised:
        await ask(internet, "other", f"{url}/x", kind)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("url", ["https://user:s3cret@id.example.org", "http://id.example.org"])
def test_the_policy_takes_no_url_that_would_give_the_token_away(url: str) -> None:
    with pytest.raises(ValidationError):
        IdentityProvider(url=url)
