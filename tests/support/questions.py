"""A probe runner whose questions are answered as a test says, in the test's own time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from onboarding.adapters.probes.runner import ProbeRunner
from onboarding.api.probes import Probes
from onboarding.checks.probe import DnsFacts, DnsRequest, EndpointRequest, Request

HALF_HOUR = 1800.0
START = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = DnsRequest("one.example.org"), DnsRequest("two.example.org")


@dataclass(eq=False)
class Timer:
    """A timer of the test's own clock."""

    when: datetime
    call: Callable[[], None]
    clock: "Clock"

    def cancel(self) -> None:
        """Call it off; without effect where it has fired, as in asyncio."""
        if self in self.clock.timers:
            self.clock.timers.remove(self)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.time = START
        self.timers: list[Timer] = []
        self.delays: list[float] = []

    def now(self) -> datetime:
        return self.time

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(self.time + timedelta(seconds=seconds), call, self)
        self.timers.append(timer)
        self.delays.append(seconds)
        return timer


class ProbeStage:
    """A runner whose questions are answered as a test says."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.changed: list[str] = []
        self.metrics: list[tuple[str, str]] = []
        self.asked: list[Request[Any]] = []
        self.answers: dict[Request[Any], Any] = {}
        self.running = self.most = 0
        self.hold: asyncio.Event | None = None
        self.runner = ProbeRunner(
            self.changed.append,
            asked=lambda kind, outcome, _seconds: self.metrics.append((kind, outcome)),
            now=self.clock.now,
            later=self.clock.later,
        )

    async def ask(self, request: Request[Any]) -> Any:
        self.asked.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.running -= 1
        answer = self.answers.get(request, DnsFacts(("192.0.2.1",)))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def asks(self) -> Mapping[type[Request[Any]], Callable[[Any], Any]]:
        return {DnsRequest: self.ask, EndpointRequest: self.ask}

    def configure(self, **settings: int) -> None:
        self.runner.configure(Probes(**settings), self.asks())

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, firing each timer at its moment."""
        end = self.clock.time + timedelta(seconds=seconds)
        while due := [timer for timer in self.clock.timers if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.clock.time = max(self.clock.time, timer.when)
            self.clock.timers.remove(timer)
            timer.call()
            await self.settle()
        self.clock.time = end

    def drain(self) -> list[Request[Any]]:
        """Return what was asked since the last time."""
        asked, self.asked = self.asked, []
        return asked
