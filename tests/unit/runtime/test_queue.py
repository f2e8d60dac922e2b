"""A key is worked on once at a time, again when it was asked for meanwhile, and later when it failed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from onboarding.reconcile.reconciler import Retry
from onboarding.runtime import queue as module
from onboarding.runtime.queue import WorkQueue


class Worker:
    """Counts what it is asked to do; a key named in ``hold`` waits for its event, one in ``retries`` fails so often."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.running: list[str] = []
        self.twice = False
        self.hold: dict[str, asyncio.Event] = {}
        self.retries: dict[str, int] = {}
        self.kind = Retry.LATER

    async def __call__(self, key: str) -> Retry:
        self.twice |= key in self.running
        self.running.append(key)
        if key in self.hold:
            await self.hold[key].wait()
        else:
            await asyncio.sleep(0)
        self.running.remove(key)
        self.done.append(key)
        left = self.retries.get(key, 0)
        self.retries[key] = left - 1
        return self.kind if left > 0 else Retry.NO


class Timers:
    """Stands for the loop's clock: keeps what shall happen later, with its delay."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._due: list[tuple[Callable[..., None], tuple[Any, ...], Timers.Handle]] = []

    class Handle:
        """A timer that may be cancelled."""

        def __init__(self) -> None:
            self.cancelled = False

        def cancel(self) -> None:
            self.cancelled = True

    def call_later(self, delay: float, callback: Callable[..., None], *arguments: Any) -> Handle:
        handle = Timers.Handle()
        self.delays.append(delay)
        self._due.append((callback, arguments, handle))
        return handle

    def fire(self) -> None:
        """Let the time of all timers come."""
        due, self._due = self._due, []
        for callback, arguments, handle in due:
            if not handle.cancelled:
                callback(*arguments)


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    """Replace the loop's timers in the queue, and its jitter by nothing."""
    timers = Timers()
    monkeypatch.setattr(module.random, "uniform", lambda low, high: (low + high) / 2)
    monkeypatch.setattr(module.asyncio, "get_running_loop", lambda: timers)
    return timers


@asynccontextmanager
async def running(queue: WorkQueue) -> AsyncIterator[None]:
    queue.open()
    task = asyncio.create_task(queue.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def idle() -> None:
    """Let everything happen that can happen now."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_key_asked_for_twice_is_worked_on_once(worker: Worker) -> None:
    queue = WorkQueue(worker, workers=2)
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert queue.depth() == 2
    async with running(queue):
        await idle()
    assert worker.done == ["a", "b"]
    assert (queue.depth(), queue.oldest()) == (0, 0.0)


async def test_a_key_asked_for_while_it_is_worked_on_is_worked_on_again_once(worker: Worker) -> None:
    queue, worker.hold = WorkQueue(worker, workers=2), {"a": asyncio.Event()}
    async with running(queue):
        queue.add("a")
        await idle()
        queue.add("a")
        queue.add("a")
        await idle()
        assert worker.running == ["a"]
        worker.hold["a"].set()
        await idle()
    assert worker.done == ["a", "a"]


async def test_a_key_is_never_in_two_workers(worker: Worker) -> None:
    queue = WorkQueue(worker, workers=3)
    async with running(queue):
        for turn in range(200):
            queue.add("abcde"[turn % 5])
            await asyncio.sleep(0)
        await idle()
    assert not worker.twice
    assert set(worker.done) == set("abcde")


async def test_no_more_keys_are_worked_on_than_there_are_workers(worker: Worker) -> None:
    queue, worker.hold = WorkQueue(worker, workers=3), {key: asyncio.Event() for key in "abcde"}
    async with running(queue):
        for key in "abcde":
            queue.add(key)
        await idle()
        assert worker.running == ["a", "b", "c"]
        assert queue.depth() == 2


async def test_a_slow_key_does_not_hold_up_another(worker: Worker) -> None:
    queue, worker.hold = WorkQueue(worker, workers=2), {"slow": asyncio.Event()}
    async with running(queue):
        queue.add("slow")
        queue.add("quick")
        await idle()
        assert worker.done == ["quick"]


async def test_nothing_is_worked_on_before_the_queue_is_opened(worker: Worker) -> None:
    queue = WorkQueue(worker, workers=1)
    task = asyncio.create_task(queue.run())
    queue.add("a")
    await idle()
    assert (worker.done, queue.depth()) == ([], 1)
    queue.open()
    await idle()
    assert worker.done == ["a"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_failing_key_is_tried_again_later_and_later_up_to_a_minute(worker: Worker, timers: Timers) -> None:
    queue, worker.retries = WorkQueue(worker, workers=1), {"a": 14}
    async with running(queue):
        queue.add("a")
        for _ in range(14):
            await idle()
            timers.fire()
        await idle()
    assert len(worker.done) == 15
    assert timers.delays[:4] == [pytest.approx(delay) for delay in (0.1, 0.2, 0.4, 0.8)]
    assert timers.delays == sorted(timers.delays)
    assert max(timers.delays) == pytest.approx(60)
    assert queue.oldest() == 0.0


async def test_a_next_step_follows_soon_however_often_it_failed_before(worker: Worker, timers: Timers) -> None:
    queue, worker.retries = WorkQueue(worker, workers=1), {"a": 8}
    async with running(queue):
        queue.add("a")
        for _ in range(6):
            await idle()
            timers.fire()
        worker.kind = Retry.SOON
        for _ in range(2):
            await idle()
            timers.fire()
        await idle()
    assert timers.delays[4:] == [pytest.approx(delay) for delay in (1.6, 3.2, 0.1, 0.1)]
    assert queue.oldest() == 0.0


async def test_success_begins_the_waits_anew(worker: Worker, timers: Timers) -> None:
    queue = WorkQueue(worker, workers=1)
    async with running(queue):
        for _ in range(2):
            worker.retries = {"a": 1}
            queue.add("a")
            await idle()
            timers.fire()
            await idle()
    assert timers.delays == [pytest.approx(0.1)] * 2


async def test_a_request_ends_the_wait_and_its_timer(worker: Worker, timers: Timers) -> None:
    queue, worker.retries = WorkQueue(worker, workers=1), {"a": 1}
    async with running(queue):
        queue.add("a")
        await idle()
        queue.add("a")
        await idle()
        assert worker.done == ["a", "a"]
        timers.fire()
        await idle()
    assert worker.done == ["a", "a"]


async def test_waits_are_spread() -> None:
    delays = set()
    for _ in range(20):
        worker = Worker()
        worker.retries = {"a": 1}
        queue = WorkQueue(worker, workers=1)
        async with running(queue):
            queue.add("a")
            await idle()
            entry = queue._entries["a"]
            assert entry.timer is not None
            delays.add(round(entry.timer.when() - asyncio.get_running_loop().time(), 4))
            entry.timer.cancel()
    assert len(delays) > 1
    assert all(0.05 < delay < 0.13 for delay in delays)


async def test_the_oldest_request_is_the_one_that_no_finished_pass_has_answered(worker: Worker) -> None:
    now, waits = [100.0], []
    queue = WorkQueue(worker, workers=1, waited=waits.append, clock=lambda: now[0])
    queue.add("a")
    now[0] = 105.0
    queue.add("a")
    queue.add("b")
    assert queue.oldest() == 5.0
    async with running(queue):
        await idle()
    assert waits == [5.0, 0.0]
    assert queue.oldest() == 0.0


@pytest.mark.parametrize(("retry", "age"), [(Retry.LATER, 10.0), (Retry.SOON, 10.0), (Retry.NO, 7.0)])
async def test_a_request_grows_older_until_a_pass_answers_it(worker: Worker, retry: Retry, age: float) -> None:
    """What was asked before a pass that failed is not answered by it, even if a later request follows at once."""
    now, first = [100.0], asyncio.Event()
    queue = WorkQueue(worker, workers=1, clock=lambda: now[0])
    worker.kind, worker.retries, worker.hold = retry, {"a": 1}, {"a": first}
    queue.add("a")
    now[0] = 103.0
    async with running(queue):
        await idle()
        now[0] = 105.0
        queue.add("a")
        worker.hold = {"a": asyncio.Event()}
        first.set()
        await idle()
        now[0] = 110.0
        assert (worker.done, worker.running) == (["a"], ["a"])
        assert queue.oldest() == age
