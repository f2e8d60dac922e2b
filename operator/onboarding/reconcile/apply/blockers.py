"""Blockers of deletions, read from the objects themselves, and only while one is being deleted."""

from collections.abc import Mapping
from typing import Any

from onboarding.build.kinds import APPLICATION, NAMESPACE, ObjectKey
from onboarding.errors import OnboardingError
from onboarding.reconcile.observed.argocd_status import refused_deletion
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.ports import Cluster

_BLOCKING = frozenset(
    {
        "NamespaceContentRemaining",
        "NamespaceFinalizersRemaining",
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
    }
)
"""Conditions that Kubernetes sets on a namespace whose deletion is blocked."""


async def blockers(live: Mapping[ObjectKey, CachedObject], clusters: Mapping[str, Cluster]) -> list[str]:
    """Return each object of the project that is being deleted, with the reason why it is not gone yet."""
    blocked = []
    for key, item in live.items():
        if item.deleting:
            try:
                manifest = await clusters[key.cluster].read(key)
            except OnboardingError as error:
                blocked.append(f"{key} (unknown: {error})")
            else:
                if manifest is not None:
                    blocked.append(f"{key} ({_reason(key, manifest)})")
    return sorted(blocked)


def _reason(key: ObjectKey, manifest: dict[str, Any]) -> str:
    status = manifest.get("status") or {}
    if key.kind is NAMESPACE:
        return _namespace_reason(status)
    if key.kind is APPLICATION and (refusal := refused_deletion(status)):
        return f"Argo CD cannot delete its resources: {refusal}"
    finalizers = manifest["metadata"].get("finalizers") or ()
    return f"finalizers: {', '.join(finalizers)}" if finalizers else "no finalizers are left"


def _namespace_reason(status: Mapping[str, Any]) -> str:
    conditions = status.get("conditions") or ()
    messages = [item["message"] for item in conditions if item["type"] in _BLOCKING and item["status"] == "True"]
    return "; ".join(messages) or "Kubernetes is removing its contents"
