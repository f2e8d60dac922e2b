"""The diff cache saves work and decides nothing: any course of changes ends as it does without a cache."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import NETWORK_POLICY, RESOURCE_QUOTA
from onboarding.reconcile.apply import changes
from onboarding.reconcile.apply.changes import DiffCache, find_changes
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
        self.cache = DiffCache()
        # The objects of the step before, wherever nothing changed: else the cache would never hit.
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


class Cached(RuleBasedStateMachine):
    """A reconcile with a cache and one without, after each step of any course."""

    def __init__(self) -> None:
        super().__init__()
        self.course = Course()

    @rule(name=st.sampled_from(list(STEPS)))
    def step(self, name: str) -> None:
        STEPS[name](self.course)
        snapshot = self.course.look()
        plan = make_plan(snapshot)
        assert find_changes(snapshot, plan, {}.get, self.course.cache) == find_changes(snapshot, plan, {}.get)


def test_a_reconcile_with_the_cache_comes_to_the_same() -> None:
    run_state_machine_as_test(Cached, settings=settings(max_examples=12, stateful_step_count=50))


@pytest.fixture
def diffs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the inputs of the diffs that are computed from now on."""
    computed: list[Any] = []
    compute = changes.diff_all

    def counted(inputs: Any, **options: Any) -> Any:
        computed.append(inputs)
        return compute(inputs, **options)

    monkeypatch.setattr(changes, "diff_all", counted)
    return computed


def reconcile(course: Course) -> None:
    snapshot = course.look()
    find_changes(snapshot, make_plan(snapshot), {}.get, course.cache)


@pytest.mark.parametrize("mode", ["Apply", "Plan"])
def test_a_settled_project_is_compared_once(mode: str, diffs: list[Any]) -> None:
    """Else the cache would cost and save nothing."""
    course = Course()
    settle(course)
    settle(course)
    course.fields.update(mode=mode)
    for _ in range(3):
        reconcile(course)
    assert len(diffs) == 1


def test_a_status_that_a_controller_writes_asks_for_no_diff(diffs: list[Any]) -> None:
    course = Course()
    settle(course)
    settle(course)
    reconcile(course)
    use(course)
    reconcile(course)
    assert len(diffs) == 1


def test_a_project_that_is_gone_is_forgotten(diffs: list[Any]) -> None:
    course = Course()
    settle(course)
    settle(course)
    reconcile(course)
    course.cache.forget("shop")
    reconcile(course)
    assert len(diffs) == 2


def test_no_manifests_are_kept_that_cannot_be_written(diffs: list[Any]) -> None:
    """A thousand projects may wait for a cluster."""
    course = Course()
    reconcile(course)
    reconcile(course)
    assert len(diffs) == 2
