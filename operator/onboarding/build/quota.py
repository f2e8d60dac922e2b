"""ResourceQuota of an environment: the resources of its size as limits of its namespace."""

from typing import Final

from onboarding.api.quota import quota_of
from onboarding.build.kinds import RESOURCE_QUOTA, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.revision import Owner, Revision

QUOTA_NAME: Final = "onboarding"


def build_quota(owner: Owner, revision: Revision) -> Manifest:
    """Return the quota of one environment."""
    manifest = head(RESOURCE_QUOTA, QUOTA_NAME, ownership_labels(owner, revision), revision.namespace)
    manifest["spec"] = {"hard": quota_of(revision.resources, revision.gpu_resource, revision.object_counts)}
    return manifest
