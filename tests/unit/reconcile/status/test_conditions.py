"""The conditions of a project in each situation: kstatus and Flux read them right, and none contradicts another."""

from collections.abc import Sequence

import pytest

from onboarding.api.conditions import Reason
from onboarding.reconcile.apply.outcome import Outcome
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.support.conditions import contradictions, flux_problems
from tests.unit.situations import DEV, GATED, HELD, LIVE, PROD, SITUATIONS, conditions, status_of
from tests.unit.snapshots import live_of_spec, snapshot_of, spec_of


@pytest.mark.parametrize(("snapshot", "outcomes", "ready", "reason", "others"), SITUATIONS.values(), ids=SITUATIONS)
def test_a_situation_has_its_conditions(
    snapshot: Snapshot, outcomes: Sequence[Outcome], ready: str, reason: Reason, others: set[str]
) -> None:
    found = conditions(status_of(snapshot, outcomes))
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == (ready, reason.value)
    assert found.keys() & {"Reconciling", "Stalled", "Suspended"} == others
    assert found.keys() >= {"Ready", "UpToDate", "PrerequisitesMet", "Provisioned", "ApplicationsHealthy"}


@pytest.mark.parametrize(("snapshot", "outcomes"), [item[:2] for item in SITUATIONS.values()], ids=SITUATIONS)
def test_the_conditions_of_a_situation_do_not_contradict_each_other(
    snapshot: Snapshot, outcomes: Sequence[Outcome]
) -> None:
    metadata = {"generation": 3, **({"deletionTimestamp": "now"} if snapshot.project.deleting else {})}
    item = {"metadata": metadata, "status": status_of(snapshot, outcomes)}
    assert (flux_problems(item), contradictions(item)) == ([], [])


def test_a_suspension_is_named_beside_what_else_is_wrong() -> None:
    suspended, deleted = (SITUATIONS[name][:2] for name in ("suspended, and a conflict", "suspended, and deleted"))
    assert (
        conditions(status_of(*suspended))["Ready"]["message"]
        == "Suspend by pat: I say so: Argo CD does not sync; words"
    )
    assert conditions(status_of(*deleted))["Suspended"]["message"].startswith(
        "Suspend by pat: I say so: Argo CD does not sync; "
    )


UP_TO_DATE = {"in place", "nothing declared yet, and every gate is open", "nothing declared, and no gates"}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_generation_is_up_to_date_only_if_everything_that_it_declares_is_in_place(name: str) -> None:
    snapshot, outcomes, _, reason, _ = SITUATIONS[name]
    found = conditions(status_of(snapshot, outcomes))["UpToDate"]
    assert (found["status"] == "True") == (name in UP_TO_DATE)
    expected = Reason.UP_TO_DATE if name in UP_TO_DATE else reason
    assert found["reason"] == (Reason.ENVIRONMENTS_HELD if name == "kept though not declared" else expected)


NOTHING_THERE = {
    "nothing admitted",
    "all refused",
    "refused in a plan",
    "nothing declared yet, and a gate waits",
    "nothing declared yet, and every gate is open",
    "nothing declared, and no gates",
    "planned",
    "no policy",
    "refused",
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_nothing_is_provisioned_while_nothing_is_admitted(name: str) -> None:
    found = conditions(status_of(*SITUATIONS[name][:2]))["Provisioned"]
    assert (found["reason"] == Reason.NOTHING_ADMITTED) == (name in NOTHING_THERE)


def test_prerequisites_are_those_of_declared_environments() -> None:
    """A project that asks for development only does not wait for the approval of production."""
    only_dev = conditions(status_of(snapshot_of(spec_of(DEV), LIVE, policy=GATED)))
    assert [only_dev[kind]["status"] for kind in ("Ready", "UpToDate", "PrerequisitesMet")] == ["True"] * 3
    both = conditions(status_of(snapshot_of(spec_of(DEV, HELD), LIVE, policy=GATED)))
    assert [both[kind]["status"] for kind in ("Ready", "UpToDate", "PrerequisitesMet")] == ["True", "False", "False"]


def test_a_removal_that_has_ended_contradicts_itself_in_no_status() -> None:
    """The status is written after the changes: nothing is shown as being removed of which nothing is left."""
    plan = make_plan(snapshot_of(spec_of(DEV), live_of_spec(spec_of(DEV, PROD))))
    assert plan.removing == {"prod"}
    found = conditions(status_of(snapshot_of(spec_of(DEV), LIVE), (), plan))
    assert [found[kind]["status"] for kind in ("Ready", "UpToDate", "Provisioned")] == ["True"] * 3
