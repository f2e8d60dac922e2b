"""A suspension keeps what is there, and lets nothing new in."""

from dataclasses import replace
from typing import Any

from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import built, decided, environment, live_of_spec, snapshot_of, spec_of, told

DEV, PROD = environment(), environment("prod", stage="prod")


def suspended(environment_: str | None, *declared: Any) -> Snapshot:
    live = live_of_spec(spec_of(DEV, PROD))
    return snapshot_of(spec_of(*declared), live, decisions=(decided("Suspend", environment=environment_, by="ada"),))


def test_a_suspended_project_keeps_what_it_has_and_gets_nothing_new() -> None:
    snapshot = suspended(None, environment(size="large"), environment("more"))
    plan = make_plan(snapshot)
    assert {(revision.environment, revision.resources.cpu) for revision in plan.building} == {
        ("dev", "2"),
        ("prod", "2"),
    }
    assert (plan.removing, plan.held.keys()) == (set(), {"dev", "more"})
    conditions = {item["type"]: item for item in told(snapshot)["conditions"]}
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == ("False", "Suspended")
    suspension = conditions["Suspended"]
    assert (suspension["status"], suspension["message"]) == ("True", conditions["Ready"]["message"])
    assert "Suspend by ada: I say so" in suspension["message"]
    assert built(snapshot) == live_of_spec(spec_of(DEV, PROD))


def test_a_suspended_environment_holds_nothing_else() -> None:
    snapshot = suspended("dev", environment(size="large"), {**PROD, "size": "large"})
    plan = make_plan(snapshot)
    there = {(revision.environment, revision.resources.cpu) for revision in plan.building}
    assert (there, plan.held) == (
        {("dev", "2"), ("prod", "8")},
        {"dev": "Suspend by ada: I say so: Argo CD does not sync"},
    )
    assert "Suspended" not in {item["type"] for item in told(snapshot)["conditions"]}
    gone = make_plan(suspended("dev", PROD))
    assert (gone.removing, {revision.environment for revision in gone.building}) == (set(), {"dev", "prod"})


def test_a_project_that_is_deleted_is_torn_down_also_while_it_is_suspended() -> None:
    snapshot = suspended(None, DEV, PROD)
    assert make_plan(replace(snapshot, project=replace(snapshot.project, deleting=True))).removing == {"dev", "prod"}
