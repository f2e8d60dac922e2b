"""The runner asks what projects want to know: once for all of them, spread, and again in time."""

from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.checks.probe import Answer, DnsFacts, DnsRequest
from tests.support.questions import HALF_HOUR, ONE, START, TWO, Snapshot


async def test_an_urgent_request_is_asked_at_once(world: Snapshot) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    assert world.runner.get(ONE) is None
    await world.settle()
    assert world.runner.get(ONE) == Answer(DnsFacts(("192.0.2.1",)), "", START)
    assert world.changed == ["a"]
    assert world.metrics == [("Dns", "answered")]


async def test_requests_that_are_not_urgent_are_spread_over_the_time_an_answer_is_fresh(world: Snapshot) -> None:
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


async def test_a_request_that_waits_for_its_turn_is_asked_when_it_becomes_urgent(world: Snapshot) -> None:
    world.runner.follow("a", [ONE, TWO], urgent=False)
    world.runner.follow("b", [ONE], urgent=True)
    await world.settle()
    assert world.asked == [ONE]
    world.runner.follow("b", [ONE], urgent=True)
    await world.settle()
    assert world.asked == [ONE]
    assert len(world.clock.timers) == 2


async def test_what_a_project_comes_to_ask_later_on_is_asked_at_once(world: Snapshot) -> None:
    """An environment that has just been provisioned must not wait for a turn that spares the outside world a start."""
    world.runner.follow("a", [ONE], urgent=False)
    world.runner.follow("a", [ONE, TWO], urgent=False)
    await world.settle()
    assert world.asked == [TWO]


async def test_two_projects_share_one_answer(world: Snapshot) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    world.runner.follow("b", [DnsRequest("one.example.org")], urgent=True)
    await world.settle()
    assert world.asked == [ONE]
    assert sorted(world.changed) == ["a", "b"]


async def test_an_answer_is_renewed_when_its_time_is_over_with_jitter(world: Snapshot) -> None:
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.drain()
    world.clock.delays.clear()
    for _ in range(50):
        await world.pass_time(HALF_HOUR * 1.1)
        assert ONE in world.drain()
    assert HALF_HOUR * 0.9 <= min(world.clock.delays) < HALF_HOUR * 0.95
    assert HALF_HOUR * 1.05 < max(world.clock.delays) <= HALF_HOUR * 1.1


async def test_only_a_change_is_told(world: Snapshot) -> None:
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


async def test_a_problem_is_tried_again_later_and_later(world: Snapshot) -> None:
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


async def test_a_request_that_waits_after_a_problem_is_not_asked_for_being_urgent(world: Snapshot) -> None:
    world.answers[ONE] = ProbeProblem("no")
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    world.runner.follow("a", [ONE], urgent=True)
    world.runner.follow("b", [ONE], urgent=True)
    await world.settle()
    assert world.asked == [ONE]


async def test_an_answer_ends_a_problem(world: Snapshot) -> None:
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


async def test_an_answer_outlives_problems_until_its_maximum_age(world: Snapshot) -> None:
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


async def test_an_answer_is_never_fresh_for_longer_than_its_maximum_age(world: Snapshot) -> None:
    world.configure(minutes=1440, maximum_age_hours=1)
    world.runner.follow("a", [ONE], urgent=True)
    await world.settle()
    assert 3600 * 0.9 <= world.clock.delays[-1] <= 3600 * 1.1
