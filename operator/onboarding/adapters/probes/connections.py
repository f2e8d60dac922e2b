"""Connections of probes: a name is resolved once, checked, and connected to as it was checked."""

import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpcore
import httpx

from onboarding.adapters.probes.guard import AddressGuard, check_host, parse_address
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.adapters.probes.resolve import Resolve

_ADDRESSES = 4


class GuardedResolver:
    """Which addresses a host has, and whether they may be connected to."""

    def __init__(self, guard: AddressGuard, resolve: Resolve) -> None:
        """Resolve with ``resolve``, once per connection."""
        self._guard = guard
        self._resolve = resolve

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host, each of which may be connected to; ProbeProblem where one may not."""
        check_host(host)
        addresses = (host,) if parse_address(host) else await self._resolve(host)
        if not addresses:
            raise ProbeProblem("the host name does not resolve")
        for address in addresses:
            if refusal := self._guard.refusal(address):
                raise ProbeProblem(refusal)
        return addresses[:_ADDRESSES]


class _Connections(httpcore.AsyncNetworkBackend):
    """Connections of one session, each to an address that was checked."""

    def __init__(self, network: GuardedResolver) -> None:
        self._network = network
        self._sockets = httpcore.AnyIOBackend()
        self._opened: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that takes the connection, never resolving again."""
        addresses = await self._network.addresses(host)
        for address in addresses[:-1]:
            try:
                return await self._open(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._open(addresses[-1], port, timeout)

    async def _open(self, address: str, port: int, seconds: float | None) -> httpcore.AsyncNetworkStream:
        stream = await self._sockets.connect_tcp(address, port, seconds)
        self._opened.append(stream)
        return stream

    async def aclose(self) -> None:
        """Close also what httpcore 1.0 leaves open: a connection that is given up during the TLS handshake."""
        for stream in self._opened:
            await stream.aclose()


class Transport(httpx.AsyncBaseTransport):
    """What httpx's own transport does, with connections of ours: that one takes no network backend."""

    def __init__(self, network: GuardedResolver, tls: ssl.SSLContext, most: int) -> None:
        """Open at most ``most`` connections at once, checking certificates with ``tls``."""
        self._connections = _Connections(network)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, network_backend=self._connections, max_connections=most
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request by the guarded network; httpcore's errors pass."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()
        await self._connections.aclose()


class _Body(httpx.AsyncByteStream):
    """A body as httpcore gives it, in httpx's type."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._answer.aclose()
