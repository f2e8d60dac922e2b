"""A keyed work queue: a key is worked on once at a time, and again when it was asked for meanwhile."""

import asyncio
import heapq
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from onboarding.reconcile.reconciler import Retry

_FIRST_RETRY = 0.1
_LAST_RETRY = 60.0


@dataclass(slots=True)
class _Entry:
    asked: float
    """Monotonic time at which the oldest unanswered request came."""
    running: bool = False
    again: bool = False
    failures: int = 0
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class WorkQueue:
    """Deduplicated keys, bounded workers, retries with back-off and jitter."""

    def __init__(
        self,
        work: Callable[[str], Awaitable[Retry]],
        *,
        workers: int,
        waited: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call ``work(key)``; it returns whether it has to be called again. Tell ``waited`` the seconds queued."""
        self._work = work
        self._workers = workers
        self._waited = waited
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._ready: deque[str] = deque()
        self._signal = asyncio.Semaphore(0)
        self._opened = asyncio.Event()
        self._later: dict[str, asyncio.TimerHandle] = {}

    def open(self) -> None:
        """Let the workers begin; until then keys only gather."""
        self._opened.set()

    def add(self, key: str) -> None:
        """Ask for a key, now."""
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _Entry(self._clock())
            self._push(key)
        elif entry.running:
            entry.again = True
        elif entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
            self._push(key)

    def add_later(self, key: str, seconds: float) -> None:
        """Ask for a key after some time; of several such requests for a key the last one counts."""
        if timer := self._later.pop(key, None):
            timer.cancel()
        self._later[key] = asyncio.get_running_loop().call_later(seconds, self._add_now, key)

    def depth(self) -> int:
        """Return how many keys wait for a worker."""
        return len(self._ready)

    def oldest(self) -> float:
        """Return the seconds since the oldest request that no finished pass has answered; 0 where there is none."""
        first = heapq.nsmallest(1, (entry.asked for entry in self._entries.values()))
        return self._clock() - first[0] if first else 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._worker(), name=f"worker {number}")

    def _add_now(self, key: str) -> None:
        del self._later[key]
        self.add(key)

    def _push(self, key: str) -> None:
        self._ready.append(key)
        self._signal.release()

    async def _worker(self) -> None:
        await self._opened.wait()
        while True:
            await self._signal.acquire()
            key = self._ready.popleft()
            entry = self._entries[key]
            entry.running = True
            started = self._clock()
            self._waited(started - entry.asked)
            retry = await self._work(key)
            self._finish(key, entry, started, retry)

    def _finish(self, key: str, entry: _Entry, started: float, retry: Retry) -> None:
        entry.running = False
        entry.failures = entry.failures + 1 if retry is Retry.LATER else 0
        if entry.again:
            entry.again = False
            entry.asked = started if retry is Retry.NO else entry.asked
            self._push(key)
        elif retry is not Retry.NO:
            delay = min(_FIRST_RETRY * 2 ** max(0, entry.failures - 1), _LAST_RETRY)
            jittered = delay * random.uniform(0.8, 1.2)  # noqa: S311 - not for security
            entry.timer = asyncio.get_running_loop().call_later(jittered, self._due, key, entry)
        else:
            del self._entries[key]

    def _due(self, key: str, entry: _Entry) -> None:
        entry.timer = None
        self._push(key)
