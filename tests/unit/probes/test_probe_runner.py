"""The runner asks what projects want to know: once for all of them, spread, bounded, and again in time."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from onboarding.adapters.probes.asks import burdened
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.adapters.probes.runner import ProbeRunner
from onboarding.api.probes import Probes
from onboarding.checks import probe
from onboarding.checks.probe import Answer, DnsFacts, DnsRequest, EndpointRequest, Request

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


class World:
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


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    made.configure()
    yield made
    await made.runner.close()


async def test_an_urgent_request_is_asked_at_once(world: World) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    assert world.runner.get(ONE) is None
    await world.settle()
    assert world.runner.get(ONE) == Answer(DnsFacts(("192.0.2.1",)), "", START)
    assert world.changed == ["a"]
    assert world.metrics == [("Dns", "answered")]


async def test_requests_that_are_not_urgent_are_spread_over_the_time_an_answer_is_fresh(world: World) -> None:
    requests = [DnsRequest(f"h{number}.example.org") for number in range(400)]
    world.runner.follow("a", requests, urgent=False)
    await world.settle()
    assert world.asked == []
    counts = []
    for _ in range(10):
        await world.pass_time(HALF_HOUR / 10)
        counts.append(len(world.drain()))
    assert sum(counts) >= 400
    assert min(counts) > 15
    assert max(counts) < 75


async def test_a_request_that_waits_for_its_turn_is_asked_when_it_becomes_urgent(world: World) -> None:
    world.runner.follow("a", [ONE, TWO], urgent=False)
    world.runner.follow("b", [ONE], urgent=True)
    await world.settle()
    assert world.asked == [ONE]
    world.runner.follow("b", [ONE], urgent=True)
    await world.settle()
    assert world.asked == [ONE]
    assert len(world.clock.timers) == 2


async def test_two_projects_share_one_answer(world: World) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    world.runner.follow("b", [DnsRequest("one.example.org")], urgent=True)
    await world.settle()
    assert world.asked == [ONE]
    assert sorted(world.changed) == ["a", "b"]


async def test_an_answer_is_renewed_when_its_time_is_over_with_jitter(world: World) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.drain()
    world.clock.delays.clear()
    for _ in range(50):
        await world.pass_time(HALF_HOUR * 1.1)
        assert ONE in world.drain()
    assert HALF_HOUR * 0.9 <= min(world.clock.delays) < HALF_HOUR * 0.95
    assert HALF_HOUR * 1.05 < max(world.clock.delays) <= HALF_HOUR * 1.1


async def test_only_a_change_is_told(world: World) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.changed.clear()
    await world.pass_time(HALF_HOUR * 1.1)
    answer = world.runner.get(ONE)
    assert answer is not None
    assert answer.at > START
    assert world.changed == []
    world.answers[ONE] = DnsFacts(())
    await world.pass_time(HALF_HOUR * 1.1)
    assert world.changed == ["a"]


async def test_a_problem_is_tried_again_later_and_later(world: World) -> None:
    world.answers[ONE] = ProbeProblem("it takes no connection")
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    assert world.runner.get(ONE) == Answer(None, "it takes no connection", START)
    await world.pass_time(12 * HALF_HOUR)
    pauses = world.clock.delays[1:]
    for pause, plain in zip(pauses, [5 * 2**number for number in range(9)], strict=False):
        assert 0.8 * plain <= pause <= 1.2 * plain
    assert all(0.8 * HALF_HOUR <= pause <= 1.2 * HALF_HOUR for pause in pauses[9:])
    assert len(pauses) > 12
    assert world.changed == ["a"]
    assert set(world.metrics) == {("Dns", "problem")}


async def test_a_request_that_waits_after_a_problem_is_not_asked_for_being_urgent(world: World) -> None:
    world.answers[ONE] = ProbeProblem("no")
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.runner.follow("a", [ONE], urgent=True)
    world.runner.follow("b", [ONE], urgent=True)
    await world.settle()
    assert world.asked == [ONE]


async def test_an_answer_ends_a_problem(world: World) -> None:
    world.answers[ONE] = ProbeProblem("no")
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.answers[ONE] = DnsFacts(())
    await world.pass_time(6)
    answer = world.runner.get(ONE)
    assert answer is not None
    assert (answer.facts, answer.problem) == (DnsFacts(()), "")
    assert world.changed == ["a", "a"]
    assert world.clock.delays[-1] >= HALF_HOUR * 0.9


async def test_an_answer_outlives_problems_until_its_maximum_age(world: World) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.answers[ONE] = ProbeProblem("it takes no connection")
    world.changed.clear()
    await world.pass_time(24 * 3600 - 1)
    assert world.runner.get(ONE) == Answer(DnsFacts(("192.0.2.1",)), "", START)
    assert world.changed == []
    await world.pass_time(2)
    answer = world.runner.get(ONE)
    assert answer is not None
    assert (answer.facts, answer.problem) == (None, "it takes no connection")
    assert world.changed == ["a"]


async def test_an_answer_is_never_fresh_for_longer_than_its_maximum_age(world: World) -> None:
    world.configure(minutes=1440, maximum_age_hours=1)
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    assert 3600 * 0.9 <= world.clock.delays[-1] <= 3600 * 1.1


async def test_what_nobody_asks_any_more_is_dropped(world: World) -> None:
    world.runner.follow("a", [ONE, TWO], urgent=True)
    world.runner.follow("b", [TWO], urgent=True)
    await world.settle()
    world.runner.follow("a", [TWO], urgent=False)
    assert world.runner.get(ONE) is None
    assert world.runner.get(TWO) is not None
    world.runner.forget("a")
    assert world.runner.get(TWO) is not None
    world.runner.follow("b", [], urgent=True)
    assert world.runner.get(TWO) is None
    assert world.clock.timers == []
    world.runner.forget("never seen")


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped(world: World) -> None:
    world.hold = asyncio.Event()
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.runner.forget("a")
    world.hold.set()
    await world.settle()
    assert world.runner.get(ONE) is None
    assert world.changed == []
    assert world.clock.timers == []


async def test_sixteen_are_asked_at_once_and_no_more(world: World) -> None:
    world.hold = asyncio.Event()
    requests = [DnsRequest(f"h{number}.example.org") for number in range(50)]
    world.runner.follow("a", requests, urgent=True)
    await world.settle()
    assert world.running == 16
    world.hold.set()
    await world.settle()
    assert world.most == 16
    assert set(world.asked) == set(requests)


async def test_a_slow_host_does_not_hold_up_the_others(world: World) -> None:
    world.hold = asyncio.Event()
    slow = [EndpointRequest(f"https://slow.example.org/{number}") for number in range(40)]
    world.runner.follow("a", slow, urgent=True)
    world.runner.follow("b", [ONE], urgent=True)
    await world.settle()
    assert len(world.asked) == 3
    assert ONE in world.asked
    world.runner.follow("a", slow[20:], urgent=False)
    world.hold.set()
    await world.settle()
    assert set(slow[20:]) <= set(world.asked)
    assert len(world.asked) == 23
    assert world.most == 3


async def test_a_fault_of_one_probe_is_logged_in_full_and_stops_no_other(world: World) -> None:
    world.answers[ONE] = ZeroDivisionError("a detail")
    with structlog.testing.capture_logs() as logs:
        world.runner.follow("a", [ONE, TWO, probe.GroupRequest("nobody asks this kind")], urgent=True)
        await world.settle()
    answer = world.runner.get(ONE)
    assert answer is not None
    assert answer.facts is None
    assert answer.problem.startswith("internal error")
    assert "detail" not in answer.problem
    assert world.runner.get(TWO) is not None
    assert [(line["kind"], line["exc_info"]) for line in logs] == [("DnsRequest", True), ("GroupRequest", True)]
    assert ("Dns", "error") in world.metrics
    assert ("Group", "error") in world.metrics


async def test_a_probe_that_never_ends_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onboarding.adapters.probes.runner._PATIENCE", 0.0)
    world.hold = asyncio.Event()
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    answer = world.runner.get(ONE)
    assert answer is not None
    assert "could not be found out within" in answer.problem


async def test_nothing_is_asked_without_a_configuration(world: World) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.runner.configure(None, {})
    world.runner.follow("a", [ONE, TWO], urgent=True)
    await world.pass_time(3 * HALF_HOUR)
    assert world.asked == [ONE]
    assert world.runner.get(ONE) is not None
    world.configure()
    await world.settle()
    assert sorted(world.asked, key=str) == [ONE, ONE, TWO]


async def test_a_new_configuration_tries_problems_again_at_once(world: World) -> None:
    world.answers[ONE] = ProbeProblem("its address is private")
    world.runner.follow("a", [ONE, TWO], urgent=True)
    await world.settle()
    world.drain()
    world.answers[ONE] = DnsFacts(())
    world.configure(minutes=60)
    await world.settle()
    assert world.drain() == [ONE]
    assert world.runner.get(ONE) == Answer(DnsFacts(()), "", START)


async def test_a_shorter_time_applies_to_what_is_known_already(world: World) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.drain()
    world.configure(minutes=1)
    await world.pass_time(60)
    assert ONE in world.drain()


async def test_the_end_is_clean(world: World) -> None:
    world.hold = asyncio.Event()
    world.runner.follow("a", [ONE, TWO], urgent=True)
    world.runner.follow("b", [DnsRequest("later.example.org")], urgent=False)
    await world.settle()
    await world.runner.close()
    assert world.running == 0
    assert world.clock.timers == []
    assert world.changed == []


async def test_the_event_loop_keeps_time_by_default() -> None:
    random.seed(1)
    done = asyncio.Event()

    async def ask(_request: DnsRequest) -> DnsFacts:
        return DnsFacts(())

    runner = ProbeRunner(lambda _project: done.set())
    runner.configure(Probes(), {DnsRequest: ask})
    runner.follow("a", [ONE], urgent=True)
    await done.wait()
    answer = runner.get(ONE)
    assert answer is not None
    assert answer.at.tzinfo is UTC
    await runner.close()


@pytest.mark.parametrize(
    ("request_", "burdens"),
    [
        (probe.RepositoryRequest("https://git.example.org:8443/a/b", "main", "."), "git.example.org:8443"),
        (EndpointRequest("https://www.example.org/health"), "www.example.org"),
        (probe.CertificateRequest("www.example.org", 8443), "www.example.org"),
        (ONE, "one.example.org"),
        (probe.ImageRequest("nginx"), "registry-1.docker.io"),
        (probe.ImageRequest("@"), ""),
        (probe.WorkloadsRequest("hub", "app-dev"), "cluster hub"),
        (probe.GroupRequest("team"), "GroupRequest"),
    ],
)
def test_a_request_burdens_a_host(request_: Request[Any], burdens: str) -> None:
    assert burdened(request_) == burdens


async def test_a_request_that_waits_costs_no_task(world: World) -> None:
    before = asyncio.all_tasks()
    world.runner.follow("a", [DnsRequest(f"h{number}.example.org") for number in range(100)], urgent=False)
    assert asyncio.all_tasks() == before
    assert len(world.clock.timers) == 100
