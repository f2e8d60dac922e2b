"""Blockers of deletions, read from the objects themselves, and only while one is being deleted."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from onboarding.build.kinds import APPLICATION, NAMESPACE, Manifest, ObjectKey
from onboarding.errors import OnboardingError
from onboarding.reconcile.observed.argocd_status import refused_deletion
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.ports import Cluster

_DISCOVERY = "NamespaceDeletionDiscoveryFailure"
_BLOCKING = (
    _DISCOVERY,
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
)
"""Conditions that Kubernetes sets on a namespace whose deletion is blocked."""
_STALE = re.compile(r"(?:stale GroupVersion discovery: )?(?P<group>[a-z0-9.-]+)/(?P<version>v[0-9][a-z0-9]*)(?=[:,]|$)")
"""A group and version that an API server cannot discover, as in the message of that condition."""
_OF_KUBERNETES = "kubernetes"
"""Finalizer in the spec of every namespace, which Kubernetes removes after its contents."""


class Blocker(NamedTuple):
    """An object that is being deleted, and why it is not gone yet."""

    message: str
    remedy: str = ""
    """What the platform has to do; the empty string if the deletion goes on by itself."""

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}" if self.remedy else self.message


async def blockers(live: Mapping[ObjectKey, CachedObject], clusters: Mapping[str, Cluster]) -> list[Blocker]:
    """Return each object of the project that is being deleted, with the reason why it is not gone yet."""
    blocked = []
    for key, item in live.items():
        if item.deleting:
            try:
                manifest = await clusters[key.cluster].read(key)
            except OnboardingError as error:
                blocked.append(Blocker(f"{key} (unknown: {error})"))
            else:
                if manifest is not None:
                    reason, remedy = _reason(key, manifest)
                    blocked.append(Blocker(f"{key} ({reason})", remedy))
    return sorted(blocked)


def _reason(key: ObjectKey, manifest: Manifest) -> tuple[str, str]:
    """Return the reason and, if the platform has to act, the remedy."""
    status = manifest.get("status") or {}
    if key.kind is NAMESPACE:
        return _namespace_reason(manifest, status.get("conditions") or ())
    if key.kind is APPLICATION and (refusal := refused_deletion(status)):
        return f"Argo CD cannot delete its resources: {refusal}", ""
    finalizers = manifest["metadata"].get("finalizers") or ()
    return f"finalizers: {', '.join(finalizers)}" if finalizers else "no finalizers are left", ""


def _namespace_reason(manifest: Manifest, conditions: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    messages = {item["type"]: item["message"] for item in conditions if item["status"] == "True"}
    services = sorted(
        {f"{found['version']}.{found['group']}" for found in _STALE.finditer(messages.get(_DISCOVERY, ""))}
    )
    if services:
        named = ", ".join(services)
        remedy = f"the server behind APIService {named} has to run again; delete the APIService if nobody needs it"
        return f"APIService {named} gives no answer, so that Kubernetes cannot list the contents", remedy
    own = _own_finalizers(manifest)
    reasons = [messages[kind] for kind in _BLOCKING if kind in messages]
    if own:
        reasons.append(f"finalizers of the namespace itself: {', '.join(own)}")
    emptied = own and _OF_KUBERNETES not in _spec_finalizers(manifest)
    remedy = "find out why the controller that set the finalizer does not remove it" if emptied else ""
    return "; ".join(reasons) or "Kubernetes is removing its contents", remedy


def _spec_finalizers(manifest: Manifest) -> Sequence[str]:
    finalizers: Sequence[str] = (manifest.get("spec") or {}).get("finalizers") or ()
    return finalizers


def _own_finalizers(manifest: Manifest) -> list[str]:
    """Return the finalizers of a namespace itself, without that of Kubernetes."""
    found = (*(manifest["metadata"].get("finalizers") or ()), *_spec_finalizers(manifest))
    return [finalizer for finalizer in found if finalizer != _OF_KUBERNETES]
