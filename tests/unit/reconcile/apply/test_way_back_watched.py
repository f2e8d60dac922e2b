"""A detached object outside a namespace of ours, or of a former project of the name, is not taken back."""

import pytest

from onboarding import names
from onboarding.build.kinds import (
    RESOURCE_QUOTA,
    ChildKind,
    ObjectKey,
)
from onboarding.build.revision import Owner
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.diff import Action, diff_objects
from onboarding.reconcile.apply.execute import execute
from onboarding.reconcile.apply.outcome import Result
from tests.unit.fakes import FakeCluster, plainly
from tests.unit.reconcile.apply.test_way_back import SPACE, SPEC, WANTED, detached, execute_all, forged, work
from tests.unit.reconcile.observed.test_origin import DETACHED
from tests.unit.snapshots import OWNER, live_of_spec, revisions


@pytest.mark.parametrize("kind", DETACHED, ids=lambda kind: kind.kind)
async def test_an_object_counts_only_in_a_namespace_that_is_ours(kind: ChildKind) -> None:
    """It may be reached alone where somebody gave the namespace back by hand."""
    item = next(item for item in WANTED if item.key.kind is kind)
    cluster = detached()
    cluster.put(SPACE, next(item.manifest for item in WANTED if item.key == SPACE))
    outcomes = await work(cluster)
    assert Action.RECLAIM in {o.change.action for o in outcomes if o.change.key == item.key and o.result is Result.DONE}
    stranger = FakeCluster()
    stranger.put(item.key, forged(kind))
    stranger.put(SPACE, {"metadata": {"name": "shop-dev"}})
    (change,) = diff_objects([item], {})
    quotas = {ObjectKey("hub", RESOURCE_QUOTA, "shop-dev", "x"): live_of_spec(SPEC)[_quota()]}
    stranger.owned = lambda _project: quotas  # type: ignore[method-assign]
    outcomes = await execute_all(stranger, [change])
    assert [(o.result, o.told) for o in outcomes] == [(Result.CONFLICT, False)]
    assert names.LABEL_PROJECT not in stranger.objects[item.key]["metadata"].get("labels", {})


def _quota() -> ObjectKey:
    return next(item.key for item in WANTED if item.key.kind is RESOURCE_QUOTA)


async def test_a_former_incarnation_is_told_as_such() -> None:
    cluster = FakeCluster()
    for item in build_wanted(Owner("inst-1", "shop", "old"), revisions(SPEC)):
        cluster.put(item.key, item.manifest)
    before = dict(cluster.objects)
    outcomes = await execute(
        OWNER,
        diff_objects(WANTED, {}),
        {"hub": cluster},
        {"hub": cluster.state},
        *plainly(),
    )
    results = {outcome.change.key.kind.kind: outcome for outcome in outcomes}
    assert results["Namespace"].result is results["AppProject"].result is Result.FORMER
    assert "UID old" in results["Namespace"].message
    assert "nothing is lost" in results["Namespace"].message
    assert cluster.objects == before
    assert cluster.log == [], "all of it is known from the watches"
