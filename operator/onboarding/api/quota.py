"""What the resources of an environment come to: the keys of its quota, and the defaults of its containers.

The builders write it and the checks judge it, so it stands where both may look.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from onboarding.api.common import Amounts, Resources
from onboarding.api.policy import Container
from onboarding.api.quantities import canonical, smaller, whole

CONTAINER_RESOURCES: Final = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "ephemeral_storage"}
"""What containers request and are limited to, by its name in Kubernetes: the field that holds the amount."""


class ContainerLimits(NamedTuple):
    """The amounts of a LimitRange by resource, in canonical form; a bound that the policy does not set is empty."""

    request: dict[str, str]
    limit: dict[str, str]
    minimum: dict[str, str]
    maximum: dict[str, str]


def quota_of(resources: Resources, gpu_resource: str, object_counts: Mapping[str, int]) -> dict[str, str]:
    """Return the keys of a quota, in canonical form: requests and limits alike, so that nothing is promised twice."""
    keys = {
        "requests.cpu": resources.cpu,
        "limits.cpu": resources.cpu,
        "requests.memory": resources.memory,
        "limits.memory": resources.memory,
        "requests.ephemeral-storage": resources.ephemeral_storage,
        "limits.ephemeral-storage": resources.ephemeral_storage,
        "requests.storage": resources.storage,
        gpu_key(gpu_resource): str(resources.gpu),
        "pods": str(resources.pods),
        "services.nodeports": "0",
        **{
            f"{storage_class}.storageclass.storage.k8s.io/requests.storage": whole(amount)
            for storage_class, amount in resources.storage_classes.items()
        },
        **{key: str(count) for key, count in object_counts.items()},
    }
    return {key: canonical(amount) for key, amount in keys.items()}


def gpu_key(gpu_resource: str) -> str:
    """Return the key of a quota that counts GPUs; extended resources have no limits of their own."""
    return f"requests.{gpu_resource}"


def container_limits(container: Container, resources: Resources) -> ContainerLimits:
    """Return the policy's amounts of a container, the defaults cut so that one default pod fits the quota."""
    minimum, maximum = _amounts(container.minimum), _amounts(container.maximum)
    ceiling = {
        name: smaller(amount, maximum[name]) if name in maximum else amount
        for name, amount in _amounts(resources).items()
    }
    limit = {name: smaller(amount, ceiling[name]) for name, amount in _amounts(container.limit).items()}
    request = {name: smaller(amount, limit[name]) for name, amount in _amounts(container.request).items()}
    return ContainerLimits(request, limit, minimum, maximum)


def _amounts(amounts: Amounts | Resources | None) -> dict[str, str]:
    if amounts is None:
        return {}
    return {name: canonical(getattr(amounts, field)) for name, field in CONTAINER_RESOURCES.items()}
