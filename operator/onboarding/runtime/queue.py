"""Work queue: a key is worked on once at a time, and again if it was added meanwhile; failures back off."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from onboarding.backoff import Backoff, Uniform, jittered, uniform

_FIRST_RETRY = 0.1
_LAST_RETRY = 60.0


class Requeue(Enum):
    """Whether a key has to be worked on again, and how soon."""

    NO = "no"
    SOON = "soon"
    """After the shortest pause: the work went well and has a next step."""
    BACK_OFF = "back off"
    """After a pause that grows with each failure in a row."""
    FOR_A_PERSON = "for a person"
    """After the same pause; the work has answered the request, and the rest waits for a person."""


_ANSWERED = (Requeue.NO, Requeue.FOR_A_PERSON)
_FAILED = (Requeue.BACK_OFF, Requeue.FOR_A_PERSON)


@dataclass(slots=True)
class _Entry:
    added: float
    """Monotonic time of the oldest request that no finished work has answered; infinite if all are answered."""
    queued: float
    """Monotonic time at which it was queued for the next work."""
    backoff: Backoff = field(repr=False)
    running: bool = False
    again: bool = False
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class WorkQueue:
    """Deduplicated keys, bounded workers, retries with back-off and jitter."""

    def __init__(
        self,
        *,
        workers: int,
        waited: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        uniform: Uniform = uniform,
    ) -> None:
        """Call ``waited`` with the seconds that a key was queued; ``uniform`` makes the jitter."""
        self._workers = workers
        self._waited = waited
        self._clock = clock
        self._uniform = uniform
        self._entries: dict[str, _Entry] = {}
        self._ready: deque[str] = deque()
        self._signal = asyncio.Semaphore(0)
        self._opened = asyncio.Event()
        self._later: dict[str, asyncio.TimerHandle] = {}

    def open(self) -> None:
        """Let the workers begin; until then keys only gather."""
        self._opened.set()

    def add(self, key: str) -> None:
        """Add a key, which ends a back-off."""
        entry = self._entries.get(key)
        if entry is None:
            now, backoff = self._clock(), Backoff(_FIRST_RETRY, _LAST_RETRY, uniform=self._uniform)
            self._entries[key] = entry = _Entry(now, now, backoff)
            self._push(key, entry)
        elif entry.running:
            entry.again = True
        elif entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
            entry.added = min(entry.added, self._clock())
            self._push(key, entry)

    def add_later(self, key: str, seconds: float) -> None:
        """Add a key after some time; of several such requests for one key the last counts."""
        if timer := self._later.pop(key, None):
            timer.cancel()
        self._later[key] = asyncio.get_running_loop().call_later(seconds, self._add_now, key)

    def depth(self) -> int:
        """Return how many keys wait for a worker."""
        return len(self._ready)

    def oldest(self) -> float:
        """Return the age in seconds of the oldest request that no finished work has answered; 0 if there is none."""
        first = min((entry.added for entry in self._entries.values()), default=math.inf)
        return max(0.0, self._clock() - first)

    async def run(self, work: Callable[[str], Awaitable[Requeue]]) -> None:
        """Run the workers until cancelled; each calls ``work`` with a key, which may not raise."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._worker(work), name=f"worker {number}")

    def _add_now(self, key: str) -> None:
        del self._later[key]
        self.add(key)

    def _push(self, key: str, entry: _Entry) -> None:
        entry.queued = self._clock()
        self._ready.append(key)
        self._signal.release()

    async def _worker(self, work: Callable[[str], Awaitable[Requeue]]) -> None:
        await self._opened.wait()
        while True:
            await self._signal.acquire()
            key = self._ready.popleft()
            entry = self._entries[key]
            entry.running = True
            started = self._clock()
            self._waited(started - entry.queued)
            requeue = await work(key)
            self._finish(key, entry, started, requeue)

    def _finish(self, key: str, entry: _Entry, started: float, requeue: Requeue) -> None:
        entry.running = False
        if requeue in _ANSWERED:
            entry.added = started if entry.again else math.inf
        else:
            entry.added = min(entry.added, started)
        if requeue in _FAILED:
            pause = entry.backoff.next()
        else:
            entry.backoff.reset()
            pause = jittered(_FIRST_RETRY, uniform=self._uniform)
        if entry.again:
            entry.again = False
            self._push(key, entry)
        elif requeue is not Requeue.NO:
            entry.timer = asyncio.get_running_loop().call_later(pause, self._due, key, entry)
        else:
            del self._entries[key]

    def _due(self, key: str, entry: _Entry) -> None:
        entry.timer = None
        self._push(key, entry)
