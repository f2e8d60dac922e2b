"""A proxy between the operator and the API server that counts writes, kills the operator and makes faults.

The operator talks HTTPS to it with a certificate of an authority of its own; it talks HTTPS to the API server and
checks that one's certificate. It runs in a thread, so that tests stay plain functions.
"""

import asyncio
import contextlib
import json
import random
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from devcluster import ControlPlane
from tests.support.certificates import make_server_certificate
from tests.support.watches import Watch, pump

_HOP = {
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
    "content-encoding",
}
_LINE = 2 * 1024**2
"""An event of a watch is one object, and etcd takes objects of up to 1.5 MiB."""
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Moment(StrEnum):
    """When, around a write, the operator is killed."""

    BEFORE = "before the server gets it"
    UNREAD = "after the server did it and before the operator reads the answer"
    AFTER = "after the operator got the answer"


@dataclass(eq=False)
class Fault:
    """What happens to the next requests of a kind; dry runs, which come at their own time, never meet one."""

    method: str
    part: str
    """Part of the path."""
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    left: int = 1
    """How many requests it still meets."""

    def meets(self, request: web.Request) -> bool:
        """Say whether it is this request's turn, and count it."""
        mine = request.method == self.method and self.part in request.path and "dryRun" not in request.query
        if not mine or not self.left:
            return False
        self.left -= 1
        return True


class FaultProxy:
    """A proxy that does as it is told; ``server`` and ``ca_file`` are for the operator's kubeconfig."""

    def __init__(self, cluster: ControlPlane, directory: Path, *, lag: float = 0) -> None:
        """Hold back answers, and what the watches say, by up to ``lag`` seconds, each watch in its own order."""
        self.ca_file, self._tls = make_server_certificate(directory)
        self.server = ""
        self.writes: list[str] = []
        """Method and path of every write that the operator sent since ``arm``."""
        self._upstream = cluster.server
        self._trust = ssl.create_default_context(cafile=str(cluster.ca_file))
        self._faults: list[Fault] = []
        self._watches: set[Watch] = set()
        self._connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        """To the API server."""
        self._mute = ""
        self._lag = lag
        self._kill: tuple[int, Moment, Callable[[], object]] | None = None
        self._gate: tuple[int, threading.Event, asyncio.Event] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def arm(self, number: int, moment: Moment, kill: Callable[[], object]) -> None:
        """Count writes from 1 again, and kill the operator around this one."""
        self._do(lambda: (self.writes.clear(), setattr(self, "_kill", (number, moment, kill))))

    def count(self) -> None:
        """Count writes from 1 again, and kill nobody."""
        self._do(lambda: (self.writes.clear(), setattr(self, "_kill", None)))

    def hold(self, number: int) -> tuple[threading.Event, Callable[[], None]]:
        """Hold back a write, counted from 1; return what tells that it came, and what lets it go on."""
        came, go = threading.Event(), asyncio.Event()
        self._do(lambda: (self.writes.clear(), setattr(self, "_gate", (number, came, go))))
        return came, lambda: self._do(go.set)

    def answer(self, fault: Fault) -> Fault:
        """Answer the next requests of a kind without asking the server."""
        self._do(lambda: self._faults.append(fault))
        return fault

    def expire(self, part: str) -> None:
        """Send an ERROR event with code 410 into the watches whose path ends so, and end them."""
        status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
        line = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
        self._do(lambda: [watch.events.put_nowait(item) for watch in self._of(part) for item in (line, None)])

    def hush(self, part: str) -> None:
        """Let the present watches whose path ends so say nothing more; later ones speak."""
        self._do(lambda: [setattr(watch, "silent", True) for watch in self._of(part)])

    def mute(self, part: str) -> None:
        """Let no request whose path ends so be answered any more, until called with nothing."""
        self._do(lambda: setattr(self, "_mute", part))
        if part:
            self.hush(part)

    def bookmark(self) -> None:
        """Send a bookmark into every watch that asked for them and is not silent: the server does so each minute."""
        self._do(lambda: [watch.bookmark() for watch in self._watches])

    def cut(self) -> None:
        """Break every watch's connection."""
        self._do(lambda: [watch.events.put_nowait(None) for watch in self._watches])

    def _of(self, part: str) -> list[Watch]:
        return [watch for watch in self._watches if watch.path.endswith(part)]

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def _do(self, work: Callable[[], Any]) -> Any:
        async def run() -> Any:
            return work()

        return self._call(run())

    async def _start(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._trust, limit=0, socket_factory=self._connect)
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=_LINE)
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.server = f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        for watch in self._watches:
            watch.events.put_nowait(None)
        await self._runner.cleanup()
        await self._session.close()
        # A TLS connection that is closed politely waits for the server's answer, which may outlast the loop.
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        async with asyncio.timeout(10):
            while any(connection.fileno() >= 0 for connection in self._connections):  # noqa: ASYNC110 - a socket has no event
                await asyncio.sleep(0.01)

    def _connect(self, address: tuple[Any, ...]) -> socket.socket:
        connection = socket.socket(*address[:3])
        self._connections.add(connection)
        return connection

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._mute and request.path.endswith(self._mute):
            await asyncio.Event().wait()
        for fault in self._faults:
            if fault.meets(request):
                return _failure(fault)
        if request.query.get("watch") == "true":
            return await self._stream(request)
        if request.method in _WRITES and "dryRun" not in request.query:
            return await self._write(request)
        return await self._forward(request)

    async def _write(self, request: web.Request) -> web.StreamResponse:
        self.writes.append(f"{request.method} {request.path}")
        number = len(self.writes)
        if self._gate and number == self._gate[0]:
            self._gate[1].set()
            await self._gate[2].wait()
        due, moment, kill = self._kill or (0, Moment.BEFORE, lambda: None)
        if number != due:
            return await self._forward(request)
        if moment is Moment.BEFORE:
            kill()
            return _drop(request)
        answer = await self._forward(request)
        if moment is Moment.UNREAD:
            kill()
            return _drop(request)
        await answer.prepare(request)
        await answer.write_eof()
        kill()
        return answer

    async def _forward(self, request: web.Request) -> web.Response:
        try:
            async with self._ask(request, await request.read()) as upstream:
                headers = {key: value for key, value in upstream.headers.items() if key.lower() not in _HOP}
                body = await upstream.read()
                # Most answers are in time, so that some events come before them and some after.
                await asyncio.sleep(max(0.0, random.uniform(-2 * self._lag, self._lag)))
                return web.Response(status=upstream.status, body=body, headers=headers)
        except aiohttp.ClientError:
            return _drop(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        watch = Watch(request.path, query.get("resourceVersion", "") if "allowWatchBookmarks" in query else "")
        self._watches.add(watch)
        try:
            async with self._ask(request, b"") as upstream:
                if upstream.status != 200:
                    return web.Response(status=upstream.status, body=await upstream.read())
                answer = web.StreamResponse(headers={"Content-Type": "application/json"})
                await answer.prepare(request)
                await pump(watch, upstream, answer, self._lag)
                return answer
        except (aiohttp.ClientError, ConnectionError):
            return _drop(request)
        finally:
            self._watches.discard(watch)

    def _ask(self, request: web.Request, body: bytes) -> Any:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        headers["Accept-Encoding"] = "identity"
        timeout = aiohttp.ClientTimeout(total=None)
        url = f"{self._upstream}{request.rel_url}"
        return self._session.request(request.method, url, data=body or None, headers=headers, timeout=timeout)


def _failure(fault: Fault) -> web.Response:
    status = {"kind": "Status", "status": "Failure", "code": fault.status, "reason": "Injected", "message": "injected"}
    return web.json_response(status, status=fault.status, headers=fault.headers)


def _drop(request: web.Request) -> web.Response:
    """Break the connection: what is returned never arrives."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)
