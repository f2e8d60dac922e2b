"""A feed lists once and follows the events; whatever interrupts it, the cache is right again in the end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from onboarding.adapters import informer as module
from tests.unit.apiserver import FakeApiServer, serving
from tests.unit.watched import event, item, page, quiet, watching


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(module, "_BACKOFF_LAST", 0.02)


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


async def test_all_pages_make_one_list(server: FakeApiServer) -> None:
    script = [page(server, item("a", 1), more="next"), page(server, item("b", 2)), quiet(server)]
    async with watching(server, *script) as watched:
        await watched.until(lambda: len(server.requests) == 3)
        assert watched.news == [("update", "a"), ("update", "b"), ("list", ["a", "b"], 10)]
        assert (watched.informer.warm, watched.informer.problem, watched.changes) == (True, "", 1)
    first, second, third = (dict(request.query) for request in server.requests)
    assert first == {"labelSelector": "a=b", "limit": "200"}
    assert second == {**first, "continue": "next"}
    assert (third["watch"], third["resourceVersion"], third["allowWatchBookmarks"]) == ("true", "10", "true")
    assert third["labelSelector"] == "a=b"


async def test_events_go_where_they_belong(server: FakeApiServer) -> None:
    events = [event("ADDED", "a", 11), event("MODIFIED", "a", 12), event("DELETED", "a", 13)]
    async with watching(server, page(server), quiet(server, *events)) as watched:
        await watched.until(lambda: len(watched.news) == 4)
        assert watched.news[1:] == [("update", "a"), ("update", "a"), ("delete", "a")]


@pytest.mark.parametrize("last", [event("BOOKMARK", "", 40), event("MODIFIED", "a", 40)], ids=["bookmark", "event"])
async def test_a_watch_that_ends_is_taken_up_where_it_ended(server: FakeApiServer, last: Any) -> None:
    async with watching(server, page(server), server.stream(last), page(server, version=40), quiet(server)) as watched:
        await watched.until(lambda: len(server.requests) == 4)
        assert watched.news[0] == ("list", [], 10)
        assert (len(watched.news), watched.informer.problem) == (1 if last["type"] == "BOOKMARK" else 2, "")
    assert server.requests[2].query == {"labelSelector": "a=b", "limit": "1"}
    assert server.requests[3].query["resourceVersion"] == "40"
    assert server.requests[3].query["watch"] == "true"


@pytest.mark.parametrize("where", ["status", "event"])
async def test_where_the_server_has_forgotten_our_place_the_list_is_read_again(
    server: FakeApiServer, where: str
) -> None:
    expired = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}
    refused = server.refusal(410, "Expired") if where == "status" else server.stream(expired)
    script = [page(server, item("a", 1)), refused, page(server, item("b", 20), version=21), quiet(server)]
    async with watching(server, *script) as watched:
        await watched.until(lambda: len(server.requests) == 4)
        assert watched.news == [("update", "a"), ("list", ["a"], 10), ("update", "b"), ("list", ["b"], 21)]
        assert (watched.informer.warm, watched.informer.problem) == (True, "")


async def test_a_silent_watch_is_taken_up_again(server: FakeApiServer) -> None:
    script = [page(server), quiet(server, event("BOOKMARK", "", 15)), page(server, version=15)]
    script.append(quiet(server, event("ADDED", "a", 16)))
    async with watching(server, *script, idle_timeout=0.2) as watched:
        await watched.until(lambda: ("update", "a") in watched.news)
        assert watched.informer.problem == ""
    assert server.requests[3].query["resourceVersion"] == "15"


async def test_a_kind_that_is_not_served_is_noticed_and_found_when_it_appears(server: FakeApiServer) -> None:
    missing = server.refusal(404, "NotFound")
    async with watching(server, missing) as watched:
        await watched.until(lambda: not watched.informer.served)
        assert (watched.informer.warm, watched.informer.problem) == (False, "")
        assert watched.changes == 1
        server.script = [page(server, item("a", 1)), quiet(server)]
        await watched.until(lambda: watched.informer.warm)
        assert (watched.informer.served, watched.changes) == (True, 2)


async def test_a_kind_that_goes_away_takes_its_objects_along(server: FakeApiServer) -> None:
    async with watching(server, page(server, item("a", 1)), server.refusal(404, "NotFound")) as watched:
        await watched.until(lambda: not watched.informer.served)
        assert watched.news[-1][:2] == ("list", [])
        assert not watched.informer.warm


async def test_a_lasting_refusal_is_a_problem_until_it_ends(server: FakeApiServer) -> None:
    async with watching(server, server.refusal(403, "Forbidden", "no rights")) as watched:
        await watched.until(lambda: watched.informer.problem)
        assert "403 Forbidden: no rights" in watched.informer.problem
        assert not watched.informer.warm
        server.script = [page(server), quiet(server)]
        await watched.until(lambda: watched.informer.warm)
        assert watched.informer.problem == ""


async def test_a_single_interruption_is_no_news(server: FakeApiServer) -> None:
    script = [page(server), server.refusal(500, "InternalError"), page(server), quiet(server, event("ADDED", "a", 11))]
    async with watching(server, *script) as watched:
        await watched.until(lambda: ("update", "a") in watched.news)
        assert (watched.changes, watched.informer.problem) == (1, "")


BROKEN_LINES = {"half a line": b'{"type": "ADD', "no event": b'{"a": 1}\n', "no object": b"[]\n", "text": b"<html>\n"}


@pytest.mark.parametrize("line", BROKEN_LINES.values(), ids=BROKEN_LINES)
async def test_a_broken_line_does_not_end_the_feed(server: FakeApiServer, line: bytes) -> None:
    script = [page(server), server.stream(line), page(server), quiet(server, event("ADDED", "a", 11))]
    async with watching(server, *script) as watched:
        await watched.until(lambda: ("update", "a") in watched.news)


async def test_an_answer_that_is_no_list_does_not_end_the_feed(server: FakeApiServer) -> None:
    async with watching(server, server.text("<html>"), page(server), quiet(server)) as watched:
        await watched.until(lambda: watched.informer.warm)


@pytest.mark.parametrize(
    ("metadata_only", "accept"),
    [
        (False, ["application/json"] * 2),
        (
            True,
            [
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
            ],
        ),
    ],
)
async def test_only_metadata_is_asked_for_where_that_is_enough(
    server: FakeApiServer, metadata_only: bool, accept: list[str]
) -> None:
    async with watching(server, page(server), quiet(server), metadata_only=metadata_only) as watched:
        await watched.until(lambda: len(server.requests) == 2)
    assert [request.headers["Accept"] for request in server.requests] == accept


async def test_a_watch_that_is_accepted_again_is_no_problem_before_its_first_line(server: FakeApiServer) -> None:
    """A quiet kind says nothing until the next bookmark, and its cluster must not stand still for that long."""
    refusals = [server.refusal(403, "Forbidden", "caches are cold")] * 2
    async with watching(server, page(server, item("a", 1)), *refusals, page(server), quiet(server)) as watched:
        await watched.until(lambda: watched.changes == 3)
        assert (watched.informer.warm, watched.informer.problem) == (True, "")


async def test_a_refusal_that_ends_in_a_kind_not_served_is_told(server: FakeApiServer) -> None:
    """A server that starts refuses for a moment what it does not serve; the problem that was told must end, too."""
    missing, cold = server.refusal(404, "NotFound"), server.refusal(403, "Forbidden", "caches are cold")
    async with watching(server, missing, cold, cold, missing) as watched:
        await watched.until(lambda: watched.changes == 3)
        assert (watched.informer.served, watched.informer.problem) == (False, "")
