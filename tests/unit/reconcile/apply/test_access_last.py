"""Access comes last: what restricts is written and confirmed before what grants, per environment, on changes too."""

from collections.abc import Iterable
from typing import Any

import pytest

from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    CHILD_KINDS,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    ChildKind,
    Manifest,
    ObjectKey,
    Wanted,
)
from onboarding.build.wanted import build_wanted
from onboarding.errors import ApiError
from onboarding.reconcile.apply.diff import Change, diff_objects, rank_of
from onboarding.reconcile.apply.execute import execute
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.snapshot import ClusterState
from tests.unit.fakes import FakeCluster, plainly
from tests.unit.snapshots import OWNER, environment, revisions, spec_of

WANTED = build_wanted(OWNER, revisions(spec_of(environment(), environment("prod", stage="prod"))))
RESTRICTING = (NAMESPACE, RESOURCE_QUOTA, LIMIT_RANGE, NETWORK_POLICY)
GRANTING = (ROLE_BINDING, SERVICE_ACCOUNT, APPLICATION)
DOWN = ApiError(
    500,
    "InternalError",
    'Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post '
    '"https://kyverno-svc.kyverno.svc:443/validate?timeout=5s": service "kyverno-svc" not found',
)


class Refusing(FakeCluster):
    """A cluster where something refuses writes on a kind in the environment dev."""

    def __init__(self, kind: ChildKind | None = None, error: ApiError = DOWN) -> None:
        super().__init__()
        self.refused, self.error = kind, error

    def _meet(self, verb: str, key: ObjectKey) -> None:
        super()._meet(verb, key)
        if verb != "read" and key.kind is self.refused and "shop-dev" in (key.namespace, key.name):
            raise self.error


class Mutating(FakeCluster):
    """A cluster where an admission policy changes what is written on a kind."""

    def __init__(self, kind: ChildKind, patch: Manifest) -> None:
        super().__init__()
        self.kind, self.patch = kind, patch

    def admit(self, key: ObjectKey) -> CachedObject:
        """Give the policy the last word."""
        if key.kind is self.kind:
            self.objects[key] = {**self.objects[key], **self.patch}
        return super().admit(key)


async def work(cluster: FakeCluster, changes: Iterable[Change]) -> list[Outcome]:
    return await execute(
        OWNER,
        changes,
        {"hub": cluster},
        {"hub": ClusterState()},
        *plainly(),
    )


def made(cluster: FakeCluster, environment: str) -> set[ChildKind]:
    """Return the kinds of which something was written for an environment."""
    places = {item.key for item in WANTED if f"shop-{environment}" in (item.key.namespace, item.key.name)}
    places |= {item.key for item in WANTED if item.key.name == f"shop-{environment}-app"}
    return {key.kind for verb, key in cluster.log if verb in ("create", "change", "delete") and key in places}


def in_place(cluster: FakeCluster, *without: ObjectKey) -> dict[ObjectKey, Any]:
    """Let everything be there but this, and return what the cache knows of it."""
    for item in WANTED:
        if item.key not in without:
            cluster.put(item.key, item.manifest)
    return cluster.owned("shop")


def one(kind: ChildKind, environment: str = "dev", name: str = "") -> Wanted:
    return next(
        item
        for item in WANTED
        if item.key.kind is kind
        and name in item.key.name
        and any(place.startswith(f"shop-{environment}") for place in (item.key.namespace, item.key.name))
    )


@pytest.mark.parametrize("restricting", RESTRICTING, ids=lambda kind: kind.kind)
def test_whatever_restricts_comes_before_whatever_grants(restricting: ChildKind) -> None:
    assert all(rank_of(restricting) < rank_of(granting) for granting in GRANTING)


@pytest.mark.parametrize("kind", RESTRICTING, ids=lambda kind: kind.kind)
async def test_a_restriction_that_is_refused_keeps_access_away_from_its_environment_alone(kind: ChildKind) -> None:
    """Case 42, webhook-down: a policy engine that gives no answer lets nobody in."""
    cluster = Refusing(kind)
    outcomes = await work(cluster, diff_objects(WANTED, {}))
    assert not made(cluster, "dev") & {*GRANTING}
    assert made(cluster, "prod") == {*CHILD_KINDS} - {APP_PROJECT}
    refused = [outcome for outcome in outcomes if outcome.result is Result.FAILED]
    assert {outcome.change.key.kind for outcome in refused} == {kind}
    assert refused[0].message.startswith("admission webhook validate.kyverno.svc-fail gives no answer")
    assert 'service "kyverno-svc" not found' in refused[0].message
    assert not refused[0].told, "no event tells that a webhook is back"


@pytest.mark.parametrize("kind", RESTRICTING, ids=lambda kind: kind.kind)
async def test_a_change_of_a_restriction_that_is_refused_holds_a_new_binding(kind: ChildKind) -> None:
    cluster, binding = Refusing(kind), one(ROLE_BINDING)
    live = in_place(cluster, binding.key)
    item = one(kind)
    labels = {**item.manifest["metadata"]["labels"], "pod-security.kubernetes.io/enforce": "privileged"}
    other = {
        NAMESPACE: {"metadata": {**item.manifest["metadata"], "labels": labels}},
        RESOURCE_QUOTA: {"spec": {"hard": {"pods": "999"}}},
        LIMIT_RANGE: {"spec": {"limits": []}},
        NETWORK_POLICY: {"spec": {"podSelector": {}}},
    }[kind]
    cluster.put(item.key, {**item.manifest, **other})
    live = cluster.owned("shop")
    outcomes = await work(cluster, diff_objects(WANTED, live))
    assert [(o.change.key.kind, o.result) for o in outcomes] == [
        (kind, Result.FAILED),
        (ROLE_BINDING, Result.SKIPPED),
    ]
    assert binding.key not in cluster.objects
    assert all(key in cluster.objects for key in live), "access that is there stays"


async def test_nobody_gets_access_before_the_quota_is_confirmed() -> None:
    cluster = FakeCluster()
    cluster.counting = False
    outcomes = await work(cluster, diff_objects(WANTED, {}))
    assert {key.kind for key in cluster.objects} == {*RESTRICTING, APP_PROJECT}
    waiting = [outcome for outcome in outcomes if outcome.result is Result.UNCONFIRMED]
    assert {outcome.change.key.kind for outcome in waiting} == {ROLE_BINDING, SERVICE_ACCOUNT}
    assert "ResourceQuota shop-dev/onboarding is not in force" in waiting[0].message
    assert all(outcome.told for outcome in waiting), "the quota's event brings the rest"
    assert {o.result for o in outcomes if o.change.key.kind is APPLICATION} == {Result.SKIPPED}


async def test_what_is_confirmed_meanwhile_is_granted_in_the_same_pass() -> None:
    cluster = FakeCluster()
    outcomes = await work(cluster, diff_objects(WANTED, {}))
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert len(cluster.log) == len(WANTED), "no write more"


async def test_one_environment_does_not_wait_for_the_quota_of_another() -> None:
    cluster = FakeCluster()
    in_place(cluster, *(item.key for item in WANTED if item.key.kind in GRANTING))
    quota = one(RESOURCE_QUOTA)
    cluster.objects[quota.key] = {**cluster.objects[quota.key], "status": {"hard": {"pods": "1"}}}
    await work(cluster, diff_objects(WANTED, cluster.owned("shop")))
    assert made(cluster, "dev") == set()
    assert made(cluster, "prod") == {*GRANTING}


async def test_a_quota_that_is_enlarged_holds_what_is_new_and_leaves_what_is_there() -> None:
    cluster, binding, quota = FakeCluster(), one(ROLE_BINDING), one(RESOURCE_QUOTA)
    in_place(cluster, binding.key)
    cluster.put(quota.key, {**quota.manifest, "spec": {"hard": {"pods": "1"}}})
    cluster.counting = False
    outcomes = await work(cluster, diff_objects(WANTED, cluster.owned("shop")))
    assert [(o.change.key, o.result) for o in outcomes] == [
        (quota.key, Result.DONE),
        (binding.key, Result.UNCONFIRMED),
    ]
    cluster.counting = True
    cluster.count()
    outcomes = await work(cluster, diff_objects(WANTED, cluster.owned("shop")))
    assert [(o.change.key, o.result) for o in outcomes] == [(binding.key, Result.DONE)]


async def test_without_any_quota_nobody_gets_access() -> None:
    """It may have been deleted since the pass has looked."""
    cluster, binding = FakeCluster(), one(ROLE_BINDING)
    in_place(cluster, binding.key, one(RESOURCE_QUOTA).key)
    (outcome,) = await work(cluster, diff_objects([binding], {}))
    assert outcome.result is Result.UNCONFIRMED
    assert "the ResourceQuota of environment dev" in outcome.message


MUTATIONS = {
    "a larger quota": (RESOURCE_QUOTA, {"spec": {"hard": {"pods": "9999"}}}, "spec.hard"),
    "limits taken out": (LIMIT_RANGE, {"spec": {"limits": []}}, "spec.limits"),
    "an open policy": (NETWORK_POLICY, {"spec": {"podSelector": {}, "ingress": [{}]}}, "spec"),
}


@pytest.mark.parametrize(("kind", "patch", "field"), MUTATIONS.values(), ids=MUTATIONS)
@pytest.mark.parametrize("there", [False, True], ids=["created", "changed"])
async def test_a_restriction_that_was_stored_otherwise_gives_nobody_access(
    kind: ChildKind, patch: Manifest, field: str, there: bool
) -> None:
    """A 2xx is not the wished state: a mutating webhook may have made another one of it."""
    cluster = Mutating(kind, patch)
    if there:
        in_place(cluster, *(item.key for item in WANTED if item.key.kind in GRANTING))
        for item in WANTED:
            if item.key.kind is kind:
                cluster.objects[item.key] = {**cluster.objects[item.key], **patch}
        cluster.count()
    outcomes = await work(cluster, diff_objects(WANTED, cluster.owned("shop")))
    drifted = [outcome for outcome in outcomes if outcome.result is Result.DRIFTED]
    assert {outcome.change.key.kind for outcome in drifted} == {kind}
    assert field in drifted[0].message
    assert not {key.kind for key in cluster.objects} & {*GRANTING}


async def test_an_application_waits_for_the_cluster_of_its_environment() -> None:
    """It lies beside an Argo CD on the hub; what restricts its namespace is confirmed on another cluster, or is not."""
    wanted = build_wanted(OWNER, revisions(spec_of(environment(target="twin"))))
    clusters = {name: FakeCluster() for name in {item.key.cluster for item in wanted}}
    clusters["site-b/kubeconfig"].counting = False
    states = dict.fromkeys(clusters, ClusterState())
    await execute(OWNER, diff_objects(wanted, {}), clusters, states, *plainly())
    made = {key.name for cluster in clusters.values() for key in cluster.objects if key.kind is APPLICATION}
    assert made == {item.key.name for item in wanted if item.key.kind is APPLICATION and item.cluster == "hub"}
    assert made
