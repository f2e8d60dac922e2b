"""An environment whose namespace is gone is rebuilt, held or not; or its project says what holds its return."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.namespace import build_namespace
from onboarding.build.revision import Revision, digest
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.cached_object import cached_object_of
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.reconciler import Retry
from tests.unit.situations import GATED, NO_POLICY, SUSPENDED, conditions, status_of
from tests.unit.snapshots import (
    OWNER,
    built,
    environment,
    live_of_spec,
    policy_of,
    revisions,
    snapshot_of,
    spec_of,
    stored,
    with_status,
)
from tests.unit.stage import Stage

DEV = environment()
SPEC = spec_of(DEV)
(REVISION,) = revisions(SPEC)
SPACE = ObjectKey("hub", NAMESPACE, "", "shop-dev")
GONE = {SPACE: GoneNamespace(OWNER, "dev", REVISION)}
BEFORE = status_of(snapshot_of(SPEC, live_of_spec(SPEC)))
UNAPPROVED = GATED.model_copy(update={"gates": (GATED.gates[1].model_copy(update={"opens": GATED.gates[0].opens}),)})
CLOSED = policy_of({"name": "build", "opens": [{"stages": ["dev"]}]}, checks=[{"id": "SponsorNamed", "gate": "build"}])
HOLDS: dict[str, Snapshot] = {
    "refused": snapshot_of(spec_of({**DEV, "size": "vast"})),
    "suspended": snapshot_of(SPEC, **SUSPENDED),
    "without a policy": snapshot_of(SPEC, **NO_POLICY),
    "without a readable spec": snapshot_of(None, problem="spec.newField: a newer operator wrote it"),
    "planned": snapshot_of(spec_of(DEV, mode="Plan")),
    "behind a gate": snapshot_of(SPEC, policy=CLOSED),
    "behind an approval that nobody gave": snapshot_of(SPEC, policy=UNAPPROVED),
    "not held": snapshot_of(SPEC),
}


def bare(plan: ReconcilePlan) -> tuple[Revision, ...]:
    """Return what is built, without the declared fields that an approval covers."""
    return tuple(revision.with_values(declared={}) for revision in plan.building)


@pytest.mark.parametrize("held", HOLDS.values(), ids=HOLDS)
def test_what_went_while_the_operator_watched_is_rebuilt(held: Snapshot) -> None:
    """Its last admitted revision is built, whatever holds the environment; nothing but that."""
    assert bare(make_plan(replace(held, gone=GONE))) == (REVISION,)


UNWANTED: dict[str, Snapshot] = {
    "removed": snapshot_of(spec_of(environment("other"))),
    "removed under a suspension": snapshot_of(spec_of(environment("other")), **SUSPENDED),
    "removed under a broken policy": snapshot_of(spec_of(environment("other")), **NO_POLICY),
    "moved": snapshot_of(spec_of({**DEV, "target": "strict"}), **SUSPENDED),
    "left its site": snapshot_of(spec_of({**DEV, "sites": ["b"]}), **SUSPENDED),
    "being deleted": snapshot_of(SPEC, deleting=True),
}


@pytest.mark.parametrize("snapshot", UNWANTED.values(), ids=UNWANTED)
def test_what_the_project_does_not_declare_any_more_is_not_rebuilt(snapshot: Snapshot) -> None:
    assert "dev" not in {revision.environment for revision in make_plan(replace(snapshot, gone=GONE)).building}


async def test_what_the_project_removes_is_forgotten() -> None:
    """Else it would be rebuilt, past its gate, once it is declared again."""
    stage = Stage(snapshot_of(SPEC))
    stage.cluster.lost = dict(GONE)
    stage.snapshot = snapshot_of(spec_of(environment("other")))
    await stage.settle()
    assert stage.cluster.lost == {}


async def test_a_deleted_project_is_forgotten() -> None:
    stage = Stage(replace(snapshot_of(SPEC), project=replace(snapshot_of(SPEC).project, deleting=True, finalizers=())))
    stage.cluster.lost = dict(GONE)
    assert (await stage.reconciler.reconcile("shop")).retry is Retry.NO
    assert stage.cluster.lost == {}


def restarted(snapshot: Snapshot, status: Mapping[str, Any] = BEFORE) -> Snapshot:
    """Return the snapshot of an operator that knows nothing but the last status."""
    return replace(snapshot, project=replace(snapshot.project, status=status))


@pytest.mark.parametrize(
    "name", ["suspended", "planned", "behind a gate", "behind an approval that nobody gave", "not held"]
)
def test_what_went_unseen_is_rebuilt_if_the_spec_comes_to_the_same(name: str) -> None:
    """The status has the digest of the revision: what the spec comes to is compared with it."""
    plan = make_plan(restarted(HOLDS[name]))
    assert (bare(plan), plan.missing) == ((REVISION,), {})


@pytest.mark.parametrize(("name", "words"), [("refused", "vast"), ("without a policy", "no size nosuch")])
def test_what_went_unseen_and_cannot_be_rebuilt_is_named(name: str, words: str) -> None:
    """Ready is False with the namespace and what holds its return, and stays so from one reconcile to the next."""
    status: Mapping[str, Any] = BEFORE
    for _ in range(2):
        snapshot = restarted(HOLDS[name], status)
        status = status_of(snapshot)
        found = conditions(dict(status))
        ready = found["Ready"]
        assert (ready["status"], ready["reason"], found["Provisioned"]["status"]) == ("False", "NamespaceGone", "False")
        assert "Namespace shop-dev of environment dev on site a is gone, and held: " in ready["message"]
        assert words in ready["message"]
        assert "Stalled" in found
        (site,) = status["environments"][0]["sites"]
        assert (site["state"], site["revision"]) == ("Gone", BEFORE["environments"][0]["sites"][0]["revision"])
    assert status_of(restarted(snapshot_of(SPEC), status))["environments"][0]["sites"][0]["state"] == "Ready"


def test_what_went_unseen_is_remembered_while_the_spec_cannot_be_read() -> None:
    """The status names it until the spec can be read again, which rebuilds it."""
    unreadable = status_of(restarted(HOLDS["without a readable spec"]))
    assert unreadable["environments"][0]["sites"][0]["state"] == "Gone"
    assert make_plan(restarted(snapshot_of(SPEC, policy=CLOSED), unreadable)).building == (REVISION,)


def test_a_changed_spec_is_not_what_was_admitted() -> None:
    """A size that nobody has admitted does not come in by the way of a lost namespace."""
    plan = make_plan(restarted(snapshot_of(spec_of({**DEV, "size": "large"}), policy=CLOSED)))
    assert plan.building == ()
    assert [site.namespace for site in plan.missing] == ["shop-dev"]


@pytest.mark.parametrize(
    "snapshot",
    [
        *UNWANTED.values(),
        snapshot_of(SPEC, clusters={"hub": ClusterState(problem="away")}, **NO_POLICY),
        snapshot_of(SPEC, live_of_spec(SPEC)),
    ],
)
def test_nothing_is_missing_that_is_not_wanted_not_visible_or_there(snapshot: Snapshot) -> None:
    assert make_plan(restarted(snapshot)).missing == {}


def test_a_site_that_its_target_drops_is_not_missing() -> None:
    """It was detached, and only the status of before tells of it."""
    sites = {key: item._replace(declared=False) for key, item in snapshot_of(SPEC).sites.items()}
    assert make_plan(restarted(snapshot_of(SPEC, sites=sites, **NO_POLICY))).missing == {}


def test_what_is_in_trouble_is_remembered_through_it() -> None:
    """The revision that was in place stays in the status while a site gives no answer, and after a restart then."""
    away = {"hub": ClusterState(problem="away")}
    status = status_of(restarted(snapshot_of(SPEC, clusters=away)))
    (site,) = status["environments"][0]["sites"]
    assert (site["state"], site["revision"]) == ("Unreachable", BEFORE["environments"][0]["sites"][0]["revision"])


def test_a_namespace_that_somebody_is_deleting_is_waited_for() -> None:
    """It is admitted all the while: a held environment does not look in place when its namespace goes."""
    live = built(snapshot_of(SPEC))
    going = stored(build_namespace(OWNER, REVISION), 5, deletionTimestamp="2026-01-01T00:00:00Z")
    live[SPACE] = cached_object_of(NAMESPACE, going)
    snapshot = snapshot_of(SPEC, live, policy=CLOSED)
    assert make_plan(replace(snapshot, gone=GONE)).building == (REVISION,)


def test_what_a_version_without_a_record_of_domains_had_in_place_comes_back() -> None:
    """The digest in the status is that of a revision without domains; the one that is rebuilt records them."""
    spec = spec_of(environment(domains=["shop.example.org"]))
    (now,) = revisions(spec)
    status = status_of(snapshot_of(spec, live_of_spec(spec)))
    (site,) = status["environments"][0]["sites"]
    site["revision"] = digest(now.with_values(domains=None).canonical)
    plan = make_plan(with_status(snapshot_of(spec), status))
    assert bare(plan) == (now,)
    assert not plan.missing
