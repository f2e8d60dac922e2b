"""The LimitRange of an environment: defaults that always let one default pod start inside the quota."""

from typing import Final

from onboarding.api.common import Amounts, Resources
from onboarding.build.kinds import LIMIT_RANGE, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.quantities import smaller
from onboarding.build.revision import Owner, Revision

NAME: Final = "onboarding"


def build_limits(owner: Owner, revision: Revision) -> Manifest:
    """Return the defaults of containers that name no requests or limits, cut to the quota of the environment."""
    limit = _cut(revision.container.limit, revision.resources)
    request = {field: smaller(getattr(revision.container.request, field), limit[field]) for field in limit}
    manifest = head(LIMIT_RANGE, NAME, ownership_labels(owner, revision), revision.namespace)
    manifest["spec"] = {"limits": [{"type": "Container", "default": _keys(limit), "defaultRequest": _keys(request)}]}
    return manifest


def _cut(amounts: Amounts, ceiling: Amounts | Resources) -> dict[str, str]:
    fields = ("cpu", "memory", "ephemeral_storage")
    return {field: smaller(getattr(amounts, field), getattr(ceiling, field)) for field in fields}


def _keys(amounts: dict[str, str]) -> dict[str, str]:
    return {field.replace("_", "-"): amount for field, amount in amounts.items()}
