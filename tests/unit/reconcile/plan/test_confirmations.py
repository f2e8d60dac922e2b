"""A removal under Delete is confirmed by a digest of its namespaces, and the decision ends with what it deleted."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE, ObjectKey
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.gates.confirmations import digest_of
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.status.ready import ready_state
from onboarding.reconcile.status.status import report
from tests.unit.snapshots import (
    CLUSTERS,
    DECIDED,
    STATE,
    confirm_delete,
    environment,
    live_of_spec,
    snapshot_of,
    spec_of,
)

Live = dict[ObjectKey, CachedObject]
DEV, TEST, TWIN = environment("dev"), environment("test"), environment("twin", target="twin")
SPEC = spec_of(DEV, TEST, TWIN, deletionPolicy="Delete")
SITE_B = "site-b/kubeconfig"
DOWN = {**CLUSTERS, SITE_B: ClusterState(problem="no answer")}


def spaces(live: Mapping[ObjectKey, CachedObject], *environments: str) -> Live:
    """Return the namespaces of some environments, or of all."""
    return {
        key: item
        for key, item in live.items()
        if key.kind is NAMESPACE and (not environments or item.environment in environments)
    }


def shown(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return the removals in the status."""
    plan = make_plan(snapshot)
    found: list[dict[str, Any]] = report(snapshot, plan, (), ready_state(snapshot, plan, ()), None).status.get(
        "removals", []
    )
    return found


def changes_of(snapshot: Snapshot) -> list[Change]:
    """Return the changes, without those of AppProjects, which are narrowed as soon as a removal is confirmed."""
    changes = find_changes(snapshot, make_plan(snapshot), {})
    return [change for change in changes if change.key.kind is not APP_PROJECT or change.action is Action.DELETE]


def marked(item: CachedObject, change: Change) -> CachedObject:
    """Return a namespace as the API server stores it after a mark."""
    content = orjson.loads(item.content)
    content["metadata"]["annotations"] |= (change.body or {})["metadata"]["annotations"]
    return item._replace(content=orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def step(snapshot: Snapshot, only: int | None = None) -> Snapshot:
    """Carry out the changes of one reconcile, or only the first of them, as if the operator crashed then."""
    live = dict(snapshot.live)
    for change in changes_of(snapshot)[:only]:
        if change.action is Action.DELETE:
            del live[change.key]
            inside = [key for key in live if change.key.kind is NAMESPACE and key.namespace == change.key.name]
            for key in inside:
                if key.cluster == change.key.cluster:
                    del live[key]
        elif change.key.kind is NAMESPACE:
            live[change.key] = marked(live[change.key], change)
    return replace(snapshot, live=live)


def deleting(*decisions: DatedDecision, live: Live | None = None, **fields: Any) -> Snapshot:
    return snapshot_of(SPEC, live_of_spec(SPEC) if live is None else live, deleting=True, decisions=decisions, **fields)


def test_the_status_shows_count_first_ten_and_one_digest() -> None:
    names_ = [f"env{index:02}" for index in range(12)]
    spec = spec_of(*(environment(name) for name in names_), deletionPolicy="Delete")
    snapshot = snapshot_of(spec, live_of_spec(spec), deleting=True)
    (removal,) = shown(snapshot)
    assert removal == {
        "namespaces": 12,
        "first": [f"shop-{name}" for name in names_[:10]],
        "digest": digest_of(spaces(snapshot.live)),
    }


def test_each_environment_that_is_removed_has_a_digest_of_its_own() -> None:
    snapshot = snapshot_of(spec_of(DEV, deletionPolicy="Delete"), live_of_spec(SPEC))
    removals = {item["environment"]: (item["namespaces"], item["digest"]) for item in shown(snapshot)}
    assert removals == {
        name: (count, digest_of(spaces(snapshot.live, name))) for name, count in (("test", 1), ("twin", 2))
    }
    assert ["shop-twin", f"shop-twin on {SITE_B}"] == shown(snapshot)[1]["first"]


def test_the_digest_is_of_cluster_name_and_uid() -> None:
    (key, item), *_ = spaces(live_of_spec(SPEC)).items()
    digests = {
        digest_of({key: item}),
        digest_of({key: item._replace(uid="other")}),
        digest_of({key._replace(name="other"): item}),
        digest_of({key._replace(cluster="other"): item}),
        digest_of({}),
    }
    assert len(digests) == 5


def test_everything_is_marked_before_anything_goes_and_the_decision_counts_to_the_end() -> None:
    digest = digest_of(spaces(live_of_spec(SPEC)))
    snapshot = deleting(confirm_delete(digest=digest))
    first = changes_of(snapshot)
    assert {(change.action, change.key.kind) for change in first} == {(Action.CHANGE, NAMESPACE)}
    assert {change.key for change in first} == set(spaces(snapshot.live))
    mark = {item.uid: f"{digest}/{item.uid}" for item in snapshot.live.values()}
    for change in first:
        assert change.live
        assert change.body == {"metadata": {"annotations": {names.ANNOTATION_CONFIRMED: mark[change.live.uid]}}}
    rounds = 0
    while snapshot.live and rounds < 40:
        # One change at a time: after each of them the operator may have been started again.
        snapshot, rounds = step(snapshot, only=1), rounds + 1
        assert not make_plan(snapshot).awaiting
    assert snapshot.live == {}


def test_a_namespace_that_came_later_is_not_confirmed_and_the_others_go() -> None:
    digest = digest_of(spaces(live_of_spec(SPEC)))
    snapshot = step(deleting(confirm_delete(digest=digest)))
    again = {
        key: item._replace(uid="uid-again") if item.environment == "test" and key.kind is NAMESPACE else item
        for key, item in snapshot.live.items()
    }
    snapshot = replace(snapshot, live=again)
    plan = make_plan(snapshot)
    assert plan.removing == {"dev", "twin"}
    assert "its digest is that of other namespaces" in plan.awaiting
    (removal,) = shown(snapshot)
    assert (removal["namespaces"], removal["first"]) == (1, ["shop-test"])
    for _ in range(5):
        snapshot = step(snapshot)
    assert set(spaces(snapshot.live)) == set(spaces(again, "test"))
    confirmed = replace(snapshot, decisions=(*snapshot.decisions, confirm_delete(digest=removal["digest"])))
    for _ in range(5):
        confirmed = step(confirmed)
    assert confirmed.live == {}


DIGEST = digest_of(spaces(live_of_spec(SPEC)))
OF_TEST = digest_of(spaces(live_of_spec(SPEC), "test"))
COUNTS: dict[str, tuple[bool, dict[str, Any], set[str]]] = {
    "project": (True, {"digest": DIGEST}, {"dev", "test", "twin"}),
    "part of the project": (True, {"digest": OF_TEST}, set()),
    "environment for the project": (True, {"digest": DIGEST, "environment": "dev"}, set()),
    "another digest": (True, {"digest": f"v2:{'0' * 64}"}, set()),
    "before, without a digest": (True, {}, {"dev", "test", "twin"}),
    "older than the namespaces": (True, {"created": "2025-12-31T23:59:59Z"}, set()),
    "by a member of the project": (True, {"digest": DIGEST, "by": "ada@example.org"}, set()),
    "environment": (False, {"digest": OF_TEST, "environment": "test"}, {"test"}),
    "environment, without its name": (False, {"digest": OF_TEST}, {"test"}),
    "another environment": (False, {"digest": OF_TEST, "environment": "twin"}, set()),
    "project for an environment": (False, {"digest": DIGEST}, set()),
    "environment, without a digest": (False, {"environment": "test"}, {"test"}),
}


@pytest.mark.parametrize(("whole", "fields", "removed"), COUNTS.values(), ids=COUNTS)
def test_a_confirmation_counts_for_the_namespaces_that_it_names(
    whole: bool, fields: dict[str, Any], removed: set[str]
) -> None:
    spec = SPEC if whole else spec_of(DEV, deletionPolicy="Delete")
    decision = confirm_delete(**fields)
    plan = make_plan(snapshot_of(spec, live_of_spec(SPEC), deleting=whole, decisions=(decision,)))
    assert plan.removing == removed
    assert bool(plan.awaiting) is (removed != ({"dev", "test", "twin"} if whole else {"test", "twin"}))


@pytest.mark.parametrize(
    ("created", "goes"), [("2026-01-01T23:59:59Z", True), (DECIDED, True), ("2026-01-02T00:00:01Z", False), ("", False)]
)
def test_a_decision_without_a_digest_is_about_what_was_created_before_it(created: str, goes: bool) -> None:
    live = {key: item._replace(created=created) if item.created else item for key, item in live_of_spec(SPEC).items()}
    assert bool(make_plan(deleting(confirm_delete(), live=live)).awaiting) is not goes


def test_the_digest_waits_for_a_site_that_cannot_be_read_and_names_it() -> None:
    finalizers = ("projectonboarding.io/teardown", "projectonboarding.io/site-hub", "projectonboarding.io/site-twin.b")
    seen = deleting(confirm_delete(digest=DIGEST), clusters=DOWN)
    snapshot = replace(seen, project=replace(seen.project, finalizers=finalizers))
    assert make_plan(snapshot).awaiting
    (removal,) = shown(snapshot)
    assert "digest" not in removal
    assert "no answer" in removal["waitingFor"][0]
    back = replace(snapshot, clusters=CLUSTERS)
    assert (make_plan(back).awaiting, make_plan(back).marking) == ("", True)


def test_a_site_that_goes_away_meanwhile_stops_the_removal_and_takes_nothing_of_the_decision() -> None:
    snapshot = step(deleting(confirm_delete(digest=DIGEST)))
    assert changes_of(snapshot)
    down = replace(
        snapshot,
        clusters=DOWN,
        live={key: item for key, item in snapshot.live.items() if key.cluster != SITE_B},
    )
    assert (changes_of(down), make_plan(down).awaiting) == ([], "")
    assert ready_state(down, make_plan(down), ()).reason == "TargetUnreachable"
    back = replace(down, clusters={**CLUSTERS, SITE_B: STATE}, live=snapshot.live)
    for _ in range(5):
        back = step(back)
    assert back.live == {}


def test_a_site_that_an_environment_leaves_has_a_digest_of_its_own() -> None:
    after = spec_of(environment("twin", target="twin", sites=["a"]), deletionPolicy="Delete")
    live = live_of_spec(spec_of(TWIN))
    snapshot = snapshot_of(after, live)
    (removal,) = shown(snapshot)
    assert removal["first"] == [f"shop-twin on {SITE_B}"]
    confirmed = replace(snapshot, decisions=(confirm_delete("twin", digest=removal["digest"]),))
    for _ in range(5):
        confirmed = step(confirmed)
    assert {key.cluster for key in spaces(confirmed.live)} == {"hub"}


def test_an_environment_that_comes_back_loses_its_mark() -> None:
    declared = spec_of(TEST, deletionPolicy="Delete")
    live = live_of_spec(declared)
    decision = confirm_delete("test", digest=digest_of(spaces(live)))
    gone = step(snapshot_of(spec_of(deletionPolicy="Delete"), live, decisions=(decision,)))
    back = snapshot_of(declared, gone.live, decisions=(decision,))
    (change,) = changes_of(back)
    assert change.body == {"metadata": {"annotations": {names.ANNOTATION_CONFIRMED: None}}}


def test_the_mark_goes_where_a_namespace_is_detached() -> None:
    snapshot = step(deleting(confirm_delete(digest=DIGEST)))
    retained = replace(snapshot, project=replace(snapshot.project, spec=spec_of(DEV, TEST, TWIN)))
    live = {key: item for key, item in retained.live.items() if key.kind is not APPLICATION}
    detached = [change for change in changes_of(replace(retained, live=live)) if change.key.kind is NAMESPACE]
    assert len(detached) == 4
    for change in detached:
        annotations = (change.body or {})["metadata"]["annotations"]
        assert (change.action, annotations[names.ANNOTATION_CONFIRMED]) == (Action.DETACH, None)


def test_a_copy_of_a_marked_namespace_is_not_confirmed() -> None:
    """A backup brings annotations back, on a namespace with another UID."""
    snapshot = step(deleting(confirm_delete(digest=DIGEST)))
    copied = {key: item._replace(uid=f"{item.uid}-restored") for key, item in spaces(snapshot.live, "dev").items()}
    plan = make_plan(replace(snapshot, live=copied))
    assert (plan.removing, bool(plan.awaiting)) == (frozenset(), True)
