"""The ResourceQuota of an environment: here the resources of its size become limits of its namespace."""

from typing import Final

from onboarding.build.kinds import RESOURCE_QUOTA, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.quantities import canonical, whole
from onboarding.build.revision import Owner, Revision

NAME: Final = "onboarding"


def build_quota(owner: Owner, revision: Revision) -> Manifest:
    """Return the quota of one environment: requests and limits alike, so that nothing is promised twice."""
    manifest = head(RESOURCE_QUOTA, NAME, ownership_labels(owner, revision), revision.namespace)
    manifest["spec"] = {"hard": {key: canonical(amount) for key, amount in _hard(revision).items()}}
    return manifest


def _hard(revision: Revision) -> dict[str, str]:
    resources = revision.resources
    return {
        "requests.cpu": resources.cpu,
        "limits.cpu": resources.cpu,
        "requests.memory": resources.memory,
        "limits.memory": resources.memory,
        "requests.ephemeral-storage": resources.ephemeral_storage,
        "limits.ephemeral-storage": resources.ephemeral_storage,
        "requests.storage": resources.storage,
        f"requests.{revision.gpu_resource}": str(resources.gpu),
        "pods": str(resources.pods),
        "services.nodeports": "0",
        **{
            f"{storage_class}.storageclass.storage.k8s.io/requests.storage": whole(amount)
            for storage_class, amount in resources.storage_classes.items()
        },
        **{key: str(count) for key, count in revision.object_counts.items()},
    }
