"""What is admitted is kept until something better is accepted, and what leaves waits for the right to leave."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.decision import Author
from onboarding.build.kinds import NAMESPACE
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.reconcile.observed.admitted import read_admitted
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.snapshots import (
    GIT,
    confirm_delete,
    environment,
    live_of_spec,
    policy_of,
    revisions,
    snapshot_of,
    spec_of,
    unannotated,
    unconfirmed,
)

DEV, PROD = environment(), environment("prod", stage="prod")
HUB = "hub"
SITE_B = "site-b/kubeconfig"


def judged(after: Any, before: Any = None, **fields: Any) -> ReconcilePlan:
    """Judge a spec while what another one led to is in place."""
    return make_plan(snapshot_of(after, live_of_spec(before) if before else {}, **fields))


def deletable(snapshot: Snapshot) -> bool:
    return make_plan(snapshot).deletes("dev")


def built(plan: ReconcilePlan) -> list[tuple[str, str]]:
    return [(revision.environment, revision.cluster) for revision in plan.building]


def texts(building: Iterable[Revision]) -> list[bytes]:
    """Return revisions as they are remembered, which is what makes two of them equal."""
    return [revision.canonical for revision in building]


def only(plan: ReconcilePlan) -> Revision:
    (revision,) = plan.building
    return revision


def test_what_passes_its_checks_is_built_as_declared() -> None:
    spec = spec_of(DEV, PROD)
    plan = judged(spec)
    assert texts(plan.building) == texts(revisions(spec))
    assert (plan.held, plan.findings, plan.removing, plan.hold) == ({}, (), set(), "")


def test_an_accepted_candidate_replaces_the_admitted_revision() -> None:
    plan = judged(spec_of(environment(size="large")), spec_of(DEV))
    assert only(plan).resources.cpu == "8"


def test_a_held_environment_keeps_what_is_admitted() -> None:
    plan = judged(spec_of(environment(size="vast")), spec_of(DEV))
    assert texts(plan.building) == texts(revisions(spec_of(DEV)))
    assert plan.held.keys() == {"dev"}


def test_a_held_environment_that_was_never_admitted_gets_nothing() -> None:
    plan = judged(spec_of(environment(size="vast"), PROD))
    assert built(plan) == [("prod", HUB)]


def test_a_plan_keeps_what_is_admitted_and_removes_nothing() -> None:
    plan = judged(spec_of(environment(size="large"), mode="Plan"), spec_of(DEV, PROD))
    assert texts(plan.building) == texts(revisions(spec_of(DEV, PROD)))
    assert plan.removing == set()
    assert plan.held == {"dev": "spec.mode is Plan"}


@pytest.mark.parametrize("fields", [{"size": "vast"}, {"size": "large"}], ids=["held by a check", "held by a plan"])
def test_what_is_revoked_goes_while_all_else_is_held(fields: dict[str, str]) -> None:
    before = spec_of(
        DEV,
        team={"groups": {"admin": ["a", "b"], "viewer": ["c"]}},
        repositories=[{"name": "app", "url": GIT}, {"name": "data", "url": f"{GIT}2"}],
    )
    mode = "Plan" if fields["size"] == "large" else "Apply"
    after = spec_of(environment(**fields), team={"groups": {"admin": ["b", "new"]}}, mode=mode)
    kept = only(judged(after, before))
    assert [(binding.persona, binding.groups) for binding in kept.bindings] == [("admin", ("b",))]
    assert [repository.name for repository in kept.repositories] == ["app"]
    assert kept.resources.cpu == "2"


def test_a_repository_under_the_same_name_with_another_address_stays_until_that_is_admitted() -> None:
    after = spec_of(
        environment(size="vast"), repositories=[{"name": "app", "url": "https://git.example.org/other.git"}]
    )
    (kept,) = only(judged(after, spec_of(DEV))).repositories
    assert kept.url == GIT


def test_without_a_policy_everything_admitted_is_kept() -> None:
    plan = judged(spec_of(PROD), spec_of(DEV), policy=None, policy_problem="no policy")
    assert texts(plan.building) == texts(revisions(spec_of(DEV)))
    assert (plan.hold, plan.removing) == ("no policy", set())


def test_without_a_readable_spec_everything_admitted_is_kept() -> None:
    plan = judged(None, spec_of(DEV), problem="spec.owner: Field required")
    assert texts(plan.building) == texts(revisions(spec_of(DEV)))
    assert (plan.hold, plan.removing) == ("spec.owner: Field required", set())


def test_without_its_target_an_environment_keeps_what_is_admitted() -> None:
    plan = judged(spec_of(DEV), spec_of(DEV), targets={})
    assert texts(plan.building) == texts(revisions(spec_of(DEV)))
    assert [found.check.id for found in plan.findings] == ["TargetUnknown"]


def test_retained_environments_leave_at_once() -> None:
    plan = judged(spec_of(PROD), spec_of(DEV, PROD))
    assert (plan.removing, built(plan), plan.awaiting) == ({"dev"}, [("prod", HUB)], "")


def test_deletion_waits_for_a_decision_that_names_the_uid() -> None:
    after = spec_of(PROD, deletionPolicy="Delete")
    plan = judged(after, spec_of(DEV, PROD))
    assert (plan.removing, unconfirmed(plan)) == (set(), {"dev"})
    assert set(built(plan)) == {("dev", HUB), ("prod", HUB)}
    assert "ConfirmDelete" in plan.awaiting
    assert snapshot_of(after).project.uid in plan.awaiting


@pytest.mark.parametrize(
    ("deleting", "environment_", "confirmed"),
    [(False, None, True), (False, "dev", True), (False, "prod", False), (True, None, True), (True, "dev", False)],
    ids=["project", "this environment", "another environment", "project for all", "environment for all"],
)
def test_a_confirmation_counts_for_what_it_names(deleting: bool, environment_: str | None, confirmed: bool) -> None:
    decisions = (confirm_delete(environment_),)
    declared = (DEV,) if deleting else (PROD,)
    after = spec_of(*declared, deletionPolicy="Delete")
    plan = judged(after, spec_of(DEV), decisions=decisions, deleting=deleting)
    assert plan.removing == ({"dev"} if confirmed else set())
    assert unconfirmed(plan) == (set() if confirmed else {"dev"})
    assert plan.deletes("dev") is confirmed


def test_who_asks_cannot_answer() -> None:
    own = confirm_delete().model_copy(update={"by": Author(username="ada", groups=("shop-admins", "other"))})
    after = spec_of(PROD, deletionPolicy="Delete")
    plan = judged(after, spec_of(DEV), decisions=(own,))
    assert (plan.removing, unconfirmed(plan)) == (set(), {"dev"})
    assert "its author is in group shop-admins of the project" in plan.awaiting
    assert not deletable(snapshot_of(after, live_of_spec(spec_of(DEV)), decisions=(own,)))


def test_retain_never_deletes_even_where_confirmed() -> None:
    assert not deletable(snapshot_of(spec_of(DEV), live_of_spec(spec_of(DEV)), decisions=(confirm_delete(),)))
    assert not deletable(snapshot_of(None, live_of_spec(spec_of(DEV)), decisions=(confirm_delete(),)))


def test_a_deleted_project_lets_every_environment_go() -> None:
    plan = judged(spec_of(DEV, PROD), spec_of(DEV, PROD), deleting=True)
    assert (plan.removing, plan.building) == ({"dev", "prod"}, ())


def test_a_held_teardown_keeps_everything() -> None:
    plan = judged(spec_of(DEV), spec_of(DEV), deleting=True, teardown_hold="too many at once")
    assert (plan.removing, built(plan), plan.awaiting) == (set(), [("dev", HUB)], "too many at once")


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"target": "twin"}, "target 'main'"), ({"namespace": "own"}, "namespace 'shop-dev'")],
    ids=["target", "namespace"],
)
def test_an_environment_does_not_move(fields: dict[str, str], words: str) -> None:
    snapshot = snapshot_of(spec_of(environment(**fields)), live_of_spec(spec_of(DEV)))
    assert snapshot.policy is not None
    plan = make_plan(replace(snapshot, policy=snapshot.policy.model_copy(update={"allow_namespace_names": True})))
    assert [found.check.id for found in plan.findings] == ["EnvironmentMoved"]
    assert words in plan.findings[0].finding.message
    assert texts(plan.building) == texts(revisions(spec_of(DEV)))


def test_a_revision_that_no_annotation_holds_is_refused() -> None:
    groups = [f"{index:03}" + "g" * 240 for index in range(20)]
    repositories = [{"name": f"r{index}", "url": f"{GIT}/{'x' * 450}{index}", "path": "p" * 200} for index in range(10)]
    labels = {f"shop.projects/l{index:02}{'x' * 58}y": "v" * 63 for index in range(20)}
    spec = spec_of(environment(labels=labels), team={"groups": {"admin": groups}}, repositories=repositories)
    assert judged(spec).findings == ()
    huge = spec.model_copy(update={"description": "d" * 65536})
    plan = make_plan(snapshot_of(huge))
    assert [found.check.id for found in plan.findings] == ["RevisionTooLarge"]
    assert plan.building == ()


def test_an_admitted_revision_that_cannot_be_read_is_not_built_and_nothing_leaves() -> None:
    live = {
        key: item._replace(
            content=item.content.replace(b'"projectonboarding.io/admitted":"', b'"projectonboarding.io/admitted":"x'),
            admitted=read_admitted("x"),
        )
        if key.kind is NAMESPACE
        else item
        for key, item in live_of_spec(spec_of(DEV)).items()
    }
    held = make_plan(snapshot_of(spec_of(environment(size="vast")), live))
    assert held.admitted == {Place("dev", HUB): None}
    assert (held.building, held.removing, held.leaving) == ((), set(), set())
    assert texts(make_plan(snapshot_of(spec_of(DEV), live)).building) == texts(revisions(spec_of(DEV)))


def test_a_namespace_without_the_annotation_is_not_taken_for_another() -> None:
    live = {
        key: unannotated(item) if key.kind is NAMESPACE else item for key, item in live_of_spec(spec_of(DEV)).items()
    }
    assert make_plan(snapshot_of(spec_of(DEV), live)).admitted == {Place("dev", HUB): None}


def test_a_site_is_left_while_the_environment_stays_on_the_other() -> None:
    before = spec_of(environment(target="twin"))
    plan = judged(spec_of(environment(target="twin", sites=["a"])), before)
    assert (plan.leaving, plan.removing) == ({Place("dev", SITE_B)}, set())
    assert built(plan) == [("dev", HUB)]


def test_leaving_a_site_waits_for_its_confirmation_too() -> None:
    before = spec_of(environment(target="twin"))
    after = spec_of(environment(target="twin", sites=["a"]), deletionPolicy="Delete")
    plan = judged(after, before)
    assert (plan.leaving, unconfirmed(plan)) == (set(), {"dev"})
    assert set(built(plan)) == {("dev", HUB), ("dev", SITE_B)}


def behind_its_gate(*sites: str, **fields: Any) -> ReconcilePlan:
    """Return the plan of an environment that grows on these sites, was on both, and waits for its gate."""
    gate = {"name": "start", "opens": [{"stages": ["dev"]}]}
    live = live_of_spec(spec_of(environment(target="twin")))
    grown = spec_of(environment(target="twin", sites=sites, size="large"), **fields)
    return make_plan(snapshot_of(grown, live, policy=policy_of(gate, checks=[{"id": "SponsorNamed", "gate": "start"}])))


def test_a_site_that_is_no_longer_named_is_left_while_the_rest_of_the_change_waits() -> None:
    plan = behind_its_gate("a")
    assert (plan.held.keys(), plan.leaving, built(plan)) == ({"dev"}, {Place("dev", SITE_B)}, [("dev", HUB)])
    assert texts(plan.building) == texts(revisions(spec_of(environment(target="twin")))[:1])
    assert behind_its_gate().leaving == set()


def test_leaving_it_waits_for_its_confirmation_and_for_the_mode() -> None:
    unconfirmed_yet = behind_its_gate("a", deletionPolicy="Delete")
    assert (unconfirmed_yet.leaving, unconfirmed(unconfirmed_yet)) == (set(), {"dev"})
    assert len(built(unconfirmed_yet)) == 2
    planned = behind_its_gate("a", mode="Plan")
    assert (planned.leaving, len(built(planned))) == (set(), 2)


def test_a_refused_environment_leaves_no_site() -> None:
    before = spec_of(environment(target="twin"))
    plan = judged(spec_of(environment(target="twin", sites=["a"], size="vast")), before)
    assert plan.leaving == set()
    assert set(built(plan)) == {("dev", HUB), ("dev", SITE_B)}
