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
from tests.support.questions import HALF_HOUR, ONE, START, TWO, ProbeStage


async def test_what_nobody_asks_any_more_is_dropped(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE, TWO], urgent=True)
    stage.runner.follow("b", [TWO], urgent=True)
    await stage.settle()
    stage.runner.follow("a", [TWO], urgent=False)
    assert stage.runner.get(ONE) is None
    assert stage.runner.get(TWO) is not None
    stage.runner.forget("a")
    assert stage.runner.get(TWO) is not None
    stage.runner.follow("b", [], urgent=True)
    assert stage.runner.get(TWO) is None
    assert stage.clock.timers == []
    stage.runner.forget("never seen")


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped(stage: ProbeStage) -> None:
    stage.hold = asyncio.Event()
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.runner.forget("a")
    stage.hold.set()
    await stage.settle()
    assert stage.runner.get(ONE) is None
    assert stage.changed == []
    assert stage.clock.timers == []


async def test_sixteen_are_asked_at_once_and_no_more(stage: ProbeStage) -> None:
    stage.hold = asyncio.Event()
    requests = [DnsRequest(f"h{number}.example.org") for number in range(50)]
    stage.runner.follow("a", requests, urgent=True)
    await stage.settle()
    assert stage.running == 16
    stage.hold.set()
    await stage.settle()
    assert stage.most == 16
    assert set(stage.asked) == set(requests)


async def test_a_slow_host_does_not_hold_up_the_others(stage: ProbeStage) -> None:
    stage.hold = asyncio.Event()
    slow = [EndpointRequest(f"https://slow.example.org/{number}") for number in range(40)]
    stage.runner.follow("a", slow, urgent=True)
    stage.runner.follow("b", [ONE], urgent=True)
    await stage.settle()
    assert len(stage.asked) == 3
    assert ONE in stage.asked
    stage.runner.follow("a", slow[20:], urgent=False)
    stage.hold.set()
    await stage.settle()
    assert set(slow[20:]) <= set(stage.asked)
    assert len(stage.asked) == 23
    assert stage.most == 3


async def test_a_fault_of_one_probe_is_logged_in_full_and_stops_no_other(stage: ProbeStage) -> None:
    stage.answers[ONE] = ZeroDivisionError("a detail")
    with structlog.testing.capture_logs() as logs:
        stage.runner.follow("a", [ONE, TWO, probe.GroupRequest("nobody asks this kind")], urgent=True)
        await stage.settle()
    answer = stage.runner.get(ONE)
    assert answer is not None
    assert answer.facts is None
    assert answer.problem.startswith("internal error")
    assert "detail" not in answer.problem
    assert stage.runner.get(TWO) is not None
    assert [(line["kind"], line["exc_info"]) for line in logs] == [("DnsRequest", True), ("GroupRequest", True)]
    assert ("Dns", "error") in stage.metrics
    assert ("Group", "error") in stage.metrics


async def test_a_probe_that_never_ends_is_given_up(stage: ProbeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onboarding.adapters.probes.runner._TIMEOUT", 0.0)
    stage.hold = asyncio.Event()
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    answer = stage.runner.get(ONE)
    assert answer is not None
    assert "could not be found out within" in answer.problem


async def test_nothing_is_asked_without_a_configuration(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.runner.configure(None, {})
    stage.runner.follow("a", [ONE, TWO], urgent=True)
    await stage.pass_time(3 * HALF_HOUR)
    assert stage.asked == [ONE]
    assert stage.runner.get(ONE) is not None
    stage.configure()
    await stage.settle()
    assert sorted(stage.asked, key=str) == [ONE, ONE, TWO]


async def test_a_new_configuration_tries_problems_again_at_once(stage: ProbeStage) -> None:
    stage.answers[ONE] = ProbeProblem("its address is private")
    stage.runner.follow("a", [ONE, TWO], urgent=True)
    await stage.settle()
    stage.drain()
    stage.answers[ONE] = DnsFacts(())
    stage.configure(minutes=60)
    await stage.settle()
    assert stage.drain() == [ONE]
    assert stage.runner.get(ONE) == Answer(DnsFacts(()), "", START)


async def test_a_shorter_time_applies_to_what_is_known_already(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.drain()
    stage.configure(minutes=1)
    await stage.pass_time(60)
    assert ONE in stage.drain()


async def test_the_end_is_clean(stage: ProbeStage) -> None:
    stage.hold = asyncio.Event()
    stage.runner.follow("a", [ONE, TWO], urgent=True)
    stage.runner.follow("b", [DnsRequest("later.example.org")], urgent=False)
    await stage.settle()
    await stage.runner.close()
    assert stage.running == 0
    assert stage.clock.timers == []
    assert stage.changed == []


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


async def test_a_request_that_waits_costs_no_task(stage: ProbeStage) -> None:
    before = asyncio.all_tasks()
    stage.runner.follow("a", [DnsRequest(f"h{number}.example.org") for number in range(100)], urgent=False)
    assert asyncio.all_tasks() == before
    assert len(stage.clock.timers) == 100
