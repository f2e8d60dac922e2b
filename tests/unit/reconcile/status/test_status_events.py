"""One announcement per gate that opens or is held, and none on repeats."""

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import pytest

from onboarding.api.status import GateState
from onboarding.reconcile.status.events import events_of, platform_events
from tests.unit.snapshots import approved, built, environment, policy_of, snapshot_of, spec_of, told, with_status

STATES = [None, *map(str, GateState)]
WAITS = ["one"]


def status(state: str | None, *, stage: str = "", waiting: Sequence[str] = ()) -> dict[str, Any]:
    gate = {"name": "live", "state": state, **({"waitingFor": waiting} if waiting else {})}
    return {"gates": [gate], **({"stage": stage} if stage else {})} if state else {}


@pytest.mark.parametrize(("was", "now"), list(product(("", "live"), ("", "live"))))
def test_a_gate_is_told_of_once_when_the_project_passes_it(was: str, now: str) -> None:
    found = [item.reason for item in events_of(status("Open", stage=was), status("Open", stage=now))]
    assert found == (["GateOpened"] if now and not was else [])


@pytest.mark.parametrize(("was", "now"), list(product(STATES, STATES)))
def test_a_gate_is_told_of_once_when_something_waits_for_it(was: str | None, now: str | None) -> None:
    before = status(was, waiting=WAITS if was == "Held" else ())
    after = status(now, waiting=WAITS if now == "Held" else ())
    assert [item.reason for item in events_of(before, after)] == (["GateHeld"] if now == "Held" != was else [])


def test_a_gate_that_nothing_waits_for_is_told_of_when_something_does() -> None:
    assert events_of({}, status("Held")) == []
    (held,) = events_of(status("Held"), status("Held", waiting=["one", "two"]))
    assert (held.note, held.warning) == ("gate live is held: one; two", False)
    (long,) = events_of({}, status("Held", waiting=["é" * 512] * 5))
    assert len(long.note) == 1024
    (opened,) = events_of({}, status("Open", stage="live"))
    assert (opened.reason, opened.note, opened.warning) == ("GateOpened", "gate live is open", False)


def test_another_reason_for_the_same_state_is_no_news() -> None:
    assert events_of(status("Held", waiting=["one"]), status("Held", waiting=["two"])) == []


def test_a_gate_is_passed_only_with_something_behind_it() -> None:
    """A project whose every environment is refused has passed nothing, and nobody is told that a gate is open."""
    gates = ({"name": name, "opens": [{"stages": [stage]}]} for name, stage in (("build", "dev"), ("live", "prod")))
    policy = policy_of(*gates)
    refused = told(snapshot_of(spec_of(environment(size="vast")), policy=policy))
    told_of = [event for event in events_of({}, refused) if not event.warning]
    assert ("stage" in refused, told_of) == (False, [])
    only_dev = told(snapshot_of(spec_of(environment()), policy=policy))
    assert only_dev["stage"] == "build"
    assert [item.note for item in events_of(refused, only_dev)] == ["gate build is open"]


POLICY = policy_of(
    {"name": "build", "opens": [{"stages": ["dev"]}]},
    {"name": "talk", "approvals": [{"name": "visa", "actor": "security"}]},
    {"name": "live", "opens": [{"stages": ["prod"]}]},
    checks=[{"id": "PoaNamed", "gate": "live"}],
)


def test_a_walk_through_three_gates_tells_each_of_them_once() -> None:
    spec = spec_of(environment(), environment("prod", stage="prod"))
    yes = approved(spec, POLICY, "talk", "visa")
    first = told(snapshot_of(spec, policy=POLICY))
    again = told(with_status(snapshot_of(spec, policy=POLICY), first))
    second = told(with_status(snapshot_of(spec, policy=POLICY, decisions=yes), again))
    live = built(snapshot_of(spec, policy=POLICY))
    broken = told(with_status(snapshot_of(spec, live, policy=None, policy_problem="broken"), second))
    mended = told(with_status(snapshot_of(spec, policy=POLICY, decisions=yes), broken))
    taken_back = told(with_status(snapshot_of(spec, policy=POLICY), mended))
    walk = [{}, first, again, second, broken, mended, taken_back]
    assert [[item.note for item in events_of(before, after)] for before, after in pairwise(walk)] == [
        ["gate build is open", "gate talk is held: approval visa of gate talk is missing"],
        [],
        ["gate talk is open", "gate live is held: PoaNamed: spec.team.poa names nobody"],
        [],
        [],
        ["gate talk is held: approval visa of gate talk is missing"],
    ]


def ready(reason: str, status: str = "False", **fields: Any) -> dict[str, Any]:
    return {
        "conditions": [{"type": "Ready", "status": status, "reason": reason, "message": f"it is {reason}", **fields}]
    }


WARNED = (
    "Conflict",
    "FormerIncarnation",
    "Drifted",
    "ForeignGuards",
    "GuardMissing",
    "ArgoCDMissing",
    "TargetUnreachable",
    "TargetMissing",
    "NamespaceGone",
    "Refused",
)


@pytest.mark.parametrize("reason", WARNED)
def test_what_somebody_has_to_know_of_is_a_warning_once_per_state(reason: str) -> None:
    (event,) = events_of(ready("Ready", "True"), ready(reason))
    assert (event.reason, event.note, event.warning) == (reason, f"it is {reason}", True)
    assert events_of(ready(reason), {**ready(reason), "summary": {}}) == []
    assert events_of(ready(reason), ready("Ready", "True")) == []
    assert len(events_of({}, ready(reason))) == 1


@pytest.mark.parametrize("reason", ["Ready", "EnvironmentsHeld", "Applying", "Retrying", "Held", "Planned"])
def test_what_is_usual_makes_no_event(reason: str) -> None:
    assert events_of({}, ready(reason)) == []


def test_the_steps_of_a_removal_are_told_and_are_no_warnings() -> None:
    def environments(**states: str) -> dict[str, Any]:
        return {"environments": [{"name": name, "sites": [{"state": state}]} for name, state in states.items()]}

    walk = [
        environments(dev="Ready", prod="Ready"),
        environments(dev="Removing", prod="Ready"),
        environments(dev="Removing", prod="Ready"),
        environments(prod="Ready"),
        {**environments(prod="Removing"), **ready("AwaitingConfirmation")},
        {**environments(prod="Removing"), **ready("TearingDown")},
    ]
    told_of = [event for before, after in pairwise(walk) for event in events_of(before, after)]
    assert [event.reason for event in told_of] == [
        "Removing",
        "Removed",
        "AwaitingConfirmation",
        "Removing",
        "TearingDown",
    ]
    assert not any(event.warning for event in told_of)
    assert told_of[1].note == "environment dev is removed"


def test_a_policy_that_is_refused_is_told_once_for_each_generation_and_again_when_it_is_right() -> None:
    good, bad = (
        ready(reason, status, observedGeneration=1) for reason, status in (("Accepted", "True"), ("Invalid", "False"))
    )
    worse = ready("Invalid", observedGeneration=2)
    assert platform_events({}, good) == []
    (event,) = platform_events(good, bad)
    assert (event.reason, event.note, event.warning) == ("Invalid", "it is Invalid", True)
    assert platform_events(bad, ready("Invalid", observedGeneration=1, lastTransitionTime="x")) == []
    assert [item.reason for item in platform_events(bad, worse)] == ["Invalid"]
    assert [(item.reason, item.warning) for item in platform_events(worse, good)] == [("Accepted", False)]


def changed(generation: int, *, all_held: bool, **fields: Any) -> dict[str, Any]:
    """Return the status of a policy with the effect of its last change."""
    counts = {"environmentsHeld": 3, "projects": 2, "named": ["pay", "shop"]}
    change = {"generation": generation, **counts, "holdsEveryProject": all_held, **fields}
    return {"conditions": [{"type": "Ready", "status": "True", "reason": "Accepted"}], "lastChange": change}


def test_a_policy_that_holds_every_project_says_so_once_for_each_generation() -> None:
    quiet, held = changed(2, all_held=False), changed(2, all_held=True)
    (event,) = platform_events(quiet, held)
    assert (event.reason, event.warning) == ("EveryProjectHeld", True)
    assert "generation 2 holds every project: 3 environments of 2 projects" in event.note
    assert "correct the policy, or apply its former version; first projects: pay, shop" in event.note
    assert platform_events(held, held) == []
    assert platform_events(held, changed(3, all_held=False)) == []
    assert [item.reason for item in platform_events(held, changed(3, all_held=True))] == ["EveryProjectHeld"]
    (long,) = platform_events({}, changed(1, all_held=True, named=["x" * 63] * 10))
    assert len(long.note) <= 1024
