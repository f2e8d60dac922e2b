"""What a deletion waits for is told from the objects themselves."""

from typing import Any

import pytest

from onboarding import names
from onboarding.build.kinds import APPLICATION, NAMESPACE, ChildKind, ObjectKey
from onboarding.reconcile.apply.blockers import Blocker, blockers
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
    assert await blockers(cluster.owned("shop"), {"hub": cluster}) == [Blocker(f"{key} ({reason})")]


NAMESPACES: dict[str, tuple[list[dict[str, str]], list[str], list[str], str, str]] = {
    "Kubernetes is at work": ([], [], ["kubernetes"], "Kubernetes is removing its contents", ""),
    "its own finalizer, while there are contents": (
        [condition("NamespaceContentRemaining", "pods. has 1 resource instances")],
        ["example.org/never"],
        ["kubernetes"],
        "pods. has 1 resource instances; finalizers of the namespace itself: example.org/never",
        "",
    ),
    "its own finalizer alone": (
        [],
        ["example.org/never"],
        [],
        "finalizers of the namespace itself: example.org/never",
        "find out why the controller that set the finalizer does not remove it",
    ),
    "a finalizer in its spec alone": (
        [],
        [],
        ["example.org/spec"],
        "finalizers of the namespace itself: example.org/spec",
        "find out why the controller that set the finalizer does not remove it",
    ),
    "case 18: an APIService without a server": (
        [
            condition(
                "NamespaceDeletionDiscoveryFailure",
                "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: "
                "metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1",
            )
        ],
        [],
        ["kubernetes"],
        "APIService v1beta1.metrics.k8s.io gives no answer, so that Kubernetes cannot list the contents",
        (
            "the server behind APIService v1beta1.metrics.k8s.io has to run again; "
            "delete the APIService if nobody needs it"
        ),
    ),
    "a failure of discovery in other words": (
        [condition("NamespaceDeletionDiscoveryFailure", "it went wrong")],
        [],
        ["kubernetes"],
        "it went wrong",
        "",
    ),
}


@pytest.mark.parametrize(("conditions", "own", "of_spec", "reason", "remedy"), NAMESPACES.values(), ids=NAMESPACES)
async def test_a_namespace_that_stays_is_explained(
    conditions: list[Any], own: list[str], of_spec: list[str], reason: str, remedy: str
) -> None:
    cluster, key = FakeCluster(), ObjectKey("hub", NAMESPACE, "", "shop-dev")
    labels = {names.LABEL_PROJECT: "shop"}
    metadata = {"name": key.name, "labels": labels, "deletionTimestamp": "2026-01-02T03:05:00Z", "finalizers": own}
    cluster.put(key, {"metadata": metadata, "spec": {"finalizers": of_spec}, "status": {"conditions": conditions}})
    assert await blockers(cluster.owned("shop"), {"hub": cluster}) == [Blocker(f"{key} ({reason})", remedy)]
