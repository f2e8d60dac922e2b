"""Checks on where an environment runs and how large it is. Names are compared exactly."""

from onboarding.api.gates import Actor, Track
from onboarding.api.status import Evidence
from onboarding.api.text import choose, listed
from onboarding.checks.finding import Finding, check
from onboarding.checks.fitting import (
    choose_fitting,
    fitting,
    keeps_residency,
    offers_exposures,
    takes_profile,
    takes_stage,
    takes_zone,
)
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.checks.journey import journeys_of


@check(
    "StageUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="set spec.environments[].stage to a stage of the policy",
    reads=("environments.stage",),
)
def stage_is_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """The stage is one of the policy's."""
    if inputs.stage:
        return None
    return Finding(
        f"stage {inputs.environment.stage!r} is not in the policy",
        choose(stage.name for stage in inputs.policy.stages),
    )


@check(
    "SizeUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="set spec.environments[].size to a size of the policy",
    reads=("environments.size", "environments.resources"),
)
def size_is_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """The size, named or by default, is one of the policy's."""
    if inputs.stage is None or inputs.environment.resources or inputs.size:
        return None
    named = inputs.environment.size is not None
    return Finding(
        f"size {inputs.size_name!r} is not in the policy",
        choose(size.name for size in inputs.policy.sizes),
        Actor.PROJECT if named else Actor.PLATFORM,
    )


@check(
    "TargetUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="set spec.environments[].target to an existing HostingTarget",
    reads=("environments.target",),
)
def target_is_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """The target, named or by default, exists."""
    if inputs.stage is None or inputs.target:
        return None
    problem = inputs.project.target_problems.get(inputs.target_name or "")
    if problem:
        return Finding(
            f"HostingTarget {inputs.target_name!r} cannot be used: {problem}",
            f"the platform team mends it; until then, {choose(fitting(inputs))}",
            Actor.PLATFORM,
        )
    named = inputs.environment.target is not None
    return Finding(
        f"HostingTarget {inputs.target_name!r} does not exist",
        choose(fitting(inputs)),
        Actor.PROJECT if named else Actor.PLATFORM,
    )


@check(
    "StageNotAllowedOnTarget",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose a target that allows the stage",
    reads=("environments.stage", "environments.target"),
)
def target_takes_stage(inputs: EnvironmentDeclaration) -> Finding | None:
    """The target allows environments of this stage."""
    target = inputs.target
    if target is None or takes_stage(inputs, "", target):
        return None
    return Finding(
        f"target {inputs.target_name!r} takes no environment of stage {inputs.environment.stage!r}",
        choose_fitting(inputs, "choose a target that does"),
    )


@check(
    "SiteUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="set spec.environments[].sites to sites of the target",
    reads=("environments.sites", "environments.target"),
)
def sites_are_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every named site belongs to the target, and at least one site is not lost."""
    if inputs.target is None:
        return None
    known = {site.name for site in inputs.target.sites}
    unknown = sorted(set(inputs.environment.sites) - known)
    if not unknown and inputs.sites:
        return None
    if not unknown:
        return Finding(
            f"every site of target {inputs.target_name!r} that the environment runs on is lost",
            "set spec.environments[].target, or spec.environments[].sites, to a place that is not lost",
        )
    return Finding(
        f"target {inputs.target_name!r} has no site {listed(unknown)}",
        choose(known),
    )


@check(
    "NamespaceNameNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="remove spec.environments[].namespace, or ask the platform team to allow names",
    reads=("environments.namespace",),
)
def namespace_name_is_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """An environment names its namespace only if the policy allows it."""
    if inputs.environment.namespace is None or inputs.policy.allow_namespace_names:
        return None
    return Finding(
        "the policy does not let environments choose the name of their namespace",
        "remove spec.environments[].namespace, or ask the platform team to allow names",
    )


@check(
    "NamespaceTaken",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="give the environment another namespace in spec.environments[].namespace, or another name",
    reads=("environments.name", "environments.namespace", "environments.target", "environments.sites"),
)
def namespace_is_its_own(inputs: EnvironmentDeclaration) -> Finding | None:
    """No other environment of the project has the namespace on a cluster that both are on."""
    if not inputs.before:
        return None
    return Finding(
        f"environments {inputs.before!r} and {inputs.environment.name!r} have one namespace, {inputs.namespace!r}, and "
        f"{inputs.before!r} comes first"
    )


@check(
    "ZoneNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose a target that takes projects of this sensitivity zone",
    reads=("classification.zone", "environments.data", "environments.target"),
)
def zone_is_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """The target takes projects of the sensitivity zone that the data demands; without one, every target does."""
    target, zone = inputs.target, inputs.spec.classification.zone
    if target is None or takes_zone(inputs, "", target):
        return None
    return Finding(
        f"spec.classification.zone is {zone!r}, and target {inputs.target_name!r} takes {_only(target.zones)}",
        choose_fitting(inputs, "choose a target that takes it"),
    )


@check(
    "ResidencyNotMet",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose a target with the residency that the project demands",
    reads=("classification.residency", "environments.data", "environments.target"),
)
def residency_is_met(inputs: EnvironmentDeclaration) -> Finding | None:
    """Data on the target stays within the territory that the project demands."""
    target, residency = inputs.target, inputs.spec.classification.residency
    if target is None or keeps_residency(inputs, "", target):
        return None
    promise = f"promises {target.residency!r}" if target.residency else "promises nothing"
    return Finding(
        f"spec.classification.residency is {residency!r}, and target {inputs.target_name!r} {promise}",
        choose_fitting(inputs, "choose a target that does"),
    )


@check(
    "ExposureNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose a target that offers these networks, or remove them from spec.environments[].exposures",
    reads=("environments.exposures", "environments.target"),
)
def exposures_are_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """The environment is exposed only to networks that the target offers."""
    target, wanted = inputs.target, set(inputs.environment.exposures)
    if target is None or offers_exposures(inputs, "", target):
        return None
    offers = f"offers {listed(target.exposures)} only" if target.exposures else "exposes nothing"
    return Finding(
        f"spec.environments[].exposures names {listed(wanted - set(target.exposures))}, "
        f"and target {inputs.target_name!r} {offers}",
        choose_fitting(inputs, "remove it, or choose a target that offers it"),
    )


@check(
    "ProfileNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose a target that takes this workload profile",
    reads=("environments.profile", "environments.target"),
)
def profile_is_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """The target takes workloads of the environment's profile; an environment that names none fits everywhere."""
    target, profile = inputs.target, inputs.environment.profile
    if target is None or takes_profile(inputs, "", target):
        return None
    return Finding(
        f"spec.environments[].profile is {profile!r}, and target {inputs.target_name!r} takes {_only(target.profiles)}",
        choose_fitting(inputs, "choose a target that takes it"),
    )


@check(
    "ContractNotInForce",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="choose another target, or ask the platform team about the contract of this one",
    reads=("environments.target",),
    actor=Actor.PLATFORM,
)
def contract_is_in_force(inputs: EnvironmentDeclaration) -> Finding | None:
    """The target may be ordered today, in UTC; both days of its contract are included."""
    if inputs.target is None:
        return None
    today, contract = inputs.project.today.isoformat(), inputs.target.contract
    if contract.available_from and today < contract.available_from:
        return Finding(f"target {inputs.target_name!r} is available from {contract.available_from}")
    if contract.ends_on and today > contract.ends_on:
        return Finding(f"the contract of target {inputs.target_name!r} ended on {contract.ends_on}")
    return None


@check(
    "JourneyUnknown",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="spec.journey names a journey of the policy",
    reads=("journey",),
)
def journey_is_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """If the project names a journey, it is one of the policy's."""
    journey, known = inputs.spec.journey, journeys_of(inputs.policy)
    if journey is None or journey in known:
        return None
    return Finding(f"spec.journey {journey!r} is not in the policy", f"{choose(known)}; or leave spec.journey out")


def _only(known: tuple[str, ...]) -> str:
    return f"{listed(known)} only" if known else "none"
