"""HTTP for probes: every way checked, every answer bounded in time and size."""

import asyncio
import logging
import ssl
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import httpcore
import httpx

from onboarding import names
from onboarding.adapters.probes.connections import GuardedResolver, Transport
from onboarding.adapters.probes.guard import parse_url
from onboarding.adapters.probes.problem import ProbeProblem

TIMEOUT = 10.0
"""Seconds for one question and its answer, redirects included."""
_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_PER_HOST = 2
_CONNECT = 3.0
"""Seconds for a connection to one address, and for the TLS handshake on it."""
_OTHER_NAME = frozenset({62, 64})
"""OpenSSL's codes for a certificate that is for another name or address; its words would quote the name."""
_NO_TARGET = "it redirects to what is no URL"
_HEADERS = {"User-Agent": names.MANAGER, "Accept-Encoding": "identity", "Accept": "*/*"}
_NONE: Mapping[str, str] = MappingProxyType({})

# It writes every URL to the log, and URLs are written by projects.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class HttpLogin:
    """What proves who we are to one origin, and to no other."""

    host: str
    """Host, with its port where it is not 443."""
    value: str = field(repr=False)
    """Value of the Authorization header."""

    def headers(self, url: httpx.URL) -> dict[str, str]:
        """Return the headers to send to a URL: none without https, or where it is another origin."""
        return {"Authorization": self.value} if url.scheme == "https" and authority(url) == self.host else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: httpx.URL
    """The URL that answered, after redirects."""

    @property
    def phrase(self) -> str:
        """The status as people know it, such as ``404 Not Found``."""
        return f"{self.status} {httpx.codes.get_reason_phrase(self.status)}".strip()


class Web:
    """What all sessions share: how to connect, whom to trust, and how many may ask one host at once."""

    def __init__(
        self, network: GuardedResolver, trust: Callable[[], ssl.SSLContext], *, timeout: float = TIMEOUT
    ) -> None:
        """Give each question at most ``timeout`` seconds; ``trust`` makes a TLS context that checks certificates."""
        self.network = network
        self.timeout = timeout
        self._trust = trust
        self._hosts: weakref.WeakValueDictionary[str, asyncio.Semaphore] = weakref.WeakValueDictionary()

    @cached_property
    def chain(self) -> ssl.SSLContext:
        """Checks where a certificate comes from, and not whose it is."""
        context = self._trust()
        context.check_hostname = False
        return context

    @cached_property
    def blind(self) -> ssl.SSLContext:
        """Checks nothing: to read a certificate that is not trusted, never to send anything."""
        context = self._trust()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trust()

    @asynccontextmanager
    async def session(self) -> AsyncGenerator["Session"]:
        """Give connections that one probe uses alone, and close them."""
        timeout = httpx.Timeout(None, connect=_CONNECT)
        async with httpx.AsyncClient(
            transport=Transport(self.network, self._tls, _PER_HOST), trust_env=False, timeout=timeout, headers=_HEADERS
        ) as client:
            yield Session(client, self)

    def turn(self, host: str) -> asyncio.Semaphore:
        """Return what to hold while a host is asked."""
        return self._hosts.setdefault(host, asyncio.Semaphore(_PER_HOST))


class Session:
    """Questions of one probe."""

    def __init__(self, client: httpx.AsyncClient, web: Web) -> None:
        self._client = client
        self._web = web

    async def fetch(
        self,
        url: str | httpx.URL,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = _NONE,
        content: bytes = b"",
        login: HttpLogin | None = None,
        limit: int = 0,
    ) -> Reply:
        """Ask, and return the answer with a body of at most ``limit`` bytes; 0 reads none.

        Redirects of a GET or HEAD are followed, each checked anew; the login goes to its own origin only.
        ProbeProblem where there is no answer in time, where it is too large, or where the guard refuses the way.
        """
        target = parse_url(str(url))
        try:
            async with asyncio.timeout(self._web.timeout):
                for _ in range(_REDIRECTS + 1):
                    sent = {**headers, **(login.headers(target) if login else {})}
                    reply = await self._ask(
                        self._client.build_request(method, target, headers=sent, content=content), limit
                    )
                    location = reply.headers.get("location", "")
                    if reply.status not in _MOVED or not location or method == "POST":
                        return reply
                    target = _next(target, location)
        except TimeoutError:
            raise ProbeProblem(f"it did not answer within {self._web.timeout:g} seconds") from None
        raise ProbeProblem("it redirects again and again")

    async def _ask(self, request: httpx.Request, limit: int) -> Reply:
        async with self._web.turn(request.url.host):
            try:
                response = await self._client.send(request, stream=True)
                try:
                    body = await _read(response, limit) if limit else b""
                finally:
                    await response.aclose()
            except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
                raise ProbeProblem(describe_error(error)) from None
            except (httpx.RemoteProtocolError, httpx.InvalidURL):
                # httpx 0.28 reads the target of a redirect also where it does not follow it.
                raise ProbeProblem(_NO_TARGET) from None
        return Reply(response.status_code, response.headers, body, request.url)


def authority(url: httpx.URL) -> str:
    """Return the host of a URL, with its port where it is not the scheme's own."""
    return url.netloc.decode("ascii")


def describe_error(error: BaseException) -> str:
    """Return what went wrong with a connection, in words that hold nothing a server wrote."""
    if isinstance(error, httpcore.TimeoutException):
        return "it takes no connection in time"
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        words = "it is for another name" if cause.verify_code in _OTHER_NAME else cause.verify_message
        return f"its certificate is not trusted: {words}"
    if cause is not None:
        return "it offers no TLS that we can use"
    if isinstance(error, httpcore.ProtocolError):
        return "its answer is not HTTP, or its headers are too large"
    broken = isinstance(error, httpcore.ReadError | httpcore.WriteError | ConnectionResetError | BrokenPipeError)
    return "the connection broke off" if broken else "it takes no connection"


def _next(url: httpx.URL, location: str) -> httpx.URL:
    """Return where a redirect leads, checked as if a project had written it."""
    try:
        target = parse_url(str(url.join(location)))
    except (httpx.InvalidURL, ValueError):
        raise ProbeProblem(_NO_TARGET) from None
    except ProbeProblem as problem:
        raise ProbeProblem(f"it redirects to a URL that is refused: {problem}") from None
    if url.scheme == "https" and target.scheme == "http":
        raise ProbeProblem("it redirects from https to http")
    return target


async def _read(response: httpx.Response, limit: int) -> bytes:
    """Return the body as it was sent; a compressed one was not asked for, and might grow without bound."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProbeProblem("its answer is compressed, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise ProbeProblem(f"its answer is larger than {limit // 1024} KiB")
    return bytes(body)
