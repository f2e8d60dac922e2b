"""Predicates of placement: each says whether one demand of an environment is met by a target, and one whether all are.

Remedies name only targets that meet every demand, so that nobody is sent to a target that the next check refuses.
"""

from collections.abc import Callable

from onboarding.api.placement import Demand, demand, lies_in
from onboarding.api.target import HostingTargetSpec
from onboarding.api.text import listed
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.checks.journey import gate_index_of

Fits = Callable[[EnvironmentDeclaration, str, HostingTargetSpec], bool]


def takes_stage(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether a target takes environments of this stage."""
    return not target.stages or inputs.environment.stage in target.stages


def takes_zone(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether a target takes the sensitivity zone that the data demands; without one, every target does."""
    zone = inputs.spec.classification.zone
    return zone is None or inputs.fictive or _takes(target, target.zones, zone)


def keeps_residency(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether data on a target stays within the territory that the project demands."""
    wanted = inputs.spec.classification.residency
    if not wanted or inputs.fictive:
        return True
    return bool(target.residency) and lies_in(inputs.policy.territories, target.residency, wanted)


def offers_exposures(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether a target offers every network that the environment is exposed to."""
    return set(inputs.environment.exposures) <= set(target.exposures)


def takes_profile(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether a target takes the workload profile; without one, every target does."""
    profile = inputs.environment.profile
    return profile is None or _takes(target, target.profiles, profile)


def is_trusted(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether a target has the trust that the classification demands."""
    return (target.trust or 0) >= demand_of(inputs).trust


def is_open_to_the_project(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether a target is reserved for nobody, or also for this project."""
    organisation = inputs.spec.organisation
    reserved = target.reserved_for
    return reserved is None or reserved.takes(inputs.project.name, organisation.name if organisation else None)


def is_open(inputs: EnvironmentDeclaration, name: str, target: HostingTargetSpec) -> bool:
    """Return whether new environments open on a target, or this one is there already."""
    return not target.closed or any(former == name for former, *_ in inputs.former)


def is_in_force(inputs: EnvironmentDeclaration, _name: str, target: HostingTargetSpec) -> bool:
    """Return whether a target may be ordered today, in UTC; both days of its contract are included."""
    today, contract = inputs.project.today.isoformat(), target.contract
    return (contract.available_from or today) <= today <= (contract.ends_on or today)


def has_a_gate(inputs: EnvironmentDeclaration, name: str, _target: HostingTargetSpec) -> bool:
    """Return whether a gate opens the stage on a target, if the policy has gates."""
    return not inputs.policy.gates or gate_index_of(inputs.policy, inputs.environment.stage, name) >= 0


DEMANDS: tuple[Fits, ...] = (
    takes_stage,
    takes_zone,
    keeps_residency,
    offers_exposures,
    takes_profile,
    is_trusted,
    is_open_to_the_project,
    is_open,
    is_in_force,
    has_a_gate,
)
"""Everything that an environment demands of a target."""


def fitting(inputs: EnvironmentDeclaration, *others: Fits) -> list[str]:
    """Return the names of the targets that meet every demand of the environment, and these."""
    return [
        name
        for name, target in inputs.targets.items()
        if all(demanded(inputs, name, target) for demanded in (*DEMANDS, *others))
    ]


def choose_fitting(inputs: EnvironmentDeclaration, remedy: str, *others: Fits) -> str:
    """Return a remedy with the targets that fit."""
    return f"{remedy}: {listed(fitting(inputs, *others))}"


def demand_of(inputs: EnvironmentDeclaration) -> Demand:
    """Return the least trust that the classification demands for the data of the environment."""
    return Demand() if inputs.fictive else demand(inputs.policy.placement, inputs.spec.classification)


def _takes(target: HostingTargetSpec, known: tuple[str, ...], wanted: str) -> bool:
    return wanted in known or not (known or target.external)
