"""Asks what the checks of all projects want to know, beside the passes: spread, bounded, and remembered."""

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog

from onboarding.adapters.probes.late import Ask, burdened
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Probes
from onboarding.backoff import Backoff, jittered, uniform
from onboarding.checks.probe import Answer, Request

_AT_ONCE = 16
_PER_LANE = 2
_TIMEOUT = 60.0
"""Seconds for one request, however many questions it takes."""
_FIRST_RETRY = 5.0

Facts = TypeVar("Facts")
AnyRequest = Request[Any]

log = structlog.get_logger(__name__)


class Timer(Protocol):
    """What can be called off."""

    def cancel(self) -> None:
        """Call it off."""


@dataclass(slots=True, eq=False)
class _Entry:
    request: AnyRequest
    followers: set[str] = field(default_factory=set)
    answer: Answer[Any] | None = None
    backoff: Backoff = field(default_factory=lambda: Backoff(_FIRST_RETRY, _FIRST_RETRY))
    timer: Timer | None = None
    """Set while the request waits for its time."""
    spread: bool = False
    """Whether it waits only so that not everybody asks at once."""


class ProbeRunner:
    """The newest answer to each request that a project's checks make; a request that several make is asked once.

    Nothing is asked while there is no configuration; what is known stays known.
    """

    def __init__(
        self,
        changed: Callable[[str], None],
        *,
        asked: Callable[[str, str, float], None] = lambda _kind, _outcome, _seconds: None,
        lane: Callable[[AnyRequest], str] = burdened,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        later: Callable[[float, Callable[[], None]], Timer] | None = None,
    ) -> None:
        """Tell ``changed`` each project whose answers changed, and ``asked`` the kind, outcome and seconds of each ask.

        Outcomes are ``answered``, ``problem`` and ``error``. Requests of one ``lane`` are asked two at a time.
        ``later(seconds, call)`` sets a timer; the default is the event loop's.
        """
        self._changed = changed
        self._asked = asked
        self._lane = lane
        self._now = now
        self._later = later or (lambda seconds, call: asyncio.get_running_loop().call_later(seconds, call))
        self._asks: Mapping[type[AnyRequest], Ask] | None = None
        self._fresh = self._maximum = timedelta()
        self._follows: dict[str, frozenset[AnyRequest]] = {}
        self._met: set[str] = set()
        self._entries: dict[AnyRequest, _Entry] = {}
        self._ready: deque[_Entry] = deque()
        self._busy: Counter[str] = Counter()
        self._behind: defaultdict[str, deque[_Entry]] = defaultdict(deque)
        """What is ready and waits for its lane."""
        self._running: set[asyncio.Task[None]] = set()
        self._set_times(Probes())

    def get(self, request: Request[Facts]) -> Answer[Facts] | None:
        """Return the newest answer; None where the request was not asked yet."""
        entry = self._entries.get(request)
        return entry.answer if entry else None

    def configure(self, probes: Probes | None, asks: Mapping[type[AnyRequest], Ask]) -> None:
        """Ask with these functions from now on; nothing where ``probes`` is None.

        What could not be found out is asked again at once: the reason may be what has changed.
        """
        self._asks = None if probes is None else asks
        if probes is None:
            return
        shorter = self._set_times(probes)
        for entry in self._entries.values():
            if entry.timer is not None and entry.answer is not None and entry.answer.facts is None:
                entry.backoff.reset()
                self._queue(entry)
            elif entry.timer is not None and shorter:
                self._spread(entry)
        self._pump()

    def follow(self, project: str, requests: Collection[AnyRequest], *, urgent: bool) -> None:
        """Keep answers to what a project's checks ask now, in place of what they asked before.

        Urgent requests are asked at once where they were not asked yet, and so is what a project comes to ask later on.
        What it asks the first time, as after a start, is asked within the time an answer is fresh.
        """
        later_on = project in self._met
        self._met.add(project)
        former, wanted = self._follows.get(project, frozenset()), frozenset(requests)
        if wanted == former and not urgent:
            return
        for request in former - wanted:
            self._leave(project, request)
        for request in requests:
            new = request not in self._entries
            entry = self._entries.setdefault(request, _Entry(request))
            if new:
                self._spread(entry)
            entry.followers.add(project)
            if entry.spread and (urgent or (new and later_on)):
                self._queue(entry)
        if wanted:
            self._follows[project] = wanted
        else:
            self._follows.pop(project, None)
        self._pump()

    def forget(self, project: str) -> None:
        """Drop what a project's checks asked."""
        self.follow(project, (), urgent=False)
        self._met.discard(project)

    async def close(self) -> None:
        """Stop asking, and wait until what is being asked has ended."""
        self._asks = None
        for project in tuple(self._follows):
            self.forget(project)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _set_times(self, probes: Probes) -> bool:
        """Take over how long answers last; return whether they are fresh for a shorter time than before."""
        former = self._fresh
        self._maximum = timedelta(hours=probes.maximum_age_hours)
        self._fresh = min(timedelta(minutes=probes.minutes), self._maximum)
        return self._fresh < former

    def _leave(self, project: str, request: AnyRequest) -> None:
        entry = self._entries[request]
        entry.followers.discard(project)
        if not entry.followers:
            del self._entries[request]
            self._stop_waiting(entry)

    def _spread(self, entry: _Entry) -> None:
        self._wait(entry, uniform(0, self._fresh.total_seconds()))
        entry.spread = True

    def _wait(self, entry: _Entry, seconds: float) -> None:
        self._stop_waiting(entry)
        entry.timer = self._later(seconds, lambda: self._due(entry))

    def _stop_waiting(self, entry: _Entry) -> None:
        entry.spread = False
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None

    def _due(self, entry: _Entry) -> None:
        self._queue(entry)
        self._pump()

    def _queue(self, entry: _Entry) -> None:
        self._stop_waiting(entry)
        self._ready.append(entry)

    def _pump(self) -> None:
        """Begin to ask what is ready, as far as the bounds allow."""
        while self._asks is not None and self._ready and len(self._running) < _AT_ONCE:
            entry = self._ready.popleft()
            if not entry.followers:
                continue
            lane = self._lane(entry.request)
            if self._busy[lane] >= _PER_LANE:
                self._behind[lane].append(entry)
                continue
            self._busy[lane] += 1
            task = asyncio.create_task(self._ask(entry, self._asks), name=f"probe {lane}")
            self._running.add(task)
            task.add_done_callback(partial(self._ended, lane))

    def _ended(self, lane: str, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._busy[lane] -= 1
        if not self._busy[lane]:
            del self._busy[lane]
        behind = self._behind.pop(lane, None)
        if behind is not None:
            # All of them: some may not be wanted any more, and the rest waits again.
            self._ready.extend(behind)
        self._pump()

    async def _ask(self, entry: _Entry, asks: Mapping[type[AnyRequest], Ask]) -> None:
        started = time.monotonic()
        facts, problem, outcome = None, "", "answered"
        try:
            async with asyncio.timeout(_TIMEOUT):
                facts = await asks[type(entry.request)](entry.request)
        except ProbeProblem as error:
            problem, outcome = str(error), "problem"
        except TimeoutError:
            problem, outcome = f"it could not be found out within {_TIMEOUT:.0f} seconds", "problem"
        except Exception:
            log.exception("probe panicked", kind=type(entry.request).__name__)
            problem, outcome = "internal error: the operator's log has it in full", "error"
        self._asked(type(entry.request).__name__.removesuffix("Request"), outcome, time.monotonic() - started)
        if entry.followers:
            self._take(entry, Answer(facts, problem, self._now()))

    def _take(self, entry: _Entry, new: Answer[Any]) -> None:
        """Remember an answer, tell who follows it, and wait for the next time."""
        former = entry.answer
        if not new.problem or former is None or self._age(former) >= self._maximum or former.facts is None:
            entry.answer = new
        self._wait(entry, self._pause(entry, failed=bool(new.problem)))
        if former is None or entry.answer is None or _content(former) != _content(entry.answer):
            for project in tuple(entry.followers):
                self._changed(project)

    def _pause(self, entry: _Entry, *, failed: bool) -> float:
        """Return the seconds until a request is asked again."""
        fresh = self._fresh.total_seconds()
        if not failed and not entry.request.soon:
            entry.backoff.reset()
            return jittered(fresh, 0.1)
        entry.backoff.last = fresh
        pause = entry.backoff.next()
        if entry.answer is not None and entry.answer.facts is not None:
            # Tried once more when the former answer ends to count, so that it does not outlive its time.
            pause = min(pause, (self._maximum - self._age(entry.answer)).total_seconds())
        return pause

    def _age(self, answer: Answer[Any]) -> timedelta:
        return self._now() - answer.at


def _content(answer: Answer[Any]) -> tuple[Any, str]:
    return answer.facts, answer.problem
