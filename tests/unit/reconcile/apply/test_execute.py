"""The work is done rank by rank; what fails stops its own environment and nothing else; no stranger is touched."""

from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    CHILD_KINDS,
    NAMESPACE,
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
from onboarding.reconcile.apply.diff import Action, Change, Rank, diff_objects
from onboarding.reconcile.apply.execute import execute
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.cached_object import cached_object_of
from onboarding.reconcile.observed.snapshot import ClusterState
from tests.unit.fakes import FakeCluster, plainly
from tests.unit.snapshots import OWNER, environment, revisions, spec_of

SPEC = spec_of(environment(), environment("prod", stage="prod"))
WANTED = build_wanted(OWNER, revisions(SPEC))
CASCADE = names.CASCADE_FINALIZER
REFUSED = ApiError(422, "Invalid", "spec is invalid")


def first(kind: ChildKind, wanted: Iterable[Wanted] = WANTED) -> Wanted:
    return next(item for item in wanted if item.key.kind is kind)


QUOTA = first(RESOURCE_QUOTA)


async def work(cluster: FakeCluster, changes: Iterable[Change] | None = None) -> list[Outcome]:
    todo = diff_objects(WANTED, {}) if changes is None else changes
    return await execute(
        OWNER,
        todo,
        {"hub": cluster},
        {"hub": ClusterState()},
        *plainly(),
    )


def results(outcomes: Iterable[Outcome], environment: str) -> set[Result]:
    return {outcome.result for outcome in outcomes if outcome.change.environment == environment}


def removal(cluster: FakeCluster, item: Wanted, *, cascade: bool = False) -> Change:
    """Return the deletion of an object that is there."""
    live = cached_object_of(item.key.kind, cluster.objects[item.key])
    return Change(Action.DELETE, item.key, Rank.REMOVALS, "dev", "hub", None, live, cascade=cascade)


async def test_everything_is_made_in_the_order_of_the_ranks() -> None:
    cluster = FakeCluster()
    outcomes = await work(cluster)
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert cluster.objects.keys() == {item.key for item in WANTED}
    kinds = [key.kind for _, key in cluster.log]
    last_namespace = max(index for index, kind in enumerate(kinds) if kind is NAMESPACE)
    assert all(kind is NAMESPACE for kind in kinds[: last_namespace + 1])
    assert all(kind is APPLICATION for kind in kinds[kinds.index(APPLICATION) :])
    assert [verb for verb, _ in cluster.log] == ["create"] * len(WANTED)


async def test_a_failing_environment_does_not_stop_another() -> None:
    cluster = FakeCluster()
    theirs = {"metadata": {"name": "shop-dev", "labels": {"team": "other"}}}
    cluster.put(first(NAMESPACE).key, theirs)
    outcomes = await work(cluster)
    assert results(outcomes, "prod") == {Result.DONE}
    assert results(outcomes, "dev") == {Result.CONFLICT, Result.SKIPPED}
    assert "shop-dev" not in {key.namespace for key in cluster.objects}


async def test_applications_wait_for_their_environment() -> None:
    cluster = FakeCluster()
    wanted = build_wanted(OWNER, revisions(spec_of(environment())))
    cluster.broken = {("create", "ResourceQuota"): REFUSED}
    outcomes = await work(cluster, diff_objects(wanted, {}))
    by_kind = {outcome.change.key.kind: outcome.result for outcome in outcomes}
    assert (by_kind[RESOURCE_QUOTA], by_kind[APPLICATION]) == (Result.FAILED, Result.SKIPPED)
    assert by_kind[APP_PROJECT] is Result.DONE
    assert by_kind[ROLE_BINDING] is by_kind[SERVICE_ACCOUNT] is Result.SKIPPED


async def test_applications_wait_for_their_project() -> None:
    cluster = FakeCluster()
    cluster.broken = {("create", "AppProject"): REFUSED}
    outcomes = await work(cluster)
    assert {o.result for o in outcomes if o.change.key.kind is APPLICATION} == {Result.SKIPPED}
    assert {o.result for o in outcomes if o.change.key.kind is RESOURCE_QUOTA} == {Result.DONE}


async def test_what_is_ours_already_is_mended_instead() -> None:
    cluster, item = FakeCluster(), first(RESOURCE_QUOTA)
    cluster.put(item.key, {**item.manifest, "spec": {"hard": {"pods": "1"}}})
    cluster.blind = True
    outcomes = await work(cluster, diff_objects([item], {}))
    assert [outcome.result for outcome in outcomes] == [Result.DONE]
    assert [verb for verb, _ in cluster.log] == ["create", "read", "change"]
    assert cluster.objects[item.key]["spec"] == item.manifest["spec"]


async def test_what_is_ours_already_and_equal_is_left_alone() -> None:
    cluster, item = FakeCluster(), first(RESOURCE_QUOTA)
    cluster.put(item.key, item.manifest)
    cluster.blind = True
    await work(cluster, diff_objects([item], {}))
    assert [verb for verb, _ in cluster.log] == ["create", "read"]


def detached_from(**parts: str) -> str:
    """Return the annotation of something that was detached from the environment dev, but for these parts."""
    origin = {"installation": "inst-1", "project": "shop", "uid": OWNER.uid, "environment": "dev", **parts}
    return orjson.dumps(origin).decode()


STRANGERS: dict[str, tuple[dict[str, Any], str]] = {
    "nobody's": ({}, "carries no label of ours"),
    "another project's": (
        {"labels": {**first(NAMESPACE).manifest["metadata"]["labels"], names.LABEL_PROJECT: "other"}},
        "belongs to project other",
    ),
    "another installation's": (
        {"labels": {**first(NAMESPACE).manifest["metadata"]["labels"], names.LABEL_INSTALLATION: "inst-2"}},
        "installation inst-2",
    ),
    "detached from another environment": (
        {"annotations": {names.ANNOTATION_DETACHED: detached_from(environment="test")}},
        "was detached from environment test of project shop",
    ),
    "detached from another project": (
        {"annotations": {names.ANNOTATION_DETACHED: detached_from(project="other")}},
        "was detached from environment dev of project other",
    ),
    "detached from here before the policy came": (
        {"annotations": {names.ANNOTATION_DETACHED: detached_from(guard="old")}},
        "nothing is lost",
    ),
    "detached from somewhere": ({"annotations": {names.ANNOTATION_DETACHED: "shop"}}, "carries no label of ours"),
}


@pytest.mark.parametrize("blind", [False, True], ids=["known before", "met by the write"])
@pytest.mark.parametrize(("metadata", "words"), STRANGERS.values(), ids=STRANGERS)
async def test_a_strangers_object_is_left_alone_and_its_owner_named(
    metadata: dict[str, Any], words: str, blind: bool
) -> None:
    cluster, item = FakeCluster(), first(NAMESPACE)
    before = cluster.put(item.key, {"metadata": {"name": item.key.name, **metadata}})
    cluster.blind = blind
    (outcome,) = await work(cluster, diff_objects([item], {}))
    assert outcome.result is Result.CONFLICT
    assert words in outcome.message
    assert cluster.objects[item.key] == before
    assert [verb for verb, _ in cluster.log] == (["create", "read"] if blind else [])
    assert "remove" not in outcome.message
    assert outcome.told


async def test_what_came_and_went_is_tried_again() -> None:
    cluster, item = FakeCluster(), first(RESOURCE_QUOTA)
    cluster.broken = {("create", "ResourceQuota"): ApiError(409, "AlreadyExists", "exists")}
    (outcome,) = await work(cluster, diff_objects([item], {}))
    assert outcome.result is Result.STALE


async def test_our_own_object_on_its_way_out_is_waited_for() -> None:
    cluster, item = FakeCluster(), first(NAMESPACE)
    cluster.put(item.key, {**item.manifest, "metadata": {**item.manifest["metadata"], "deletionTimestamp": "now"}})
    (outcome,) = await work(cluster, diff_objects([item], {}))
    assert outcome.result is Result.WAITING


REFUSALS = {
    "guard missing": (ClusterState(guarded=False, guard_problem="x"), Result.GUARD_MISSING, set(CHILD_KINDS)),
    "guard unknown": (
        ClusterState(guarded=False, guard_problem="x", guard_unknown=True),
        Result.UNREACHABLE,
        set(CHILD_KINDS),
    ),
    "Argo CD missing": (ClusterState(argocd=False), Result.ARGOCD_MISSING, {APP_PROJECT, APPLICATION}),
    "unknown": (ClusterState(problem="its first list is not complete yet"), Result.UNREACHABLE, set(CHILD_KINDS)),
}


@pytest.mark.parametrize(("state", "result", "kinds"), REFUSALS.values(), ids=REFUSALS)
async def test_a_cluster_in_this_state_receives_plainly(
    state: ClusterState, result: Result, kinds: set[ChildKind]
) -> None:
    cluster = FakeCluster(state)
    outcomes = await work(cluster)
    assert {outcome.change.key.kind for outcome in outcomes if outcome.result is result} == kinds
    assert not kinds & {key.kind for _, key in cluster.log}


async def test_a_cluster_without_a_connection_is_named() -> None:
    outcomes = await execute(OWNER, diff_objects(WANTED, {}), {}, {}, *plainly())
    assert {outcome.result for outcome in outcomes} == {Result.UNREACHABLE}
    assert "hub" in outcomes[0].message


@pytest.mark.parametrize("variant", [CASCADE, f"{CASCADE}/background"])
@pytest.mark.parametrize("cascade", [True, False], ids=["delete", "retain"])
async def test_the_cascade_is_put_on_or_taken_off_just_before_and_others_finalizers_stay(
    cascade: bool, variant: str
) -> None:
    cluster, item = FakeCluster(), first(APPLICATION)
    present = ["example.org/other"] if cascade else ["example.org/other", variant]
    metadata = {**item.manifest["metadata"], "finalizers": present}
    cluster.put(item.key, {**item.manifest, "metadata": metadata})
    (outcome,) = await work(cluster, [removal(cluster, item, cascade=cascade)])
    assert [verb for verb, _ in cluster.log] == ["read", "change", "delete"]
    finalizers = ["example.org/other", CASCADE] if cascade else ["example.org/other"]
    assert cluster.objects[item.key]["metadata"]["finalizers"] == finalizers
    assert (outcome.result, outcome.told) == (Result.WAITING, True)
    assert "is being deleted: waiting until it is gone" in outcome.message


async def test_a_finalizer_that_comes_just_before_the_cascade_is_taken_off_is_not_lost() -> None:
    """The list is written as a whole: it must be that of the version that was read."""
    theirs = "example.org/other"

    class Racing(FakeCluster):
        async def read(self, key: ObjectKey) -> Manifest | None:
            found = await super().read(key)
            self.put(key, {**item.manifest, "metadata": {**item.manifest["metadata"], "finalizers": [CASCADE, theirs]}})
            return found

    cluster, item = Racing(), first(APPLICATION)
    cluster.put(item.key, {**item.manifest, "metadata": {**item.manifest["metadata"], "finalizers": [CASCADE]}})
    (outcome,) = await work(cluster, [removal(cluster, item)])
    assert (outcome.result, cluster.objects[item.key]["metadata"]["finalizers"]) == (Result.STALE, [CASCADE, theirs])


async def test_finalizers_that_are_right_already_cost_no_write() -> None:
    cluster, item = FakeCluster(), first(APPLICATION)
    cluster.put(item.key, item.manifest)
    (outcome,) = await work(cluster, [removal(cluster, item)])
    assert ([verb for verb, _ in cluster.log], outcome.result) == (["read", "delete"], Result.DONE)


async def test_a_cascade_that_came_after_the_last_look_is_taken_off() -> None:
    cluster, item = FakeCluster(), first(APPLICATION)
    cluster.put(item.key, item.manifest)
    change = removal(cluster, item)
    cluster.put(item.key, {**item.manifest, "metadata": {**item.manifest["metadata"], "finalizers": [CASCADE]}})
    (outcome,) = await work(cluster, [change])
    assert ([verb for verb, _ in cluster.log], outcome.result) == (["read", "change", "delete"], Result.DONE)


@pytest.mark.parametrize("kind", [APPLICATION, NAMESPACE])
async def test_what_somebody_took_from_us_after_the_last_look_is_not_deleted(kind: ChildKind) -> None:
    cluster, item = FakeCluster(), first(kind)
    cluster.put(item.key, item.manifest)
    change = removal(cluster, item)
    cluster.put(item.key, {**item.manifest, "metadata": {"name": item.key.name}})
    (outcome,) = await work(cluster, [change])
    assert outcome.result is Result.STALE
    assert item.key in cluster.objects
