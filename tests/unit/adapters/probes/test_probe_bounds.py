"""The runner forgets what nobody asks, keeps its bounds, and stands faults and changes of the policy."""

import asyncio
import random
from datetime import UTC
from typing import Any

import pytest
import structlog

from onboarding.adapters.probes.late import burdened
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.adapters.probes.runner import ProbeRunner
from onboarding.api.probes import Probes
from onboarding.checks import probe
from onboarding.checks.probe import Answer, DnsFacts, DnsRequest, EndpointRequest, Request
from tests.support.questions import HALF_HOUR, ONE, START, TWO, Snapshot


async def test_what_nobody_asks_any_more_is_dropped(world: Snapshot) -> None:
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


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped(world: Snapshot) -> None:
    world.hold = asyncio.Event()
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.runner.forget("a")
    world.hold.set()
    await world.settle()
    assert world.runner.get(ONE) is None
    assert world.changed == []
    assert world.clock.timers == []


async def test_sixteen_are_asked_at_once_and_no_more(world: Snapshot) -> None:
    world.hold = asyncio.Event()
    requests = [DnsRequest(f"h{number}.example.org") for number in range(50)]
    world.runner.follow("a", requests, urgent=True)
    await world.settle()
    assert world.running == 16
    world.hold.set()
    await world.settle()
    assert world.most == 16
    assert set(world.asked) == set(requests)


async def test_a_slow_host_does_not_hold_up_the_others(world: Snapshot) -> None:
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


async def test_a_fault_of_one_probe_is_logged_in_full_and_stops_no_other(world: Snapshot) -> None:
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


async def test_a_probe_that_never_ends_is_given_up(world: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onboarding.adapters.probes.runner._TIMEOUT", 0.0)
    world.hold = asyncio.Event()
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    answer = world.runner.get(ONE)
    assert answer is not None
    assert "could not be found out within" in answer.problem


async def test_nothing_is_asked_without_a_configuration(world: Snapshot) -> None:
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


async def test_a_new_configuration_tries_problems_again_at_once(world: Snapshot) -> None:
    world.answers[ONE] = ProbeProblem("its address is private")
    world.runner.follow("a", [ONE, TWO], urgent=True)
    await world.settle()
    world.drain()
    world.answers[ONE] = DnsFacts(())
    world.configure(minutes=60)
    await world.settle()
    assert world.drain() == [ONE]
    assert world.runner.get(ONE) == Answer(DnsFacts(()), "", START)


async def test_a_shorter_time_applies_to_what_is_known_already(world: Snapshot) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.drain()
    world.configure(minutes=1)
    await world.pass_time(60)
    assert ONE in world.drain()


async def test_the_end_is_clean(world: Snapshot) -> None:
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


async def test_a_request_that_waits_costs_no_task(world: Snapshot) -> None:
    before = asyncio.all_tasks()
    world.runner.follow("a", [DnsRequest(f"h{number}.example.org") for number in range(100)], urgent=False)
    assert asyncio.all_tasks() == before
    assert len(world.clock.timers) == 100
