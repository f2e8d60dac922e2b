"""What a deletion waits for is told from the objects themselves."""

from typing import Any

import pytest

from onboarding import names
from onboarding.build.kinds import APPLICATION, NAMESPACE, ChildKind, ObjectKey
from onboarding.reconcile.apply.blockers import blockers
from tests.unit.fakes import FakeCluster

_REFUSED = (
    'leases.coordination.k8s.io "held" is forbidden: User "system:serviceaccount:project-onboarding-sync:shop-dev" '
    'cannot delete resource "leases" in API group "coordination.k8s.io" in the namespace "shop-dev"'
)


def condition(kind: str, message: str) -> dict[str, str]:
    return {"type": kind, "status": "True", "message": message, "lastTransitionTime": "2026-01-02T03:05:00Z"}


CASES: dict[str, tuple[ChildKind, list[dict[str, str]], list[str], str]] = {
    "an Application that Argo CD cannot clean up": (
        APPLICATION,
        [condition("SyncError", "an old one"), condition("DeletionError", f"{_REFUSED}\nand more")],
        [names.CASCADE_FINALIZER],
        f"Argo CD cannot delete its resources: {_REFUSED}",
    ),
    "an Application that is cleaned up": (
        APPLICATION,
        [condition("SyncError", "an old one")],
        [names.CASCADE_FINALIZER],
        f"finalizers: {names.CASCADE_FINALIZER}",
    ),
    "an Application without finalizers": (APPLICATION, [], [], "no finalizers are left"),
    "a namespace": (
        NAMESPACE,
        [condition("NamespaceContentRemaining", "pods. has 1 resource instances"), condition("DeletionError", "no")],
        [],
        "pods. has 1 resource instances",
    ),
}


@pytest.mark.parametrize(("kind", "conditions", "finalizers", "reason"), CASES.values(), ids=CASES)
async def test_it_is_named(kind: ChildKind, conditions: list[Any], finalizers: list[str], reason: str) -> None:
    cluster, key = FakeCluster(), ObjectKey("hub", kind, "argocd" if kind is APPLICATION else "", "shop-dev-app")
    metadata = {
        "name": key.name,
        "labels": {names.LABEL_PROJECT: "shop"},
        "deletionTimestamp": "2026-01-02T03:05:00Z",
        "finalizers": finalizers,
    }
    cluster.put(key, {"metadata": metadata, "status": {"conditions": conditions}})
    assert await blockers(cluster.owned("shop"), {"hub": cluster}) == [f"{key} ({reason})"]
