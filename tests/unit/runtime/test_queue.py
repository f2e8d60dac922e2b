"""A key is worked on once at a time, again when it was asked for meanwhile, and later when it failed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from onboarding.runtime import queue as module
from onboarding.runtime.queue import Requeue, WorkQueue


class Worker:
    """Counts what it is asked to do; a key named in ``hold`` waits for its event, one in ``retries`` fails so often."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.running: list[str] = []
        self.twice = False
        self.hold: dict[str, asyncio.Event] = {}
        self.retries: dict[str, int] = {}
        self.kind = Requeue.BACK_OFF

    async def __call__(self, key: str) -> Requeue:
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
        return self.kind if left > 0 else Requeue.NO


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


def middle(low: float, high: float) -> float:
    """Draw no lots: there is no jitter then."""
    return (low + high) / 2


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    """Replace the loop's timers in the queue."""
    timers = Timers()
    monkeypatch.setattr(module.asyncio, "get_running_loop", lambda: timers)
    return timers


@asynccontextmanager
async def running(queue: WorkQueue, worker: Worker) -> AsyncIterator[None]:
    queue.open()
    task = asyncio.create_task(queue.run(worker))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def idle() -> None:
    """Let everything happen that can happen now."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_key_asked_for_twice_is_worked_on_once(worker: Worker) -> None:
    queue = WorkQueue(workers=2)
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert queue.depth() == 2
    async with running(queue, worker):
        await idle()
    assert worker.done == ["a", "b"]
    assert (queue.depth(), queue.oldest()) == (0, 0.0)


async def test_a_key_asked_for_while_it_is_worked_on_is_worked_on_again_once(worker: Worker) -> None:
    queue, worker.hold = WorkQueue(workers=2), {"a": asyncio.Event()}
    async with running(queue, worker):
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
    queue = WorkQueue(workers=3)
    async with running(queue, worker):
        for turn in range(200):
            queue.add("abcde"[turn % 5])
            await asyncio.sleep(0)
        await idle()
    assert not worker.twice
    assert set(worker.done) == set("abcde")


async def test_no_more_keys_are_worked_on_than_there_are_workers(worker: Worker) -> None:
    queue, worker.hold = WorkQueue(workers=3), {key: asyncio.Event() for key in "abcde"}
    async with running(queue, worker):
        for key in "abcde":
            queue.add(key)
        await idle()
        assert worker.running == ["a", "b", "c"]
        assert queue.depth() == 2


async def test_a_slow_key_does_not_hold_up_another(worker: Worker) -> None:
    queue, worker.hold = WorkQueue(workers=2), {"slow": asyncio.Event()}
    async with running(queue, worker):
        for key in ("slow", "quick"):
            queue.add(key)
        await idle()
        assert worker.done == ["quick"]


async def test_nothing_is_worked_on_before_the_queue_is_opened(worker: Worker) -> None:
    queue = WorkQueue(workers=1)
    task = asyncio.create_task(queue.run(worker))
    queue.add("a")
    await idle()
    assert (worker.done, queue.depth()) == ([], 1)
    queue.open()
    await idle()
    assert worker.done == ["a"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_failing_key_is_tried_again_later_and_later_up_to_a_minute(worker: Worker, timers: Timers) -> None:
    queue, worker.retries = WorkQueue(workers=1, uniform=middle), {"a": 14}
    async with running(queue, worker):
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
    queue, worker.retries = WorkQueue(workers=1, uniform=middle), {"a": 8}
    async with running(queue, worker):
        queue.add("a")
        for _ in range(6):
            await idle()
            timers.fire()
        worker.kind = Requeue.SOON
        for _ in range(2):
            await idle()
            timers.fire()
        await idle()
    assert timers.delays[4:] == [pytest.approx(delay) for delay in (1.6, 3.2, 0.1, 0.1)]
    assert queue.oldest() == 0.0


async def test_success_begins_the_waits_anew(worker: Worker, timers: Timers) -> None:
    queue = WorkQueue(workers=1, uniform=middle)
    async with running(queue, worker):
        for _ in range(2):
            worker.retries = {"a": 1}
            for step in (lambda: queue.add("a"), timers.fire):
                step()
                await idle()
    assert timers.delays == [pytest.approx(0.1)] * 2


async def test_a_request_ends_the_wait_and_its_timer(worker: Worker, timers: Timers) -> None:
    queue, worker.retries = WorkQueue(workers=1, uniform=middle), {"a": 1}
    async with running(queue, worker):
        queue.add("a")
        await idle()
        queue.add("a")
        await idle()
        assert worker.done == ["a", "a"]
        timers.fire()
        await idle()
    assert worker.done == ["a", "a"]


async def test_waits_are_spread(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    timers = Timers()
    monkeypatch.setattr(module.asyncio, "get_running_loop", lambda: timers)
    worker.retries = dict.fromkeys(map(str, range(20)), 1)
    queue = WorkQueue(workers=1)
    async with running(queue, worker):
        for key in worker.retries:
            queue.add(key)
        while len(worker.done) < 20:
            await idle()
    assert len(set(timers.delays)) > 1
    assert all(0.08 <= delay <= 0.12 for delay in timers.delays)


async def test_the_oldest_request_is_the_one_that_no_finished_pass_has_answered(worker: Worker) -> None:
    now, waits = [100.0], []
    queue = WorkQueue(workers=1, waited=waits.append, clock=lambda: now[0])
    queue.add("a")
    now[0] = 105.0
    queue.add("a")
    queue.add("b")
    assert queue.oldest() == 5.0
    async with running(queue, worker):
        await idle()
    assert waits == [5.0, 0.0]
    assert queue.oldest() == 0.0


@pytest.mark.parametrize(("retry", "age"), [(Requeue.BACK_OFF, 10.0), (Requeue.SOON, 10.0), (Requeue.NO, 7.0)])
async def test_a_request_grows_older_until_a_pass_answers_it(worker: Worker, retry: Requeue, age: float) -> None:
    """What was asked before a pass that failed is not answered by it, even if a later request follows at once."""
    now, first = [100.0], asyncio.Event()
    queue = WorkQueue(workers=1, clock=lambda: now[0])
    worker.kind, worker.retries, worker.hold = retry, {"a": 1}, {"a": first}
    queue.add("a")
    now[0] = 103.0
    async with running(queue, worker):
        await idle()
        now[0] = 105.0
        queue.add("a")
        worker.hold = {"a": asyncio.Event()}
        first.set()
        await idle()
        now[0] = 110.0
        assert (worker.done, worker.running) == (["a"], ["a"])
        assert queue.oldest() == age


async def test_each_attempt_waits_from_its_own_queueing(worker: Worker, timers: Timers) -> None:
    """A back-off is no wait for a worker: more workers would not shorten it."""
    now, waits = [100.0], list[float]()
    queue = WorkQueue(workers=1, waited=waits.append, clock=lambda: now[0])
    worker.retries = {"a": 2}
    async with running(queue, worker):
        for again in (queue.add, lambda _: timers.fire(), queue.add):
            again("a")
            await idle()
            now[0] += 60.0
    assert (waits, worker.done) == ([0.0] * 3, ["a"] * 3)


async def test_a_request_that_waits_for_a_person_does_not_grow_older(worker: Worker, timers: Timers) -> None:
    queue, now = WorkQueue(workers=1, clock=lambda: now[0], uniform=middle), [100.0]
    worker.kind, worker.retries = Requeue.FOR_A_PERSON, {"a": 9}
    async with running(queue, worker):
        queue.add("a")
        await idle()
        now[0] = 200.0
        timers.fire()
        await idle()
        assert (queue.oldest(), timers.delays) == (0.0, [pytest.approx(0.1), pytest.approx(0.2)])
        worker.kind, now[0] = Requeue.BACK_OFF, 300.0
        queue.add("a")
        await idle()
        now[0] = 310.0
        assert queue.oldest() == 10.0, "a failure after that ages from its own time"
