"""Objects that are gone, replaced or immutable by the time of their change."""

import pytest

from onboarding.build.kinds import (
    APPLICATION,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    ChildKind,
)
from onboarding.reconcile.apply.diff import diff_objects
from onboarding.reconcile.apply.outcome import Result
from onboarding.reconcile.observed.cached_object import cached_object_of
from tests.unit.fakes import FakeCluster
from tests.unit.reconcile.apply.test_execute import QUOTA, first, removal, work


@pytest.mark.parametrize("cascade", [True, False])
async def test_what_has_gone_already_is_done(cascade: bool) -> None:
    cluster, item = FakeCluster(), first(APPLICATION)
    cluster.put(item.key, item.manifest)
    change = removal(cluster, item, cascade=cascade)
    cluster.objects.clear()
    (outcome,) = await work(cluster, [change])
    assert outcome.result is Result.DONE


@pytest.mark.parametrize("kind", [APPLICATION, RESOURCE_QUOTA])
async def test_another_object_under_the_same_name_is_not_deleted(kind: ChildKind) -> None:
    """It may carry our labels as the former did: the UID counts."""
    cluster, item = FakeCluster(), first(kind)
    cluster.put(item.key, item.manifest)
    change = removal(cluster, item)
    cluster.put(item.key, {**item.manifest, "metadata": {**item.manifest["metadata"], "uid": "another"}})
    (outcome,) = await work(cluster, [change])
    assert (outcome.result, bool(outcome.message)) == (Result.STALE, True)
    assert item.key in cluster.objects


async def test_an_object_with_an_immutable_field_is_deleted_and_made_again() -> None:
    cluster, item = FakeCluster(), first(ROLE_BINDING)
    cluster.put(QUOTA.key, QUOTA.manifest)
    live = cached_object_of(item.key.kind, cluster.put(item.key, {**item.manifest, "roleRef": {"name": "other"}}))
    (outcome,) = await work(cluster, diff_objects([item], {item.key: live}))
    assert ([verb for verb, _ in cluster.log], outcome.result) == (["delete", "create"], Result.DONE)
    assert cluster.objects[item.key]["roleRef"] == item.manifest["roleRef"]
