"""The answer to a write is compared with what was wanted: what an admission policy changed is told, nothing else is."""

from typing import Any

import pytest

from onboarding import names
from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    CHILD_KINDS,
    NAMESPACE,
    ROLE_BINDING,
    ChildKind,
    Manifest,
    ObjectKey,
    Wanted,
)
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.diff import Action, Change, Rank, diff_object, diff_objects
from onboarding.reconcile.apply.execute import execute
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of
from onboarding.reconcile.observed.snapshot import ClusterState
from tests.unit.fakes import FakeCluster, merged, plainly
from tests.unit.snapshots import OWNER, environment, revisions, spec_of

WANTED = {item.key.kind: item for item in build_wanted(OWNER, revisions(spec_of(environment())))}
FOREIGN = {"metadata": {"labels": {"acme.org/cost-centre": "4711"}, "annotations": {"acme.org/seen": "yes"}}}
OTHERWISE: dict[ChildKind, tuple[Manifest, str]] = {
    NAMESPACE: ({"metadata": {"labels": {f"{names.POD_SECURITY_PREFIX}enforce": "privileged"}}}, "metadata.labels"),
    ROLE_BINDING: ({"subjects": [{"kind": "User", "name": "mallory"}]}, "subjects"),
    APP_PROJECT: ({"spec": {"sourceRepos": ["*"]}}, "spec.sourceRepos"),
    APPLICATION: ({"spec": {"project": "default"}}, "spec.project"),
}
SPEC: tuple[Manifest, str] = ({"spec": {"added": True}}, "spec")


class Mutating(FakeCluster):
    """A cluster where an admission policy changes every write on a kind, or on its objects of one name."""

    def __init__(self, kind: ChildKind, patch: Manifest, name: str = "") -> None:
        super().__init__()
        self.kind, self.patch, self.name, self.mutating = kind, patch, name, True

    def admit(self, key: ObjectKey) -> CachedObject:
        """Give the policy the last word."""
        if self.mutating and key.kind is self.kind and self.name in key.name:
            self.objects[key] = merged(self.objects[key], self.patch)
        return super().admit(key)


async def work(cluster: FakeCluster, *changes: Change) -> list[Outcome]:
    return await execute(OWNER, changes, {"hub": cluster}, {"hub": ClusterState()}, *plainly())


def with_all_but(cluster: FakeCluster, kind: ChildKind) -> None:
    """Let everything be there but the objects of a kind."""
    for item in WANTED.values():
        if item.key.kind is not kind:
            there(cluster, item)


def there(cluster: FakeCluster, item: Wanted, **otherwise: Any) -> CachedObject:
    """Let an object be there, in another form than wanted."""
    return cached_object_of(item.key.kind, cluster.put(item.key, merged(item.manifest, otherwise)))


@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.kind)
async def test_a_policy_that_changes_what_is_created_is_told_for_every_kind(kind: ChildKind) -> None:
    """Case 14, content.yaml."""
    patch, field = OTHERWISE.get(kind, SPEC)
    cluster, item = Mutating(kind, patch), WANTED[kind]
    with_all_but(cluster, kind)
    (outcome,) = await work(cluster, *diff_objects([item], {}))
    assert outcome.result is Result.DRIFTED
    assert outcome.message.startswith(f"{item.key} is not stored as it was written: {field}")
    assert "changed by an admission policy of the cluster. The platform exempts" in outcome.message
    assert outcome.told, "the memory of writes says when it is tried again"


@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.kind)
async def test_labels_and_annotations_of_others_are_no_difference(kind: ChildKind) -> None:
    """Case 14, labels.yaml."""
    cluster = Mutating(kind, FOREIGN)
    with_all_but(cluster, kind)
    (outcome,) = await work(cluster, *diff_objects([WANTED[kind]], {}))
    assert outcome.result is Result.DONE
    assert diff_object(WANTED[kind], cluster.owned("shop")[WANTED[kind].key]) is None


async def test_a_field_that_was_not_written_is_written_next() -> None:
    """Somebody may have changed it since it was cached: only the answer to a write of that field tells of a policy."""
    item = WANTED[APPLICATION]
    cluster = FakeCluster()
    with_all_but(cluster, APPLICATION)
    live = there(cluster, item, spec={"project": "other"})
    there(cluster, item, spec={"project": "other", "source": {"path": "meanwhile"}})
    (outcome,) = await work(cluster, *diff_objects([item], {item.key: live}))
    assert outcome.result is Result.STALE
    assert "spec.source.path" in outcome.message
    (outcome,) = await work(cluster, *diff_objects([item], cluster.owned("shop")))
    assert outcome.result is Result.DONE


async def test_labels_that_a_policy_takes_away_or_puts_back_are_told() -> None:
    item = WANTED[ROLE_BINDING]
    cluster = Mutating(ROLE_BINDING, {"metadata": {"labels": {names.LABEL_PROJECT_UID: None}}})
    with_all_but(cluster, ROLE_BINDING)
    (outcome,) = await work(cluster, *diff_objects([item], {}))
    assert (outcome.result, "metadata.labels" in outcome.message) == (Result.DRIFTED, True)
    cluster = Mutating(ROLE_BINDING, {"metadata": {"labels": item.manifest["metadata"]["labels"]}})
    live = there(cluster, item)
    ours = {"metadata": {"labels": dict.fromkeys(item.manifest["metadata"]["labels"])}}
    (outcome,) = await work(cluster, Change(Action.DETACH, item.key, Rank.DETACHMENTS, "dev", "hub", ours, live))
    assert (outcome.result, "metadata.labels" in outcome.message) == (Result.DRIFTED, True)


async def test_the_note_on_an_app_project_is_compared_too() -> None:
    item, note = WANTED[APP_PROJECT], {"metadata": {"annotations": {names.ANNOTATION_CREDENTIALS: "{}"}}}
    cluster = FakeCluster()
    change = Change(Action.CHANGE, item.key, Rank.ACCESS, "", "hub", note, there(cluster, item))
    assert [outcome.result for outcome in await work(cluster, change)] == [Result.DONE]
    cluster = Mutating(APP_PROJECT, {"metadata": {"annotations": None}})
    change = Change(Action.CHANGE, item.key, Rank.ACCESS, "", "hub", note, there(cluster, item))
    (outcome,) = await work(cluster, change)
    assert (outcome.result, names.ANNOTATION_CREDENTIALS in outcome.message) == (Result.DRIFTED, True)


@pytest.mark.parametrize("cascade", [True, False])
async def test_an_application_whose_cascade_is_not_as_wanted_is_not_deleted(cascade: bool) -> None:
    """Its workload would go, or stay, against the deletion policy."""
    item = WANTED[APPLICATION]
    finalizers = [] if cascade else [names.CASCADE_FINALIZER]
    cluster = Mutating(APPLICATION, {"metadata": {"finalizers": finalizers}})
    live = there(cluster, item, metadata={"finalizers": finalizers})
    change = Change(Action.DELETE, item.key, Rank.REMOVALS, "dev", "hub", None, live, cascade=cascade)
    (outcome,) = await work(cluster, change)
    assert (outcome.result, "metadata.finalizers" in outcome.message) == (Result.DRIFTED, True)
    assert item.key in cluster.objects
