"""Argo CD syncs nothing of what is suspended: a window that is always in force, for as long as the decision stands."""

from typing import Any

import pytest

from onboarding.build.kinds import APP_PROJECT, NAMESPACE
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.support.argocd_rules import refusals
from tests.unit.snapshots import OWNER, decided, environment, live_from, live_of_spec, snapshot_of, spec_of, told

BOTH = (environment(), environment("prod", stage="prod", target="twin"))
SPEC = spec_of(*BOTH)
ALWAYS = {"kind": "Deny", "schedule": "* * * * *", "duration": "24h", "manual": True}
BROKEN: dict[str, dict[str, Any]] = {
    "all is well": {},
    "the policy is broken": {"policy": None, "policy_problem": "it is broken"},
    "the project is being deleted": {"deleting": True, "teardown_hold": "too many at once"},
}


def suspended(*names: str | None, **fields: Any) -> Snapshot:
    decisions = tuple(decided("Suspend", environment=name) for name in names)
    return snapshot_of(SPEC, live_of_spec(SPEC), decisions=decisions, **fields)


def windows(snapshot: Snapshot) -> list[tuple[str, ...]]:
    """Return the namespaces of the windows that refuse every sync, with their clusters."""
    plan = make_plan(snapshot)
    found = []
    for item in build_wanted(OWNER, plan.building, {}, plan.suspended):
        if item.key.kind is APP_PROJECT:
            assert refusals(item.manifest) == []
            for window in item.manifest["spec"].get("syncWindows", ()):
                assert (window["kind"], window["andOperator"], "manualSync" in window) == ("deny", True, False)
                assert (window["schedule"], window["duration"]) == ("* * * * *", "24h")
                found.append((*window["clusters"], *window["namespaces"]))
    return found


HERE, THERE = "https://kubernetes.default.svc", "https://b.example.org"


@pytest.mark.parametrize("fields", BROKEN.values(), ids=BROKEN)
def test_the_window_names_exactly_what_is_suspended(fields: dict[str, Any]) -> None:
    assert windows(suspended(**fields)) == []
    assert windows(suspended("dev", **fields)) == [(HERE, "shop-dev")]
    assert windows(suspended("prod", **fields)) == [(THERE, "shop-prod"), (HERE, "shop-prod")]
    everything = [(THERE, "shop-prod"), (HERE, "shop-dev", "shop-prod")]
    assert windows(suspended(None, **fields)) == everything
    assert windows(suspended("dev", "prod", **fields)) == everything


def test_it_stays_for_what_is_no_longer_declared_and_cannot_go() -> None:
    plan = snapshot_of(spec_of(), live_of_spec(SPEC), decisions=(decided("Suspend", environment="dev"),))
    assert windows(plan) == [(HERE, "shop-dev")]


def test_a_window_of_the_project_does_not_open_it() -> None:
    spec = spec_of(environment(releaseWindows=[ALWAYS]))
    assert windows(snapshot_of(spec, live_of_spec(spec), decisions=(decided("Suspend"),))) == [(HERE, "shop-dev")]


def test_it_comes_and_goes_with_the_decision_and_changes_nothing_else() -> None:
    def changed(snapshot: Snapshot) -> list[Any]:
        return [(item.key.kind, item.fields) for item in find_changes(snapshot, make_plan(snapshot), {}.get)]

    during = suspended("dev")
    assert changed(during) == [(APP_PROJECT, ("spec.syncWindows",))]
    plan = make_plan(during)
    live = live_from(build_wanted(OWNER, plan.building, {}, plan.suspended))
    namespaces = {key: item for key, item in live.items() if key.kind is NAMESPACE}
    assert namespaces == {key: item for key, item in live_of_spec(SPEC).items() if key.kind is NAMESPACE}
    assert changed(snapshot_of(SPEC, live, decisions=during.decisions)) == []
    assert changed(snapshot_of(SPEC, live)) == [(APP_PROJECT, ("spec.syncWindows",))]
    assert windows(snapshot_of(SPEC, live)) == []


@pytest.mark.parametrize("reason", ["I say so", "because " * 60], ids=["short", "long"])
def test_the_status_says_so_in_one_sentence(reason: str) -> None:
    decision = decided("Suspend").model_copy(update={"reason": reason})
    of_all = told(snapshot_of(SPEC, live_of_spec(SPEC), decisions=(decision,)))
    ready = next(item for item in of_all["conditions"] if item["type"] == "Ready")
    assert ": Argo CD does not sync; " in ready["message"]
    one = decision.model_copy(update={"environment": "dev"})
    dev, prod = told(snapshot_of(SPEC, live_of_spec(SPEC), decisions=(one,)))["environments"]
    assert dev["held"].endswith(": Argo CD does not sync")
    assert "held" not in prod
