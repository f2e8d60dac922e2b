"""What is remembered saves work and decides nothing: any way through the worlds ends as it does without a memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import NETWORK_POLICY, RESOURCE_QUOTA
from onboarding.reconcile.apply.changes import Diff, find_changes
from onboarding.reconcile.observed.memory import Memory
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    NOW,
    SITES,
    attested,
    built,
    decided,
    environment,
    policy_of,
    snapshot_of,
    spec_of,
    told,
)

GATES = (
    {"name": "start", "opens": [{"stages": ["dev"]}]},
    {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [{"name": "poa", "actor": "poa"}]},
)
FLOW = {"name": "directory", "zone": "offices", "port": 636, "justification": "To log in"}
NETWORK = {"zones": [{"name": "offices", "cidrs": ["10.0.0.0/8"], "attested": True}]}


class Course:
    """A project in a world that changes step by step."""

    def __init__(self) -> None:
        self.environments = {"dev": environment("dev", target="twin"), "prod": environment("prod", stage="prod")}
        self.fields: dict[str, Any] = {}
        self.policy: dict[str, Any] = {"checks": [{"id": "SponsorNamed", "gate": "live"}]}
        self.targets: dict[str, dict[str, Any]] = {"main": {"sites": SITES[:1]}, "twin": {"sites": SITES}}
        self.decisions: dict[str, Any] = {}
        self.snapshot: dict[str, Any] = {"now": NOW}
        self.live: dict[Any, Any] = {}
        self.memory = Memory()
        # The objects of the pass before, wherever nothing changed: else nothing would ever be remembered.
        self._known: dict[bytes, Any] = {}

    def look(self) -> Snapshot:
        """Return the world as it is now."""
        spec = self._same(spec_of, *self.environments.values(), **self.fields)
        targets = {name: self._same(_target, **given) for name, given in self.targets.items()}
        decisions = tuple(decide(spec) for decide in self.decisions.values())
        policy = self._same(policy_of, *GATES, **self.policy)
        return snapshot_of(spec, self.live, policy=policy, targets=targets, decisions=decisions, **self.snapshot)

    def _same(self, make: Callable[..., Any], *given: Any, **named: Any) -> Any:
        about = repr(make).encode() + orjson.dumps([given, named])
        if about not in self._known:
            self._known[about] = make(*given, **named)
        return self._known[about]


def _target(**given: Any) -> HostingTargetSpec:
    return HostingTargetSpec.model_validate(given)


def settle(course: Course) -> None:
    course.live = built(course.look())


def drift(course: Course) -> None:
    course.live = {key: item for key, item in course.live.items() if key.kind is not NETWORK_POLICY}


def use(course: Course) -> None:
    told = orjson.dumps({"used": {"limits.cpu": "1500m"}})
    course.live = {
        key: item._replace(told=told) if key.kind is RESOURCE_QUOTA else item for key, item in course.live.items()
    }


STEPS: dict[str, Callable[[Course], Any]] = {
    "nothing": lambda _course: None,
    "settle": settle,
    "settle again": settle,
    "drift": drift,
    "use": use,
    "size": lambda course: course.environments["dev"].update(size="large"),
    "unknown size": lambda course: course.environments["prod"].update(size="none"),
    "a size that is known": lambda course: course.environments["prod"].pop("size", None),
    "labels": lambda course: course.environments["dev"].update(labels={"team": "shop"}),
    "a new one": lambda course: course.environments.update(test=environment("test")),
    "one less": lambda course: course.environments.pop("test", None),
    "group": lambda course: course.fields.update(team={"groups": {"admin": ["others"]}}),
    "repository": lambda course: course.fields.update(repositories=[]),
    "plan": lambda course: course.fields.update(mode="Plan"),
    "apply": lambda course: course.fields.pop("mode", None),
    "flow": lambda course: (
        course.targets["main"].update(network=NETWORK),
        course.targets["twin"].update(network=NETWORK),
        course.fields.update(flows=[FLOW]),
    ),
    "opened": lambda course: course.decisions.update(opened=lambda spec: attested(spec, "FlowsOpened")),
    "suspended": lambda course: course.decisions.update(stop=lambda _spec: decided("Suspend", environment="dev")),
    "resumed": lambda course: course.decisions.pop("stop", None),
    "a grant": lambda course: course.decisions.update(
        more=lambda _spec: decided("Grant", grant={"nonProduction": {"cpu": "100"}})
    ),
    "a ceiling": lambda course: course.policy.update(ceilings={"nonProduction": {"cpu": "3"}}),
    "no ceiling": lambda course: course.policy.pop("ceilings", None),
    "the sponsor later": lambda course: course.policy.update(checks=[]),
    "an override": lambda course: course.policy.update(overrides=[{"track": "Organisational", "severity": "Warning"}]),
    "a contract": lambda course: course.targets["main"].update(contract={"endsOn": "2026-01-10"}),
    "a site less": lambda course: course.targets["twin"].update(sites=SITES[:1]),
    "capacity": lambda course: course.targets["main"].update(sites=[{"name": "a", "capacity": {"cpu": "1"}}]),
    "another day": lambda course: course.snapshot.update(now=course.snapshot["now"] + timedelta(days=7)),
    "a problem": lambda course: course.snapshot.update(target_problems={"twin": "it is broken"}),
}


class Remembered(RuleBasedStateMachine):
    """A pass with a memory and one without, after each step of any course."""

    def __init__(self) -> None:
        super().__init__()
        self.course = Course()

    @rule(name=st.sampled_from(list(STEPS)))
    def step(self, name: str) -> None:
        STEPS[name](self.course)
        fresh = self.course.look()
        self.course.memory = Memory(self.course.memory)
        remembering = replace(fresh, memory=self.course.memory)
        assert find_changes(remembering, make_plan(remembering), {}.get) == find_changes(
            fresh, make_plan(fresh), {}.get
        )
        assert told(remembering) == told(fresh)


def test_a_pass_with_a_memory_comes_to_the_same() -> None:
    run_state_machine_as_test(Remembered, settings=settings(max_examples=12, stateful_step_count=50))


def test_a_question_that_is_asked_again_is_not_worked_out_again() -> None:
    asked: list[int] = []

    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    def ask(memory: Memory, *numbers: int) -> list[int]:
        return [memory.recall(str(place), double, number) for place, number in enumerate(numbers)]

    first = Memory()
    assert ask(first, 1, 2) == [2, 4]
    second = Memory(first)
    assert ask(second, 1, 3) == [2, 6]
    assert asked == [1, 2, 3]
    assert ask(Memory(second), 1, 2) == [2, 4]
    assert asked == [1, 2, 3, 2]


def test_what_one_pass_does_not_ask_is_forgotten() -> None:
    asked: list[str] = []
    first = Memory()
    for memory in (first, Memory(Memory(first))):
        memory.recall("", asked.append, "x")
    assert asked == ["x", "x"]


def test_a_settled_project_is_compared_once() -> None:
    """Else the memory would cost and save nothing."""
    course = Course()
    settle(course)
    settle(course)
    first = replace(course.look(), memory=course.memory)
    make_plan(first)
    second = replace(course.look(), memory=Memory(first.memory))
    make_plan(second)
    assert _answers(first) == _answers(second)


def test_no_manifests_are_kept_that_cannot_be_written() -> None:
    """A thousand projects may wait for a cluster."""
    course = Course()
    waiting = replace(course.look(), memory=course.memory)
    assert find_changes(waiting, make_plan(waiting), {}.get)
    assert not any(isinstance(answer, Diff) for _, answer in course.memory._asked.values())


def _answers(snapshot: Snapshot) -> list[int]:
    return [id(answer) for _, answer in snapshot.memory._asked.values()]
