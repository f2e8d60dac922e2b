"""Logins that the policy names, each for one host, from Secrets of the operator's namespace."""

import base64
import time
from collections.abc import Awaitable, Callable, Collection

import httpx
import structlog

from onboarding.adapters.probes.http import HttpLogin, authority
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Credential, TokenSecret
from onboarding.api.urls import origin_form
from onboarding.errors import OnboardingError

ReadSecret = Callable[[str, str], Awaitable[bytes]]
"""Returns the value of a Secret's key, by name and key; OnboardingError where there is none."""

_FRESH = 60.0
"""Seconds for which a Secret is not read again, so that thousands of probes do not burden the API server."""

log = structlog.get_logger(__name__)


class Logins:
    """The logins, read when they are needed."""

    def __init__(
        self, credentials: Collection[Credential], secrets: ReadSecret, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Know whose they are; read each with ``secrets``."""
        self._credentials = {origin_form(credential.host): credential for credential in credentials}
        self._secrets = secrets
        self._clock = clock
        self._tokens: dict[TokenSecret, tuple[float, str]] = {}

    def named(self, url: httpx.URL) -> bool:
        """Return whether the policy names a login for the origin of a URL."""
        return url.scheme == "https" and authority(url) in self._credentials

    async def find(self, url: httpx.URL) -> HttpLogin | None:
        """Return the login for the origin of a URL; None where the policy names none, or it is not https."""
        if not self.named(url):
            return None
        credential = self._credentials[authority(url)]
        token = await self.token(credential.token_secret)
        if not credential.username:
            return HttpLogin(authority(url), f"Bearer {token}")
        pair = base64.b64encode(f"{credential.username}:{token}".encode()).decode()
        return HttpLogin(authority(url), f"Basic {pair}")

    async def token(self, secret: TokenSecret) -> str:
        """Return the token in a Secret; ProbeProblem where there is none that a header can carry."""
        read, token = self._tokens.get(secret, (0.0, ""))
        if not token or self._clock() - read > _FRESH:
            token = await self._read(secret)
            self._tokens[secret] = (self._clock(), token)
        return token

    async def _read(self, secret: TokenSecret) -> str:
        try:
            content = await self._secrets(secret.name, secret.key)
        except OnboardingError as error:
            log.warning("login unreadable", secret=secret.name, key=secret.key, error=str(error))
            raise ProbeProblem("the platform's login cannot be read: the Secret that the policy names") from None
        try:
            token = content.decode("ascii").strip()
        except UnicodeDecodeError:
            token = ""
        if not token or not token.isprintable():
            raise ProbeProblem("the platform's login cannot be used: the policy's Secret holds no plain token")
        return token
