"""A small internet on the loopback address: names, an authority, and servers with certificates."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web as aiohttp_web

from onboarding.adapters.probes.asks import build_asks
from onboarding.adapters.probes.connections import GuardedResolver
from onboarding.adapters.probes.guard import AddressGuard
from onboarding.adapters.probes.http import Web
from onboarding.adapters.probes.resolve import Resolver
from onboarding.api.probes import Probes
from onboarding.checks.probe import Request
from onboarding.errors import UnreachableError
from tests.support.authority import Authority
from tests.support.nameserver import Nameserver, serve_names

LOOPBACK = ("127.0.0.0/8",)
Handler = Callable[[aiohttp_web.BaseRequest], Awaitable[aiohttp_web.StreamResponse]]
Speaker = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Internet:
    """Servers by name; each gets its own port."""

    def __init__(self, names: Nameserver, resolver: Resolver, stack: AsyncExitStack) -> None:
        self.names = names
        self.resolver = resolver
        self.authority = Authority()
        self.secrets: dict[tuple[str, str], bytes] = {}
        self.secrets_read = 0
        self._stack = stack

    async def serve(
        self,
        host: str,
        what: aiohttp_web.Application | Handler,
        *,
        tls: ssl.SSLContext | None = None,
        plain: bool = False,
    ) -> str:
        """Run an application or one handler under a name; return its URL without a path."""
        runner: aiohttp_web.BaseRunner[Any]
        if isinstance(what, aiohttp_web.Application):
            runner = aiohttp_web.AppRunner(what, shutdown_timeout=0)
        else:
            runner = aiohttp_web.ServerRunner(aiohttp_web.Server(what), shutdown_timeout=0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        context = None if plain else tls or self.authority.server(host)
        await aiohttp_web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        self.names.knows(host, ["127.0.0.1"])
        return f"http{'' if plain else 's'}://{host}:{runner.addresses[0][1]}"

    async def speak(self, host: str, what: Speaker, *, tls: ssl.SSLContext | None = None) -> int:
        """Run a server that says what it likes under a name; return its port."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await what(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
        self._stack.callback(server.close)
        self.names.knows(host, ["127.0.0.1"])
        return int(server.sockets[0].getsockname()[1])

    def web(self, *, allowed: tuple[str, ...] = LOOPBACK, timeout: float = 5) -> Web:
        """Return a client in this internet."""
        return Web(GuardedResolver(AddressGuard.of(allowed), self.resolver), self.authority.trust, timeout=timeout)

    async def secret(self, name: str, key: str) -> bytes:
        """Return what a Secret holds."""
        self.secrets_read += 1
        try:
            return self.secrets[name, key]
        except KeyError:
            raise UnreachableError(f"Secret operator/{name} has no key {key}") from None

    async def ask(self, request: Request[Any], probes: Probes | None = None) -> Any:
        """Ask a request as the operator would."""
        asks = build_asks(
            probes or Probes(allowed_networks=LOOPBACK),
            self.secret,
            trust=self.authority.trust,
            resolve=self.resolver,
        )
        return await asks[type(request)](request)


@asynccontextmanager
async def an_internet() -> AsyncIterator[Internet]:
    """Run an internet for one test."""
    async with AsyncExitStack() as stack:
        names, resolver = await stack.enter_async_context(serve_names())
        yield Internet(names, resolver, stack)
