"""Questions to a registry, with the login that it asks for."""

import re
from collections.abc import Mapping

import httpx
import orjson

from onboarding.adapters.probes.guard import parse_url
from onboarding.adapters.probes.http import HttpLogin, Reply, Session, authority
from onboarding.adapters.probes.logins import Logins
from onboarding.adapters.probes.problem import ProbeProblem

_PARAMETER = re.compile(r'([a-z]{1,20})="([^"]{0,500})"', re.ASCII)
_TOKEN_LIMIT = 64 * 1024
_NO_TOKEN = "the registry's token service gives no token that can be used"  # noqa: S105 - words for people


class Registry:
    """One repository of a registry."""

    def __init__(self, session: Session, url: httpx.URL, path: str, logins: Logins) -> None:
        """Log in with what ``logins`` knows for the host of ``url``, and only when the registry asks for it."""
        self._session = session
        self._url = url
        self._path = path
        self._logins = logins
        self._login: HttpLogin | None = None

    async def fetch(
        self, url: httpx.URL, *, headers: Mapping[str, str] | None = None, method: str = "GET", limit: int = 0
    ) -> Reply:
        """Ask, and ask again with a login where the registry wants one."""
        reply = await self._session.fetch(url, method=method, headers=headers or {}, login=self._login, limit=limit)
        if reply.status != 401 or self._login is not None or authority(reply.url) != authority(self._url):
            return reply
        self._login = await self._log_in(reply.headers.get("www-authenticate", ""))
        if self._login is None:
            return reply
        return await self._session.fetch(url, method=method, headers=headers or {}, login=self._login, limit=limit)

    async def _log_in(self, challenge: str) -> HttpLogin | None:
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic":
            return await self._logins.find(self._url)
        parameters = dict(_PARAMETER.findall(rest))
        if kind.lower() != "bearer" or "realm" not in parameters:
            return None
        return await self._token(parse_url(parameters["realm"]), parameters.get("service", ""))

    async def _token(self, realm: httpx.URL, service: str) -> HttpLogin | None:
        """Return the login that a token service gives; None where it refuses.

        What is asked for is our own choice, not the registry's. A registry that the policy does not name gets no token
        that one of our logins was used for: it could have named any service we have a login for.
        """
        if realm.scheme != "https":
            raise ProbeProblem("the registry's token service is not asked over https")
        ours = authority(realm) == authority(self._url) or self._logins.named(self._url)
        reply = await self._session.fetch(
            realm.copy_merge_params({"service": service, "scope": f"repository:{self._path}:pull"}),
            login=await self._logins.find(realm) if ours else None,
            limit=_TOKEN_LIMIT,
        )
        if reply.status in {401, 403}:
            return None
        if reply.status != 200:
            raise ProbeProblem(f"the registry's token service answers {reply.phrase}")
        return HttpLogin(authority(self._url), f"Bearer {_token_of(reply.body)}")


def _token_of(body: bytes) -> str:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    match content:
        case {"token": str(token)} | {"access_token": str(token)} if token.isascii() and token.isprintable():
            return token
    raise ProbeProblem(_NO_TOKEN)
