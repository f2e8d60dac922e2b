"""The platform is told of what has no project, once it is sure and once for each change."""

import asyncio
from collections.abc import Iterable

import pytest

from onboarding.reconcile.observed.ports import Event
from onboarding.runtime.orphans import OrphanReporter


class Told:
    """Counts to come, and the Events that were posted."""

    def __init__(self) -> None:
        self.orphans: dict[str, dict[str, int]] = {}
        self.events: list[Event] = []
        self.policy = True
        self.reporter = OrphanReporter(lambda: self.orphans, self.post)

    async def post(self, events: Iterable[Event]) -> bool:
        """Keep Events if there is a policy."""
        if self.policy:
            self.events += events
        return self.policy

    async def sees(self, *looks: dict[str, dict[str, int]]) -> list[Event]:
        """Look at each of these counts, and return the Events since the last call."""
        self.events = []
        for orphans in looks:
            self.orphans = orphans
            await self.reporter.look()
        return self.events


@pytest.fixture
def told() -> Told:
    return Told()


ONE = {"hub": {"ghost": 7}, "far": {"ghost": 5}}


async def test_what_stays_is_told_once(told: Told) -> None:
    (event,) = await told.sees(ONE, ONE, ONE)
    assert (event.reason, event.warning) == ("Orphaned", True)
    assert "left of project ghost, which does not exist: 5 on far, 7 on hub." in event.note
    assert "verb bypass on guardrails.projectonboarding.io" in event.note
    assert len(event.note) <= 1024


async def test_what_goes_at_once_is_not_told(told: Told) -> None:
    """A project goes before the last deletions have been heard."""
    assert await told.sees(ONE, {"hub": {"ghost": 3}, "far": {}}, {"hub": {}, "far": {}}) == []


async def test_more_is_told_again_and_less_is_not(told: Told) -> None:
    less, more, elsewhere = {"hub": {"ghost": 2}}, {"hub": {"ghost": 8}}, {"hub": {"ghost": 8}, "far": {"ghost": 1}}
    assert len(await told.sees({"hub": {"ghost": 7}}, {"hub": {"ghost": 7}})) == 1
    assert await told.sees(less, less) == []
    assert len(await told.sees(more, more, more)) == 1
    assert len(await told.sees(elsewhere, elsewhere)) == 1


async def test_what_comes_back_is_told_again(told: Told) -> None:
    assert len(await told.sees(ONE, ONE, {}, ONE, ONE)) == 2


async def test_after_a_start_it_is_told_again() -> None:
    for told in (Told(), Told()):
        assert len(await told.sees(ONE, ONE)) == 1


async def test_it_is_told_as_soon_as_there_is_a_policy(told: Told) -> None:
    told.policy = False
    assert await told.sees(ONE, ONE) == []
    told.policy = True
    assert len(await told.sees(ONE, ONE)) == 1


async def test_a_flood_is_told_bit_by_bit(told: Told) -> None:
    many = {"hub": {f"ghost-{number:02}": 1 for number in range(45)}}
    counts = [len(await told.sees(many)) for _ in range(5)]
    assert counts == [0, 20, 20, 5, 0]


async def test_a_count_that_fails_does_not_end_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator ends with each of its tasks, and this one only tells."""
    monkeypatch.setattr("onboarding.runtime.orphans.PERIOD", 0.0)
    counted, again = [], asyncio.Event()

    def count() -> dict[str, dict[str, int]]:
        counted.append(1)
        if len(counted) == 1:
            raise RuntimeError("a bug")
        again.set()
        return {}

    async def post(_events: object) -> bool:
        return True

    task = asyncio.create_task(OrphanReporter(count, post).run())
    try:
        await asyncio.wait([task, asyncio.create_task(again.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert again.is_set()
    finally:
        task.cancel()
