"""What was admitted before a rule of the platform stays, is told as a warning, and holds nothing; what is new waits.

By rule, how an environment gets what the rule forbids: a label that no prefix allows, a namespace that is reserved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from onboarding.build.revision import Revision
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.status.next_actions import MAX_ACTIONS
from tests.unit.snapshots import (
    environment,
    live_of_spec,
    policy_of,
    revisions,
    snapshot_of,
    spec_of,
    told,
    with_status,
)

VISA = {"name": "visa", "actor": "security", "covers": ["Admission", "Configuration"]}
COVERED = policy_of({"name": "build", "opens": [{"stages": ["dev"]}], "approvals": [VISA]})
LABELLED = {"labels": {"istio-injection": "disabled"}}


class Rule(NamedTuple):
    """A rule, an environment that breaks it, and the world in which it does."""

    check: str
    environment: Mapping[str, Any]
    world: Mapping[str, Any]


RULES = {
    "labels": Rule("NamespaceLabelNotAllowed", LABELLED, {}),
    "names": Rule("NamespaceReserved", {}, {"reserved": {"shop-dev": "HostingTarget main names it"}}),
}
pytestmark = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def world(rule: Rule, *, before: Mapping[str, Any] | None, **fields: Any) -> Snapshot:
    """Return a world in which an environment breaks a rule; ``before``: its fields when it was admitted."""
    declared = spec_of(environment(**{**rule.environment, **fields}))
    live = live_of_spec(spec_of(environment(**before))) if before is not None else {}
    return snapshot_of(declared, live, **rule.world)


def shown(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    return [(item["id"], item["severity"], item["environment"]) for item in told(snapshot).get("checks", ())]


def test_what_is_new_is_refused(rule: Rule) -> None:
    snapshot = world(rule, before=None)
    plan = make_plan(snapshot)
    assert plan.building == ()
    assert plan.refused.keys() == {"dev"}
    assert shown(snapshot) == [(rule.check, "Blocking", "dev")]
    actions = told(snapshot)["nextActions"]
    assert len(actions) <= MAX_ACTIONS
    assert actions[0]["actor"] == "project"


def test_what_was_admitted_stays_is_told_and_holds_nothing(rule: Rule) -> None:
    snapshot = world(rule, before=rule.environment)
    plan = make_plan(snapshot)
    assert (plan.held, plan.refused) == ({}, {})
    assert shown(snapshot) == [(rule.check, "Warning", "dev")]
    ready = next(item for item in told(snapshot)["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "Ready")


def test_it_grows_like_any_other(rule: Rule) -> None:
    (revision,) = make_plan(world(rule, before=rule.environment, size="large")).building
    assert (revision.resources.cpu, revision.labels) == ("8", dict(rule.environment.get("labels", {})))


def test_a_site_that_is_new_to_it_is_refused(rule: Rule) -> None:
    """On the other site nobody has trusted it yet."""
    before = {**rule.environment, "target": "twin", "sites": ["a"]}
    plan = make_plan(world(rule, before=before, target="twin"))
    assert plan.refused.keys() == {"dev"}
    assert [revision.site for revision in plan.building] == ["a"]


def test_what_went_unseen_comes_back_as_it_was(rule: Rule) -> None:
    """The namespace is gone, and the status alone remembers it: the same revision is rebuilt."""
    there = world(rule, before=rule.environment)
    gone = with_status(snapshot_of(there.project.spec, {}, **rule.world), told(there))
    plan = make_plan(gone)
    assert texts(plan.building) == texts(revisions(there.project.spec or spec_of()))
    assert shown(gone) == [(rule.check, "Warning", "dev")]


def test_a_change_that_waits_for_an_approval_is_told_beside_it(rule: Rule) -> None:
    snapshot = world(rule, before=rule.environment, size="large")
    plan = make_plan(replace(snapshot, policy=COVERED))
    assert [item.check.id for item in plan.findings] == [rule.check]
    assert [revision.resources.cpu for revision in plan.building] == ["2"]
    assert plan.held.keys() == {"dev"}


def texts(built: Iterable[Revision]) -> list[bytes]:
    return [revision.canonical for revision in built]
