"""Kopf's session: the token of now on every request, no end by a refused one, and the age of the watch by its bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import pytest

from onboarding.runtime import session as module
from onboarding.runtime.session import KopfSession
from tests.unit.apiserver import FakeApiServer, connected, serving

WATCH = "/apis/projectonboarding.io/v1alpha1/projectonboardings?watch=true"


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


@asynccontextmanager
async def opened(server: FakeApiServer) -> AsyncIterator[tuple[KopfSession, aiohttp.ClientSession, list[str]]]:
    """A session, what Kopf makes of it, and the token that is on disk."""
    token = ["first"]
    async with connected(server.url) as client:

        def renew(configuration: object) -> None:
            client.configuration.api_key = {"BearerToken": f"bearer {token[-1]}"}

        client.configuration.refresh_api_key_hook = renew
        ours = KopfSession(client)
        kopf = ours.open()
        assert kopf.server == server.url
        async with kopf.aiohttp_session as session:
            yield ours, session, token


async def test_each_request_carries_the_token_of_now_as_the_clients_requests_do(server: FakeApiServer) -> None:
    server.script = [server.json({})]
    async with opened(server) as (_, session, token):
        await session.get(f"{server.url}/api")
        token.append("second")
        await session.get(f"{server.url}/api")
    assert [request.headers["Authorization"] for request in server.requests] == ["bearer first", "bearer second"]


async def test_a_refused_token_is_kept_from_kopf(server: FakeApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kopf would close the session and log in anew, for ever and with four lines of errors a second."""
    monkeypatch.setattr(module, "_LOGIN_AGAIN", 0.01)
    server.script = [server.refusal(401, "Unauthorized"), server.refusal(401, "Unauthorized"), server.json({})]
    async with opened(server) as (_, session, _token), session.get(f"{server.url}/api") as answer:
        assert answer.status == 200
    assert len(server.requests) == 3


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


async def test_every_byte_of_the_watch_counts_bookmarks_included(server: FakeApiServer, clock: list[float]) -> None:
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}}
    server.script = [server.stream(bookmark, silent=True)]
    async with opened(server) as (ours, session, _), session.get(f"{server.url}{WATCH}") as answer:
        clock[0] += 100
        assert ours.idle_seconds == 100
        chunks = answer.content.iter_chunked(1024)
        assert b"BOOKMARK" in await anext(chunks)
        assert ours.idle_seconds == 0
        server.released.set()


async def test_a_watch_that_is_only_opened_again_is_as_silent_as_before(
    server: FakeApiServer, clock: list[float]
) -> None:
    """Kopf opens another after 70 s of silence; after an outage, though, the server is back."""
    server.script = [server.stream(), server.stream(), server.refusal(503, "Down"), server.stream()]
    async with opened(server) as (ours, session, _):
        silence = []
        assert not ours.listening
        for _ in range(4):
            clock[0] += 100
            async with session.get(f"{server.url}{WATCH}") as answer:
                await answer.read()
            silence.append(ours.idle_seconds)
        assert ours.listening
    assert silence == [0, 100, 200, 0]


async def test_a_list_is_no_watch(server: FakeApiServer, clock: list[float]) -> None:
    server.script = [server.json({"items": []})]
    async with opened(server) as (ours, session, _):
        clock[0] += 100
        await (await session.get(f"{server.url}/apis")).read()
        assert ours.idle_seconds == 100


async def test_it_tells_when_kopf_has_taken_its_watch_up_again(server: FakeApiServer) -> None:
    server.script = [server.stream()]
    async with opened(server) as (ours, session, _):
        waiting = asyncio.create_task(ours.next_watch())
        await session.get(f"{server.url}{WATCH}")
        await asyncio.wait_for(waiting, 5)
        again = asyncio.create_task(ours.next_watch())
        await asyncio.sleep(0)
        assert not again.done()
        await session.get(f"{server.url}{WATCH}")
        await asyncio.wait_for(again, 5)
