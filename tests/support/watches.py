"""The watches that go through the fault proxy: the events of the server, and those that a test sends."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web


@dataclass(eq=False)
class Watch:
    """A watch of the operator."""

    path: str
    version: str
    """Where it begins; empty where it asked for no bookmarks."""
    events: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    """What the operator is sent; None ends the watch."""
    silent: bool = False

    def bookmark(self) -> None:
        """Send a bookmark of where the watch began: true, if not the newest."""
        if self.version and not self.silent:
            event = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": self.version}}}
            self.events.put_nowait(json.dumps(event).encode() + b"\n")


async def pump(watch: Watch, upstream: aiohttp.ClientResponse, answer: web.StreamResponse, lag: float) -> None:
    """Pass on the server's events and ours, each as a whole line, until either side ends."""

    async def read() -> None:
        with contextlib.suppress(aiohttp.ClientError):
            async for line in upstream.content:
                if not watch.silent:
                    watch.events.put_nowait(line)
        watch.events.put_nowait(None)

    reading = asyncio.create_task(read())
    try:
        await _drain(watch.events, answer.write, lag)
    finally:
        reading.cancel()


async def _drain(events: asyncio.Queue[bytes | None], write: Callable[[bytes], Awaitable[None]], lag: float) -> None:
    held_back = 0.0
    while (event := await events.get()) is not None:
        # A burst is held back as a whole: its events one by one would take minutes.
        if lag and time.monotonic() > held_back + lag:
            await asyncio.sleep(random.uniform(0, lag))
            held_back = time.monotonic()
        await write(event)
