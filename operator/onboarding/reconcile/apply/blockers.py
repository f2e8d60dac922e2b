"""Name what a deletion really waits for, from the objects themselves; asked only while something is being deleted."""

from collections.abc import Mapping
from typing import Any

from onboarding.build.kinds import APPLICATION, NAMESPACE, ObjectKey
from onboarding.errors import OnboardingError
from onboarding.reconcile.observed.argocd_status import refused_deletion
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.ports import Cluster

_TELLING = frozenset(
    {
        "NamespaceContentRemaining",
        "NamespaceFinalizersRemaining",
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
    }
)
"""Conditions that Kubernetes puts on a namespace that cannot go."""


async def blockers(live: Mapping[ObjectKey, CachedObject], clusters: Mapping[str, Cluster]) -> list[str]:
    """Return, for each object of ours that is being deleted, what it waits for."""
    found = []
    for key, item in live.items():
        if item.deleting:
            try:
                manifest = await clusters[key.cluster].read(key)
            except OnboardingError as error:
                found.append(f"{key} (not known: {error})")
            else:
                if manifest is not None:
                    found.append(f"{key} ({_reason(key, manifest)})")
    return sorted(found)


def _reason(key: ObjectKey, manifest: dict[str, Any]) -> str:
    if key.kind is NAMESPACE:
        conditions = (manifest.get("status") or {}).get("conditions") or ()
        told = [c["message"] for c in conditions if c["type"] in _TELLING and c["status"] == "True"]
        return "; ".join(told) or "Kubernetes is removing its contents"
    if key.kind is APPLICATION and (refusal := refused_deletion(manifest.get("status") or {})):
        return f"Argo CD cannot delete what it has deployed: {refusal}"
    finalizers = manifest["metadata"].get("finalizers") or ()
    return f"finalizers: {', '.join(finalizers)}" if finalizers else "it is about to go"
