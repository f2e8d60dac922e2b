"""Kopf's HTTP session with the hub, with our login and with the idle time of Kopf's watch.

Kopf drops bookmarks before it calls a handler, so that handlers cannot tell a quiet watch from a dead one. The bytes of
the stream tell them apart.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import kopf

from onboarding.adapters.client import Client
from onboarding.backoff import jittered

_LOGIN_AGAIN = 5.0
"""Seconds until a request that was answered 401 is sent again, with the token that is on disk by then."""


class KopfSession:
    """An aiohttp session for Kopf, with the hub's address, TLS and token."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last_activity = time.monotonic()
        self._broken = True
        """Whether the last watch could not be opened."""
        self._opened = asyncio.Event()
        self.listening = False
        """Whether a watch has been opened since the start."""

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last byte of Kopf's watch, bookmarks included, or since its reopening after an outage."""
        return time.monotonic() - self._last_activity

    async def next_watch(self) -> None:
        """Return when Kopf has opened a watch since the last call returned."""
        await self._opened.wait()
        self._opened.clear()

    def open(self) -> kopf.AiohttpSession:
        """Return a new session, which Kopf closes."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._client.tls), middlewares=(self._send,)
        )
        return kopf.AiohttpSession(server=self._client.configuration.host, aiohttp_session=session)

    async def _send(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Send a request of Kopf's; if it is a watch, note the time of each byte."""
        if request.url.query.get("watch") != "true":
            return await self._authorized(request, handler)
        broken, self._broken = self._broken, True
        response = await self._authorized(request, handler)
        if response.ok:
            self._broken, self.listening = False, True
            self._opened.set()
            if broken:
                self._note_activity()
            response.content = _Stream(response.content, self._note_activity)  # type: ignore[assignment]
        return response

    async def _authorized(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request with the present token until it is not answered 401, because Kopf would log in anew."""
        while True:
            if authorization := await self._client.authorization():
                request.headers["Authorization"] = authorization
            response = await handler(request)
            if response.status != 401:
                return response
            response.close()
            await asyncio.sleep(jittered(_LOGIN_AGAIN))

    def _note_activity(self) -> None:
        self._last_activity = time.monotonic()


class _Stream:
    """The content of a response, which calls ``on_chunk`` for each chunk."""

    def __init__(self, content: aiohttp.StreamReader, on_chunk: Callable[[], None]) -> None:
        self._content = content
        self._on_chunk = on_chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the chunks, as Kopf reads them."""
        async for chunk in self._content.iter_chunked(size):
            self._on_chunk()
            yield chunk
