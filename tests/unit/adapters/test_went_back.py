"""A server that went back is told from one that lags: by consistent lists and reads alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from onboarding.adapters import informer as module
from onboarding.errors import WentBackError
from tests.unit.apiserver import Answer, FakeApiServer, serving
from tests.unit.watched import event, item, page, quiet, watching

Script = Callable[[FakeApiServer], list[Answer]]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(module, "_BACKOFF_LAST", 0.02)


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


WENT_BACK: dict[str, tuple[Script, dict[str, int], str]] = {
    "the list, after an event": (
        lambda server: [page(server), server.stream(event("ADDED", "a", 30)), page(server, version=29)],
        {},
        "its list is at version 29, and 30 was seen before",
    ),
    "the list, after a bookmark": (
        lambda server: [page(server), server.stream(event("BOOKMARK", "", 30)), page(server, version=29)],
        {},
        "its list is at version 29, and 30 was seen before",
    ),
    "the list, after a list": (
        lambda server: [page(server, version=30), server.stream(), page(server, version=29)],
        {},
        "its list is at version 29, and 30 was seen before",
    ),
    "the list, after a higher one and a lagging event": (
        lambda server: [page(server, version=30), server.stream(event("ADDED", "a", 20)), page(server, version=25)],
        {},
        "its list is at version 25, and 30 was seen before",
    ),
    "the list, after 410": (
        lambda server: [page(server, version=30), server.refusal(410, "Expired"), page(server, version=29)],
        {},
        "its list is at version 29, and 30 was seen before",
    ),
    "an object, after 410: revisions were bumped": (
        lambda server: [
            page(server, version=30),
            server.refusal(410, "Expired"),
            page(server, item("a", 19), version=1000),
        ],
        {"a": 20},
        "a is at version 19, and 20 was seen before",
    ),
    "an object on the second page": (
        lambda server: [
            page(server, version=30),
            server.refusal(410, "Expired"),
            page(server, item("b", 21), version=1000, more="next"),
            page(server, item("a", 19), version=1000),
        ],
        {"a": 20, "b": 20},
        "a is at version 19, and 20 was seen before",
    ),
    "the one object of a look": (
        lambda server: [page(server, version=30), server.stream(), page(server, item("a", 19), version=31)],
        {"a": 20},
        "a is at version 19, and 20 was seen before",
    ),
}


@pytest.mark.parametrize(("script", "known", "words"), WENT_BACK.values(), ids=WENT_BACK)
async def test_an_older_answer_to_a_consistent_read_ends_the_informer(
    server: FakeApiServer, script: Script, known: dict[str, int], words: str
) -> None:
    async with watching(server, *script(server), quiet(server), **known) as watched:
        with pytest.raises(WentBackError) as error:
            await asyncio.wait_for(watched.task, 10)
    assert str(error.value) == (
        "test Quota: the API server went back to an earlier state, as after a restore of etcd "
        f"({words}): everything has to be read anew"
    )


async def test_nothing_of_an_older_list_is_taken_in(server: FakeApiServer) -> None:
    script = [page(server, version=30), server.refusal(410, "Expired"), page(server, item("old", 5), version=29)]
    async with watching(server, *script) as watched:
        with pytest.raises(WentBackError):
            await asyncio.wait_for(watched.task, 10)
        assert watched.news == [("list", [], 30)]


LAGS: dict[str, Callable[[FakeApiServer], list[Any]]] = {
    "bookmarks": lambda server: [page(server, version=30), server.stream(event("BOOKMARK", "", 20))],
    "events": lambda server: [page(server, version=30), server.stream(event("MODIFIED", "a", 20))],
    "a deletion": lambda server: [page(server, version=30), server.stream(event("DELETED", "a", 20))],
    "an older bookmark after a newer one": lambda server: [
        page(server),
        server.stream(event("BOOKMARK", "", 30), event("BOOKMARK", "", 20)),
    ],
    "a server that forgot our place": lambda server: [
        page(server, version=30),
        server.refusal(410, "Expired"),
        page(server, item("a", 20), version=30),
        server.stream(),
    ],
    "a restart of the server": lambda server: [
        page(server, version=30),
        server.refusal(503, "ServiceUnavailable"),
        server.refusal(403, "Forbidden"),
    ],
}


@pytest.mark.parametrize("script", LAGS.values(), ids=LAGS)
async def test_what_may_lag_proves_nothing(server: FakeApiServer, script: Any) -> None:
    """Events and bookmarks come out of a watch cache, which may be behind; the same version again is no older one."""
    answers = [*script(server), page(server, item("a", 20), version=30), quiet(server, event("ADDED", "end", 31))]
    async with watching(server, *answers, a=20) as watched:
        await watched.until(lambda: ("update", "end") in watched.news)


async def test_an_empty_list_of_metadata_has_no_items_at_all(server: FakeApiServer) -> None:
    """So the API server writes it: null, and not an empty list."""
    empty = server.json({"metadata": {"resourceVersion": "10"}, "items": None})
    async with watching(server, empty, server.stream(), empty, quiet(server, event("ADDED", "a", 11))) as watched:
        await watched.until(lambda: watched.news == [("list", [], 10), ("update", "a")])


async def test_every_list_is_a_consistent_read(server: FakeApiServer) -> None:
    """One that named a version, such as 0, would come out of a watch cache, and might be older without a fault."""
    script = [page(server), server.stream(), page(server), server.refusal(410, "Expired"), page(server), quiet(server)]
    async with watching(server, *script) as watched:
        await watched.until(lambda: len(server.requests) == 6)
    lists = [request for request in server.requests if "watch" not in request.query]
    assert len(lists) == 3
    assert not any({"resourceVersion", "resourceVersionMatch"} & set(request.query) for request in lists)


async def test_what_became_known_while_the_list_was_read_may_be_newer_than_it(server: FakeApiServer) -> None:
    """The answer to a write of ours may overtake the list, which was taken before it."""
    async with watching(server, page(server, item("a", 9)), quiet(server, event("ADDED", "end", 31)), a=12) as watched:
        await watched.until(lambda: ("update", "end") in watched.news)


async def test_a_feed_that_wants_it_is_listed_whenever_its_watch_is_taken_up(server: FakeApiServer) -> None:
    script = [page(server), server.stream(), page(server, item("a", 10)), quiet(server)]
    async with watching(server, *script, relist=True) as watched:
        await watched.until(lambda: watched.news == [("list", [], 10), ("update", "a"), ("list", ["a"], 10)])


async def test_where_somebody_else_watches_one_object_is_listed_each_time(server: FakeApiServer) -> None:
    """Kopf watches projects: what it has heard is what the list is compared with."""
    async with watching(server, page(server, item("a", 7)), followed=True, a=7) as watched:
        await watched.until(lambda: len(server.requests) == 1)
        watched.elsewhere.put_nowait(None)
        await watched.until(lambda: len(server.requests) == 2)
        assert [(request.query["limit"], "watch" in request.query) for request in server.requests] == [("1", False)] * 2
        assert watched.news == []
        watched.known["a"] = 12
        watched.elsewhere.put_nowait(None)
        with pytest.raises(WentBackError, match="12 was seen before"):
            await asyncio.wait_for(watched.task, 10)


async def test_where_somebody_else_watches_a_list_is_read_on_demand(server: FakeApiServer) -> None:
    async with watching(server, page(server, item("a", 7)), followed=True) as watched:
        await watched.until(lambda: len(server.requests) == 1)
        await asyncio.wait_for(watched.informer.read_again(), 10)
        assert watched.news == [("update", "a"), ("list", ["a"], 10)]


async def test_reading_again_waits_for_a_list_that_began_later(server: FakeApiServer) -> None:
    async with watching(server, page(server), quiet(server), relist=True) as watched:
        await watched.until(lambda: len(server.requests) == 2)
        server.script = [page(server, item("a", 10)), quiet(server)]
        await asyncio.wait_for(watched.informer.read_again(), 10)
        assert watched.news[-1] == ("list", ["a"], 10)
        assert not watched.task.done()
