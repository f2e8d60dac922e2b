"""Checks on the journey of a project: its end, its maximum size, and the day on which it expires."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from onboarding.api.common import Resources
from onboarding.api.gates import Actor, Track
from onboarding.api.quantities import milli
from onboarding.api.quota import quota_of
from onboarding.api.status import Evidence
from onboarding.api.text import listed
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import CapacityInputs, EnvironmentDeclaration
from onboarding.checks.journey import gate_index_of, journey_in_force, journeys_of

WARNED: Final = timedelta(days=30)
"""The time before the last day of a journey in which its end is a warning."""
_STORAGE: Final = "requests.storage"


@check(
    "JourneyTooShort",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="set spec.journey to a journey that reaches the gate of the environment",
    reads=("journey", "environments.stage", "environments.target"),
)
def journey_reaches_the_gate(inputs: EnvironmentDeclaration) -> Finding | None:
    """The gate of the environment is not behind the last gate of the project's journey."""
    policy, journey = inputs.policy, journey_in_force(inputs.policy, inputs.spec.journey)
    place = gate_index_of(policy, inputs.environment.stage, inputs.target_name or "")
    if place <= journey.last:
        return None
    gate = policy.gates[place].name
    end = f"ends at gate {policy.gates[journey.last].name}" if journey.last >= 0 else "ends before the first gate"
    source = "spec.journey" if inputs.spec.journey else "spec.defaultJourney of the policy"
    reaching = [name for name in journeys_of(policy) if journey_in_force(policy, name).last >= place]
    choices = [f"set spec.journey to one that reaches gate {gate}: {listed(reaching)}"] if reaching else []
    if policy.default_journey is None:
        choices.append("leave spec.journey out")
    return Finding(
        f"journey {journey.name!r} ({source}) {end}, and gate {gate} opens the environment",
        "; or ".join(choices)
        or f"ask the platform team for a journey that reaches gate {gate}, in spec.journeyRules of the policy",
        Actor.PROJECT if choices else Actor.PLATFORM,
    )


@check(
    "JourneySizeExceeded",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="take a smaller size, or set spec.journey to a journey without this maximum",
    reads=(
        "journey",
        "environments.stage",
        "environments.size",
        "environments.resources",
        "environments.target",
        "environments.sites",
    ),
)
def size_fits_the_journey(inputs: CapacityInputs) -> Finding | None:
    """No resource of the environment grows above the maximum size of the project's journey."""
    declared = inputs.declared
    resources, target, policy = declared.resources, declared.target, declared.policy
    journey = journey_in_force(policy, declared.spec.journey)
    maximum = journey.rule.maximum_size if journey.rule else None
    largest = next((size for size in policy.sizes if size.name == maximum), None)
    if resources is None or target is None or largest is None:
        return None
    present = [inputs.room.current.get(site.name, {}) for site in declared.sites]
    above = ", ".join(_above(resources, largest, present, target.gpu_resource))
    if not above:
        return None
    own = declared.environment.resources is not None
    wanted = "spec.environments[].resources" if own else f"size {declared.size_name!r}"
    fitting = [size.name for size in policy.sizes if not any(_above(size, largest, [{}], target.gpu_resource))]
    return Finding(
        f"{wanted} is above size {largest.name!r}, the maximum of journey {journey.name!r}: {above}",
        f"set spec.environments[].size to one of: {listed(fitting)}; or set spec.journey to a journey without this "
        "maximum",
    )


class JourneyDays(NamedTuple):
    """The journey of a project, the day on which it expires, and today, in UTC."""

    name: str
    expires: date
    today: date


@check(
    "JourneyExpires",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="set spec.journey to a journey that does not expire, or remove the project",
    reads=("journey",),
)
def journey_lasts(inputs: JourneyDays) -> Finding | None:
    """The project's journey does not expire within 30 days."""
    if inputs.today < inputs.expires - WARNED:
        return None
    verb = "expired" if inputs.today > inputs.expires else "expires"
    return Finding(f"journey {inputs.name!r} {verb} on {inputs.expires.isoformat()}")


def _above(
    resources: Resources, largest: Resources, present: list[Mapping[str, str]], gpu_resource: str
) -> Iterator[str]:
    """Yield the resources above the largest size on a site where the environment does not have as much already.

    A storage class without an amount of its own may take all of the storage.
    """
    wanted, most = quota_of(resources, gpu_resource, {}), quota_of(largest, gpu_resource, {})
    for key, limit in most.items():
        whole = _STORAGE if key.endswith(f"/{_STORAGE}") else key
        amount = wanted.get(key, wanted[whole])
        grows = any(milli(amount) > milli(quota.get(key, quota.get(whole, "0"))) for quota in present)
        if milli(amount) > milli(limit) and grows and not key.startswith("limits."):
            yield f"{key.removeprefix('requests.')} {amount}, at most {limit}"
