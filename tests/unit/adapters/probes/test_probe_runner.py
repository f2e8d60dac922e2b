"""The runner asks what projects want to know: once for all of them, spread, and again in time."""

from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Probes
from onboarding.checks.probe import Answer, DnsFacts, DnsRequest, RefusedPodsRequest, WorkloadsFacts
from tests.support.questions import HALF_HOUR, ONE, START, TWO, ProbeStage


async def test_an_urgent_request_is_asked_at_once(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE], urgent=True)
    assert stage.runner.get(ONE) is None
    await stage.settle()
    assert stage.runner.get(ONE) == Answer(DnsFacts(("192.0.2.1",)), "", START)
    assert stage.changed == ["a"]
    assert stage.metrics == [("Dns", "answered")]


async def test_requests_that_are_not_urgent_are_spread_over_the_time_an_answer_is_fresh(stage: ProbeStage) -> None:
    requests = [DnsRequest(f"h{number}.example.org") for number in range(400)]
    stage.runner.follow("a", requests, urgent=False)
    await stage.settle()
    assert stage.asked == []
    counts = []
    for _ in range(10):
        await stage.pass_time(HALF_HOUR / 10)
        counts.append(len(stage.drain()))
    assert sum(counts) >= 400
    assert min(counts) > 15
    assert max(counts) < 75


async def test_a_request_that_waits_for_its_turn_is_asked_when_it_becomes_urgent(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE, TWO], urgent=False)
    stage.runner.follow("b", [ONE], urgent=True)
    await stage.settle()
    assert stage.asked == [ONE]
    stage.runner.follow("b", [ONE], urgent=True)
    await stage.settle()
    assert stage.asked == [ONE]
    assert len(stage.clock.timers) == 2


async def test_what_a_project_comes_to_ask_later_on_is_asked_at_once(stage: ProbeStage) -> None:
    """An environment that has just been provisioned must not wait for a turn that spares the outside stage a start."""
    stage.runner.follow("a", [ONE], urgent=False)
    stage.runner.follow("a", [ONE, TWO], urgent=False)
    await stage.settle()
    assert stage.asked == [TWO]


async def test_two_projects_share_one_answer(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE], urgent=True)
    stage.runner.follow("b", [DnsRequest("one.example.org")], urgent=True)
    await stage.settle()
    assert stage.asked == [ONE]
    assert sorted(stage.changed) == ["a", "b"]


async def test_an_answer_is_renewed_when_its_time_is_over_with_jitter(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.drain()
    stage.clock.delays.clear()
    for _ in range(50):
        await stage.pass_time(HALF_HOUR * 1.1)
        assert ONE in stage.drain()
    assert HALF_HOUR * 0.9 <= min(stage.clock.delays) < HALF_HOUR * 0.95
    assert HALF_HOUR * 1.05 < max(stage.clock.delays) <= HALF_HOUR * 1.1


async def test_only_a_change_is_told(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.changed.clear()
    await stage.pass_time(HALF_HOUR * 1.1)
    answer = stage.runner.get(ONE)
    assert answer is not None
    assert answer.at > START
    assert stage.changed == []
    stage.answers[ONE] = DnsFacts(())
    await stage.pass_time(HALF_HOUR * 1.1)
    assert stage.changed == ["a"]


async def test_a_problem_is_tried_again_later_and_later(stage: ProbeStage) -> None:
    stage.answers[ONE] = ProbeProblem("it takes no connection")
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    assert stage.runner.get(ONE) == Answer(None, "it takes no connection", START)
    await stage.pass_time(12 * HALF_HOUR)
    pauses = stage.clock.delays[1:]
    for pause, plain in zip(pauses, [5 * 2**number for number in range(9)], strict=False):
        assert 0.8 * plain <= pause <= 1.2 * plain
    assert all(0.8 * HALF_HOUR <= pause <= 1.2 * HALF_HOUR for pause in pauses[9:])
    assert len(pauses) > 12
    assert stage.changed == ["a"]
    assert set(stage.metrics) == {("Dns", "problem")}


async def test_a_request_that_waits_after_a_problem_is_not_asked_for_being_urgent(stage: ProbeStage) -> None:
    stage.answers[ONE] = ProbeProblem("no")
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.runner.follow("a", [ONE], urgent=True)
    stage.runner.follow("b", [ONE], urgent=True)
    await stage.settle()
    assert stage.asked == [ONE]


async def test_an_answer_ends_a_problem(stage: ProbeStage) -> None:
    stage.answers[ONE] = ProbeProblem("no")
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.answers[ONE] = DnsFacts(())
    await stage.pass_time(6)
    answer = stage.runner.get(ONE)
    assert answer is not None
    assert (answer.facts, answer.problem) == (DnsFacts(()), "")
    assert stage.changed == ["a", "a"]
    assert stage.clock.delays[-1] >= HALF_HOUR * 0.9


async def test_an_answer_outlives_problems_until_its_maximum_age(stage: ProbeStage) -> None:
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    stage.answers[ONE] = ProbeProblem("it takes no connection")
    stage.changed.clear()
    await stage.pass_time(24 * 3600 - 1)
    assert stage.runner.get(ONE) == Answer(DnsFacts(("192.0.2.1",)), "", START)
    assert stage.changed == []
    await stage.pass_time(2)
    answer = stage.runner.get(ONE)
    assert answer is not None
    assert (answer.facts, answer.problem) == (None, "it takes no connection")
    assert stage.changed == ["a"]


async def test_an_answer_is_never_fresh_for_longer_than_its_maximum_age(stage: ProbeStage) -> None:
    stage.configure(minutes=1440, maximum_age_hours=1)
    stage.runner.follow("a", [ONE], urgent=True)
    await stage.settle()
    assert 3600 * 0.9 <= stage.clock.delays[-1] <= 3600 * 1.1


async def test_pods_that_may_be_refused_are_looked_at_within_seconds_and_later_and_later(stage: ProbeStage) -> None:
    """Case 08: the Deployment says why it gets no pod a moment after it was looked at first."""
    request = RefusedPodsRequest("hub", "shop-dev")
    stage.answers[request] = WorkloadsFacts()
    stage.runner.configure(Probes(), {**stage.asks(), RefusedPodsRequest: stage.ask})
    stage.runner.follow("a", [request], urgent=True)
    await stage.settle()
    await stage.pass_time(60)
    assert 4 <= len(stage.drain()) <= 6
    await stage.pass_time(4 * HALF_HOUR)
    assert len(stage.drain()) <= 10
