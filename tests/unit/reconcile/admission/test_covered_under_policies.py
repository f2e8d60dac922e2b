"""What policies make of a declaration is no change of it, and what waits takes nothing along that needs it."""

from onboarding.reconcile.plan.planner import make_plan
from tests.unit.reconcile.admission.test_covered import (
    BASE,
    BEFORE,
    CONFIGURATION,
    COVERS,
    GIT,
    ONE,
    PROD,
    TWO,
    approve,
    changes,
    declared,
    policy,
    snapshot,
)
from tests.unit.snapshots import approved, built, policy_of


def test_a_change_of_the_policy_is_not_a_change_of_the_declaration() -> None:
    """A size that the platform makes larger reaches what was approved."""
    covers = COVERS[3]
    live = built(snapshot(BASE, covers, *approve(BASE, covers)))
    larger = tuple(size.model_copy(update={"cpu": "3"}) for size in policy(*covers).sizes)
    grown = policy(*covers).model_copy(update={"sizes": larger})
    plan = make_plan(snapshot(BASE, covers, *approve(BASE, covers), live=live, policy=grown))
    assert ([revision.resources.cpu for revision in plan.building], plan.held) == (["3"], {})


def test_a_new_check_of_the_policy_is_not_a_change_of_the_declaration() -> None:
    """Its fields are covered from now on: what is there stays, and the gate asks for an approval of them."""
    covers = COVERS[3]
    live = built(snapshot(BASE, covers, *approve(BASE, covers)))
    rule = policy_of(checks=[{"id": "RunAcknowledged", "gate": "live", "severity": "Warning"}]).checks
    asking = policy(*covers).model_copy(update={"checks": rule})
    plan = make_plan(snapshot(BASE, covers, *approve(BASE, covers), live=live, policy=asking))
    assert (plan.held, changes(plan), [gate.state for gate in plan.gates]) == ({}, [], ["Passed"])
    owner = BASE.model_copy(update={"owner": BASE.owner.model_copy(update={"email": "eve@example.org"})})
    once = built(snapshot(BASE, covers, *approve(BASE, covers), live=live, policy=asking))
    plan = make_plan(snapshot(owner, covers, *approve(BASE, covers), live=once, policy=asking))
    assert changes(plan) == ["Admission"], "a change of what the check reads waits"


def test_a_repository_whose_value_files_wait_keeps_what_is_admitted() -> None:
    """Only Configuration is covered: the new repository of values waits with its URL, and so does what needs it."""
    values = {"name": "values", "url": f"{GIT}/values.git", "revision": ONE, "deploys": False}
    helm = {"valueFiles": ["a.yaml"], "valuesRepository": "values"}
    more = {"repositories": [{**BEFORE["repositories"][0], "revision": TWO, "helm": helm}, values]}
    after, covers = declared(PROD, **{**BEFORE, **more}), (CONFIGURATION,)
    live = built(snapshot(BASE, covers, *approve(BASE, covers)))
    (revision,) = make_plan(snapshot(after, covers, *approve(BASE, covers), live=live)).building
    ((app,), values_of) = revision.repositories, revision.value_repositories
    assert (app.revision, app.helm, values_of) == (ONE, None, ())
    whole = snapshot(after, covers, *approve(after, covers), live=live)
    (revision,) = make_plan(whole).building
    assert [item.name for item in (*revision.repositories, *revision.value_repositories)] == ["app", "values"]


def test_to_name_the_default_journey_is_no_change() -> None:
    covers, usual = COVERS[3], policy_of(journeyRules=[{"name": "usual", "lastGate": "live"}]).journey_rules
    rules = policy(*covers).model_copy(update={"default_journey": "usual", "journey_rules": usual})
    given = approved(BASE, rules, "live", "poa")
    live = built(snapshot(BASE, covers, *given, policy=rules))
    named = BASE.model_copy(update={"journey": "usual"})
    plan = make_plan(snapshot(named, covers, *given, live=live, policy=rules))
    assert (plan.held, changes(plan)) == ({}, [])
