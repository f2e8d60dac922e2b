"""Checks on whether a target is trusted with the data of an environment, and takes new environments of the project."""

from collections.abc import Iterator
from typing import Final

from onboarding.api.gates import Actor, Track
from onboarding.api.placement import Data
from onboarding.api.status import Evidence
from onboarding.api.text import listed
from onboarding.checks.finding import Finding, check
from onboarding.checks.fitting import choose_fitting, demand_of, is_open, is_open_to_the_project, is_trusted
from onboarding.checks.inputs import EnvironmentDeclaration

_OTHER: Final = "choose a target that fits"


@check(
    "TrustTooLow",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose a target of the trust that spec.placement of the policy demands",
    reads=("classification", "environments.data", "environments.target"),
)
def target_is_trusted(inputs: EnvironmentDeclaration) -> Finding | None:
    """The target has the trust that the policy demands for the classification, unless the data is not real."""
    target, wanted = inputs.target, demand_of(inputs)
    if target is None or is_trusted(inputs, inputs.target_name or "", target):
        return None
    return Finding(
        f"spec.classification has {wanted.reason}: it demands trust {wanted.trust}, and target "
        f"{inputs.target_name!r} has {target.trust or 0}",
        choose_fitting(inputs, ", or ".join((*_other_ways(inputs), _OTHER))),
    )


@check(
    "DataNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="remove spec.environments[].data, or use a stage that the policy permits fictive data in",
    reads=("environments.data", "environments.stage"),
)
def data_is_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """Only stages that the policy permits it in hold fictive data or none; production holds real data."""
    data, stage = inputs.environment.data, inputs.stage
    if stage is None or data in (None, Data.REAL) or inputs.fictive:
        return None
    others = [item.name for item in inputs.policy.stages if item.fictive_data and not item.production]
    why = "production serves real data" if stage.production else "the policy does not permit it there"
    remedy = f"remove it; it is for stages {listed(others)}" if others else "remove it"
    return Finding(f"spec.environments[].data is {data.value}, and the stage is {stage.name!r}: {why}", remedy)


@check(
    "TargetReserved",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="choose another target, or ask the platform team to add the project to spec.reservedFor of this one",
    reads=("organisation", "environments.target"),
)
def target_is_open_to_the_project(inputs: EnvironmentDeclaration) -> Finding | None:
    """If the target is reserved, it is for this project or its organisation, compared exactly."""
    if inputs.target is None or is_open_to_the_project(inputs, inputs.target_name or "", inputs.target):
        return None
    return Finding(
        f"target {inputs.target_name!r} is reserved for other projects",
        choose_fitting(inputs, _OTHER),
        _actor(inputs),
    )


@check(
    "TargetClosed",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="choose another target",
    reads=("environments.target",),
)
def target_takes_new_environments(inputs: EnvironmentDeclaration) -> Finding | None:
    """The target takes new environments, or the environment is there already."""
    if inputs.target is None or is_open(inputs, inputs.target_name or "", inputs.target):
        return None
    return Finding(
        f"target {inputs.target_name!r} takes no new environment",
        choose_fitting(inputs, _OTHER),
        _actor(inputs),
    )


def _other_ways(inputs: EnvironmentDeclaration) -> Iterator[str]:
    """Yield what helps beside another target."""
    if not inputs.spec.classification.zone:
        yield "set spec.classification.zone"
    if inputs.stage and inputs.stage.fictive_data and not inputs.stage.production:
        yield "set data: Fictive on the environment if it holds no real data"


def _actor(inputs: EnvironmentDeclaration) -> Actor:
    """Return who acts: the platform if its policy names the target by default."""
    return Actor.PROJECT if inputs.environment.target else Actor.PLATFORM
