"""Finalizers remember the sites that a project was admitted on, and only those hold its deletion."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from onboarding import names
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import HUB, ObjectKey
from onboarding.build.naming import HUB_FINALIZER, site_finalizer
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.apply.finalizers import wanted_finalizers
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.reconciler import Retry
from tests.unit.snapshots import (
    CLUSTERS,
    SITES,
    STATE,
    TARGETS,
    environment,
    live_of_spec,
    sites_of,
    snapshot_of,
    spec_of,
    told,
)
from tests.unit.stage import Stage

BOTH = spec_of(environment(target="twin"))
ON_A, ON_B = site_finalizer("twin", "a"), site_finalizer("twin", "b")
ALL = (names.FINALIZER, ON_A, ON_B)
AWAY: Mapping[str, ClusterState] = {**CLUSTERS, "site-b/kubeconfig": ClusterState(problem="away")}
UNPLACED = spec_of(environment(size="vast"))
Live = Mapping[ObjectKey, CachedObject]
LIVE = live_of_spec(BOTH)
ON_HUB = {key: item for key, item in LIVE.items() if key.cluster == HUB}
LOST = {**TARGETS, "twin": HostingTargetSpec.model_validate({"sites": [SITES[0], {**SITES[1], "lost": True}]})}


def finalizers(snapshot: Snapshot, *present: str) -> tuple[str, ...]:
    """Return what a project with these finalizers has to have before its writes."""
    snapshot = replace(snapshot, project=replace(snapshot.project, finalizers=present))
    plan = make_plan(snapshot)
    return wanted_finalizers(snapshot, plan, find_changes(snapshot, plan, lambda _name: None))


def test_a_finalizer_is_readable_or_hashed() -> None:
    assert site_finalizer("edge", "bre") == "projectonboarding.io/teardown.edge.bre"
    long = site_finalizer("t" * 60, "bre")
    assert len(long.split("/")[1]) <= 63
    assert long != site_finalizer("t" * 60, "idf")


CASES: dict[str, tuple[Snapshot, tuple[str, ...], tuple[str, ...]]] = {
    "one patch before the first write": (snapshot_of(BOTH), ("other/one",), ("other/one", *ALL)),
    "in place": (snapshot_of(BOTH, LIVE), ALL, ALL),
    "nothing admitted": (snapshot_of(UNPLACED), (), ()),
    "a site that cannot be written to": (snapshot_of(BOTH, clusters=AWAY), (), (names.FINALIZER, ON_A)),
    "only the hub's objects": (
        snapshot_of(spec_of(environment(target="twin", sites=["b"])), clusters=AWAY),
        (),
        (names.FINALIZER, HUB_FINALIZER),
    ),
    "the site follows": (snapshot_of(BOTH, ON_HUB), (names.FINALIZER, HUB_FINALIZER), ALL),
    "left by an earlier version": (snapshot_of(BOTH, LIVE), (names.FINALIZER,), ALL),
    "left by an earlier version, not all seen": (
        snapshot_of(BOTH, ON_HUB, clusters=AWAY),
        (names.FINALIZER,),
        (names.FINALIZER,),
    ),
    "an environment left its sites": (snapshot_of(UNPLACED), ("other/one", *ALL), ("other/one",)),
    "one left a site that is away": (snapshot_of(UNPLACED, clusters=AWAY), ALL, (names.FINALIZER, ON_B)),
    "of a target that is gone": (snapshot_of(UNPLACED, targets={}), ALL, ALL),
    "of a lost site": (snapshot_of(BOTH, ON_HUB, targets=LOST, clusters={HUB: STATE}), ALL, (names.FINALIZER, ON_A)),
    "being deleted": (snapshot_of(BOTH, LIVE, deleting=True), ALL, ALL),
    "being deleted, empty on one": (snapshot_of(BOTH, ON_HUB, deleting=True), ALL, (names.FINALIZER, ON_A)),
    "being deleted, none is added": (snapshot_of(BOTH, LIVE, deleting=True), (names.FINALIZER,), (names.FINALIZER,)),
}


@pytest.mark.parametrize(("snapshot", "present", "wanted"), CASES.values(), ids=CASES)
def test_a_project_has_one_finalizer_for_each_site(
    snapshot: Snapshot, present: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    """One patch sets all that are known; one goes when its site is seen and empty, or lost."""
    assert set(finalizers(snapshot, *present)) == set(wanted)
    assert set(finalizers(snapshot, *wanted)) == set(wanted), "a second reconcile writes nothing"


def deleted(present: tuple[str, ...], **fields: Any) -> Stage:
    """Return a project of which nothing is left on the hub, with these finalizers."""
    snapshot = snapshot_of(BOTH, deleting=True, **fields)
    return Stage(replace(snapshot, project=replace(snapshot.project, finalizers=present)))


TEARDOWNS: dict[str, tuple[tuple[str, ...], dict[str, Any], tuple[str, ...] | None, str]] = {
    "on a site that is away": (ALL, {"clusters": AWAY}, (names.FINALIZER, ON_B), "TargetUnreachable"),
    "never on the site that is away": ((names.FINALIZER, ON_A), {"clusters": AWAY}, (), ""),
    "not known where": ((names.FINALIZER,), {"clusters": AWAY}, None, "TargetUnreachable"),
    "on a target that is gone": (ALL, {"targets": {}}, None, "TargetMissing"),
    "on a site that is lost": (ALL, {"targets": LOST, "clusters": {HUB: STATE}}, (), ""),
}


@pytest.mark.parametrize(("present", "fields", "left", "reason"), TEARDOWNS.values(), ids=TEARDOWNS)
async def test_only_sites_that_a_project_was_on_hold_its_deletion(
    present: tuple[str, ...], fields: dict[str, Any], left: tuple[str, ...] | None, reason: str
) -> None:
    stage = deleted(present, **fields)
    stage.clusters = fields.get("clusters", CLUSTERS)
    assert (await stage.reconciler.reconcile("shop")).retry is Retry.NO
    assert stage.finalizers == left
    assert (stage.ready()[1] if stage.status else "") == reason


async def test_an_event_tells_what_is_left_on_a_lost_site() -> None:
    """Once, when its finalizer goes: of a project that is being deleted nothing else would tell."""
    stage = deleted(ALL, targets=LOST, clusters={HUB: STATE}, status=told(snapshot_of(BOTH)))
    stage.clusters = {HUB: STATE}
    await stage.reconciler.reconcile("shop")
    event = next(item for item in stage.events if item.reason == "SiteLost")
    assert (event.reason, event.warning) == ("SiteLost", True)
    assert event.note == "site b of HostingTarget twin is declared lost; left there: Namespace shop-dev"


def conditions(status: Mapping[str, Any]) -> dict[str, Any]:
    return {item["type"]: item for item in status["conditions"]}


def on_both(snapshot: Snapshot, status: Mapping[str, Any] | None = None) -> Snapshot:
    """Return the snapshot of a project that was in place on both sites."""
    before = told(snapshot_of(BOTH)) if status is None else status
    return replace(snapshot, project=replace(snapshot.project, finalizers=ALL, status=before))


def test_what_is_not_visible_is_not_in_place() -> None:
    """A target that somebody deleted: after a restart there is no connection, and nothing of it is green."""
    gone = {name: target for name, target in TARGETS.items() if name != "twin"}
    status: Mapping[str, Any] | None = None
    for _ in range(2):
        snapshot = on_both(snapshot_of(BOTH, ON_HUB, targets=gone, clusters={HUB: STATE}), status)
        status = told(snapshot)
        found = conditions(status)
        assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "TargetMissing")
        assert "HostingTarget twin does not exist: the platform restores it" in found["Ready"]["message"]
        assert found["Provisioned"]["status"] == "False"
        assert {item["name"]: item["state"] for item in status["environments"][0]["sites"]} == {
            "a": "Ready",
            "b": "Unreachable",
        }


def test_a_target_that_is_gone_is_named_while_its_connection_stays() -> None:
    """What was admitted is built as before, so that it is repaired."""
    gone = {name: target for name, target in TARGETS.items() if name != "twin"}
    snapshot = on_both(snapshot_of(BOTH, LIVE, targets=gone, sites=sites_of(TARGETS)))
    assert {revision.site for revision in make_plan(snapshot).building} == {"a", "b"}
    assert conditions(told(snapshot))["Ready"]["reason"] == "TargetMissing"


def test_a_held_environment_on_a_site_that_is_away_is_not_in_place() -> None:
    """After a restart nothing is known of it but its finalizer."""
    held = spec_of(environment(target="twin", size="vast"))
    found = conditions(told(on_both(snapshot_of(held, ON_HUB, clusters=AWAY))))
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "TargetUnreachable")


def test_a_lost_site_gets_nothing_and_the_status_lists_what_was_left() -> None:
    """The other site is in place, so that the project is Ready."""
    snapshot = on_both(snapshot_of(BOTH, ON_HUB, targets=LOST, clusters={HUB: STATE}))
    assert {revision.site for revision in make_plan(snapshot).building} == {"a"}
    for before in (None, told(snapshot)):
        status = told(on_both(snapshot, before))
        assert conditions(status)["Ready"]["reason"] == "Ready"
        lost = status["environments"][0]["sites"][1]
        assert (lost["name"], lost["state"], lost["message"]) == (
            "b",
            "Lost",
            "site b of HostingTarget twin is declared lost; left there: Namespace shop-dev",
        )
    never = told(replace(snapshot, project=replace(snapshot.project, status={})))["environments"][0]["sites"][1]
    assert (never["state"], never["message"]) == (
        "Lost",
        "site b of HostingTarget twin is declared lost: nothing is written there",
    )


def test_a_target_whose_sites_are_all_lost_takes_nothing() -> None:
    one = {**TARGETS, "twin": HostingTargetSpec.model_validate({"sites": [{**SITES[1], "lost": True}]})}
    found = conditions(told(snapshot_of(BOTH, targets=one)))
    assert (found["Ready"]["status"], "is lost" in found["Ready"]["message"]) == ("False", True)
