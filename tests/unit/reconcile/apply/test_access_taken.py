"""What takes access away waits for nothing; what takes a restriction away waits like what grants."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from onboarding.build.kinds import (
    APPLICATION,
    CHILD_KINDS,
    LIMIT_RANGE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    ChildKind,
    ObjectKey,
)
from onboarding.reconcile.apply.access import gives, takes
from onboarding.reconcile.apply.diff import Action, Change, Rank, diff_objects, rank_of
from onboarding.reconcile.apply.outcome import Result
from onboarding.reconcile.observed.cached_object import cached_object_of
from tests.unit.fakes import FakeCluster
from tests.unit.reconcile.apply.test_access_last import DOWN, GRANTING, WANTED, Refusing, in_place, one, work


def binding_change(subjects: Sequence[str], had: Sequence[str], action: Action = Action.CHANGE) -> Change:
    item = one(ROLE_BINDING)
    live = cached_object_of(ROLE_BINDING, {**FakeCluster().put(item.key, item.manifest), "subjects": named(had)})
    return Change(action, item.key, Rank.ACCESS, "dev", "hub", {"subjects": named(subjects)}, live)


def named(subjects: Sequence[str]) -> list[dict[str, str]]:
    return [{"kind": "Group", "name": name} for name in subjects]


TAKING = {
    "one of two groups": (binding_change(["a"], ["a", "b"]), True),
    "another group": (binding_change(["b"], ["a"]), False),
    "one more group": (binding_change(["a", "b"], ["a"]), False),
    "the same groups in another order": (binding_change(["b", "a"], ["a", "b"]), True),
    "a label alone": (replace(binding_change([], ["a"]), body={"metadata": {"labels": {"x": "y"}}}), True),
    "another role": (binding_change(["a"], ["a"], Action.REPLACE), False),
    "a deletion": (binding_change([], ["a"], Action.DELETE), True),
    "a detachment": (binding_change([], ["a"], Action.DETACH), False),
}


@pytest.mark.parametrize(("change", "taking"), TAKING.values(), ids=TAKING)
def test_what_only_takes_access_away_is_known(change: Change, taking: bool) -> None:
    assert takes(change) is taking
    assert gives(change) is (not taking and change.action is not Action.DETACH)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.kind)
def test_no_change_gives_and_takes(kind: ChildKind, action: Action) -> None:
    key = next(item.key for item in WANTED if item.key.kind is kind)
    change = Change(action, key, rank_of(kind), "dev", "hub", {})
    assert not (gives(change) and takes(change))
    if kind in GRANTING and action is Action.CREATE:
        assert gives(change)
    if kind in GRANTING and action is Action.DELETE:
        assert takes(change)


async def test_what_is_taken_away_waits_for_nothing() -> None:
    """While a webhook refuses the quota, a group that left and an Application go all the same, and first of all."""
    cluster = Refusing(RESOURCE_QUOTA)
    in_place(cluster)
    quota, binding, application = one(RESOURCE_QUOTA), one(ROLE_BINDING, name="viewer"), one(APPLICATION)
    cluster.objects[quota.key] = {**cluster.objects[quota.key], "spec": {"hard": {"pods": "1"}}}
    live = cluster.owned("shop")
    changes = diff_objects([quota], live)
    changes += [
        Change(Action.DELETE, item.key, Rank.REMOVALS, "dev", "hub", None, live[item.key])
        for item in (binding, application)
    ]
    results = {outcome.change.key: outcome.result for outcome in await work(cluster, changes)}
    assert results == {quota.key: Result.FAILED, binding.key: Result.DONE, application.key: Result.DONE}
    assert cluster.log[0] == ("delete", binding.key)


@pytest.mark.parametrize("action", [Action.CHANGE, Action.REPLACE])
async def test_of_a_change_that_waits_what_it_takes_away_is_done(action: Action) -> None:
    """A group exchanged for another loses access at once; the other one waits for the quota."""
    cluster, binding = FakeCluster(), one(ROLE_BINDING)
    in_place(cluster)
    other = {"roleRef": {"name": "cluster-admin"}} if action is Action.REPLACE else {"subjects": named(["former"])}
    cluster.objects[binding.key] = {**cluster.objects[binding.key], **other}
    cluster.counting = False
    quota = one(RESOURCE_QUOTA)
    cluster.objects[quota.key] = {**cluster.objects[quota.key], "status": {}}
    (outcome,) = await work(cluster, diff_objects([binding], cluster.owned("shop")))
    assert (outcome.change.action, outcome.result) == (action, Result.UNCONFIRMED)
    found = cluster.objects.get(binding.key)
    assert found is None if action is Action.REPLACE else found and found["subjects"] == []


@pytest.mark.parametrize("kind", [RESOURCE_QUOTA, NETWORK_POLICY], ids=lambda kind: kind.kind)
async def test_a_hole_is_closed_at_once_but_never_the_last_policy(kind: ChildKind) -> None:
    """Without its default policy a namespace would be open when its last one goes."""
    cluster = FakeCluster()
    live = in_place(cluster)
    item = one(kind, name="default-deny" if kind is NETWORK_POLICY else "")
    hole = one(NETWORK_POLICY, name="allow-same-namespace")
    cluster.broken = {("change", kind.kind): DOWN}
    changed = Change(Action.CHANGE, item.key, Rank.RESTRICTIONS, "dev", "hub", {"spec": {}}, live[item.key])
    closing = Change(Action.DELETE, hole.key, Rank.REMOVALS, "dev", "hub", None, live[hole.key])
    outcomes = {outcome.change.key: outcome.result for outcome in await work(cluster, [changed, closing])}
    assert outcomes[item.key] is Result.FAILED
    assert outcomes[hole.key] is (Result.SKIPPED if kind is NETWORK_POLICY else Result.DONE)


@pytest.mark.parametrize("kind", [RESOURCE_QUOTA, LIMIT_RANGE], ids=lambda kind: kind.kind)
async def test_a_cap_goes_only_when_the_quota_is_in_force(kind: ChildKind) -> None:
    cluster = FakeCluster()
    in_place(cluster)
    cluster.counting = False
    quota = one(RESOURCE_QUOTA)
    cluster.objects[quota.key] = {**cluster.objects[quota.key], "status": {}}
    former = ObjectKey("hub", kind, "shop-dev", "former")
    cluster.put(former, {**one(kind).manifest, "metadata": {**one(kind).manifest["metadata"], "name": "former"}})
    change = Change(Action.DELETE, former, Rank.REMOVALS, "dev", "hub", None, cluster.cached(former))
    (outcome,) = await work(cluster, [change])
    assert outcome.result is Result.UNCONFIRMED
    assert former in cluster.objects
