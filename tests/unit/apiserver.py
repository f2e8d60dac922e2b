"""A small HTTP server that answers as a test says, to meet the client with what a real API server does rarely."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client as kubernetes

from onboarding.adapters.client import Client

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeApiServer:
    """Answers request by request: the answers in ``script`` first, then the last of them again and again."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.url = ""
        self.released = asyncio.Event()
        """Ends the answers that are silent."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request by the script."""
        self.requests.append(request)
        self.bodies.append(await request.read())
        handler = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await handler(request)

    def json(self, content: Any, status: int = 200, **headers: str) -> Answer:
        """Return an answer of JSON."""
        return self.text(orjson.dumps(content).decode(), status, **headers)

    def text(self, content: str, status: int = 200, **headers: str) -> Answer:
        """Return an answer of any text."""

        async def respond(_request: web.Request) -> web.StreamResponse:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, text=content, headers=names)

        return respond

    def refusal(self, status: int, reason: str, message: str = "no", **more: Any) -> Answer:
        """Return a Status as the API server sends it."""
        return self.json({"kind": "Status", "reason": reason, "message": message, **more}, status)

    def stream(self, *lines: Any, silent: bool = False) -> Answer:
        """Return a watch: these events, then its end, or silence until the test is over."""

        async def respond(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for line in lines:
                await response.write(line if isinstance(line, bytes) else orjson.dumps(line) + b"\n")
            if silent:
                await self.released.wait()
            return response

        return respond


@asynccontextmanager
async def serving() -> AsyncIterator[FakeApiServer]:
    """Run a server."""
    fake = FakeApiServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    server = TestServer(app)
    await server.start_server()
    fake.url = str(server.make_url("")).rstrip("/")
    yield fake
    fake.released.set()
    await server.close()


@asynccontextmanager
async def connected(url: str, *, request_timeout: float = 5, token: str = "") -> AsyncIterator[Client]:
    """Return a client of a server."""
    configuration = kubernetes.Configuration()
    configuration.host = url
    if token:
        configuration.api_key = {"BearerToken": token}
        configuration.api_key_prefix = {"BearerToken": "Bearer"}
    client = Client(configuration, request_timeout=request_timeout)
    yield client
    await client.close()
