"""LimitRange of an environment: bounds of containers, and defaults that let one default pod start."""

from typing import Any, Final

from onboarding.api.quota import container_limits
from onboarding.build.kinds import LIMIT_RANGE, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.revision import Owner, Revision

LIMIT_RANGE_NAME: Final = "onboarding"


def build_limits(owner: Owner, revision: Revision) -> Manifest:
    """Return the LimitRange with default requests and limits, and the minimum and maximum, of containers."""
    limits = container_limits(revision.container, revision.resources)
    item: dict[str, Any] = {"type": "Container", "default": {**limits.limit}, "defaultRequest": {**limits.request}}
    if limits.minimum:
        item["min"] = {**limits.minimum}
    if limits.maximum:
        item["max"] = {**limits.maximum}
    manifest = head(LIMIT_RANGE, LIMIT_RANGE_NAME, ownership_labels(owner, revision), revision.namespace)
    manifest["spec"] = {"limits": [item]}
    return manifest
