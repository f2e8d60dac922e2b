"""What the resources of an environment come to: the keys of its quota, and the defaults of its containers.

The builders write it and the checks judge it, so it stands where both may look.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from onboarding.api.common import Amounts, Resources
from onboarding.api.policy import ContainerDefaults
from onboarding.api.quantities import canonical, smaller, whole

CONTAINER_RESOURCES: Final = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "ephemeral_storage"}
"""What containers request and are limited to, by its name in Kubernetes: the field that holds the amount."""


_Amounts = tuple[str, ...]


class ContainerLimits(NamedTuple):
    """The amounts of a LimitRange by resource, in canonical form; a bound that the policy does not set is empty."""

    request: Mapping[str, str]
    limit: Mapping[str, str]
    minimum: Mapping[str, str]
    maximum: Mapping[str, str]


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


def container_limits(container: ContainerDefaults, resources: Resources) -> ContainerLimits:
    """Return the policy's amounts of a container, the defaults cut so that one default pod fits the quota."""
    bounds = _amounts(container.minimum), _amounts(container.maximum)
    return _cut(_amounts(container.request), _amounts(container.limit), *bounds, _amounts(resources))


@lru_cache(maxsize=256)
def _cut(request: _Amounts, limit: _Amounts, minimum: _Amounts, maximum: _Amounts, quota: _Amounts) -> ContainerLimits:
    ceiling = [*map(smaller, quota, maximum)] if maximum else quota
    limit = tuple(map(smaller, limit, ceiling))
    request = tuple(map(smaller, request, limit))
    return ContainerLimits(*map(_named, (request, limit, minimum, maximum)))


def _amounts(amounts: Amounts | Resources | None) -> _Amounts:
    """Return the amounts of what containers request, in its order; none where there is no such bound."""
    return (amounts.cpu, amounts.memory, amounts.ephemeral_storage) if amounts else ()


def _named(amounts: _Amounts) -> Mapping[str, str]:
    """Return amounts in canonical form by resource, for all who ask alike."""
    return MappingProxyType(dict(zip(CONTAINER_RESOURCES, map(canonical, amounts), strict=False)))
