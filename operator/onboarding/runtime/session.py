"""Kopf's session with the hub: it logs in as every other request does, and tells how long its watch has been silent.

Kopf drops bookmarks before any handler, so that a quiet watch and a dead one look alike to handlers. The bytes of the
stream tell them apart.
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
"""Seconds until a request whose token was refused is sent again, with the token that is on disk by then."""


class KopfSession:
    """An aiohttp session for Kopf with the hub's address, TLS and token."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last_heard = time.monotonic()
        self._broken = True
        """Whether the last watch could not be opened."""
        self._opened = asyncio.Event()
        self.listening = False
        """Whether a watch has been opened at all."""

    @property
    def idle_seconds(self) -> float:
        """Seconds since a byte of Kopf's watch came, bookmarks included, or since it was back after an outage."""
        return time.monotonic() - self._last_heard

    async def next_watch(self) -> None:
        """Return when Kopf has opened a watch since the last time that this returned."""
        await self._opened.wait()
        self._opened.clear()

    def open(self) -> kopf.AiohttpSession:
        """Return a new session, which Kopf closes."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._client.tls), middlewares=(self._send,)
        )
        return kopf.AiohttpSession(server=self._client.configuration.host, aiohttp_session=session)

    async def _send(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Send a request of Kopf's, and listen to the answer if it is a watch."""
        if request.url.query.get("watch") != "true":
            return await self._authorized(request, handler)
        broken, self._broken = self._broken, True
        response = await self._authorized(request, handler)
        if response.ok:
            self._broken, self.listening = False, True
            self._opened.set()
            if broken:
                self._heard()
            response.content = _Stream(response.content, self._heard)  # type: ignore[assignment]
        return response

    async def _authorized(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request with the present token; that it is refused is kept from Kopf, which would log in anew."""
        while True:
            if authorization := await self._client.authorization():
                request.headers["Authorization"] = authorization
            response = await handler(request)
            if response.status != 401:
                return response
            response.close()
            await asyncio.sleep(jittered(_LOGIN_AGAIN))

    def _heard(self) -> None:
        self._last_heard = time.monotonic()


class _Stream:
    """The content of a response that calls ``heard`` with each chunk; in all else the content itself."""

    def __init__(self, content: aiohttp.StreamReader, heard: Callable[[], None]) -> None:
        self._content = content
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Give the chunks, as Kopf reads them."""
        async for chunk in self._content.iter_chunked(size):
            self._heard()
            yield chunk
