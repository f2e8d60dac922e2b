"""Checks on where an environment runs and how large it is."""

from collections.abc import Iterable

from onboarding.api.status import Actor
from onboarding.checks.finding import Finding, Inputs


def stage_is_known(inputs: Inputs) -> Finding | None:
    """The stage is one of the policy's."""
    if inputs.stage:
        return None
    return Finding(
        "StageUnknown",
        f"stage {inputs.environment.stage!r} is not in the policy",
        f"choose one of: {listed(stage.name for stage in inputs.policy.stages)}",
    )


def size_is_known(inputs: Inputs) -> Finding | None:
    """The size, named or by default, is one of the policy's."""
    if inputs.stage is None or inputs.environment.resources or inputs.size:
        return None
    named = inputs.environment.size is not None
    return Finding(
        "SizeUnknown",
        f"size {inputs.size_name!r} is not in the policy",
        f"choose one of: {listed(size.name for size in inputs.policy.sizes)}",
        Actor.PROJECT if named else Actor.PLATFORM,
    )


def target_is_known(inputs: Inputs) -> Finding | None:
    """The target, named or by default, exists."""
    if inputs.stage is None or inputs.target:
        return None
    named = inputs.environment.target is not None
    return Finding(
        "TargetUnknown",
        f"HostingTarget {inputs.target_name!r} does not exist or is not valid",
        f"choose one of: {listed(inputs.targets)}",
        Actor.PROJECT if named else Actor.PLATFORM,
    )


def target_takes_stage(inputs: Inputs) -> Finding | None:
    """The target allows environments of this stage."""
    target = inputs.target
    if target is None or not target.stages or inputs.environment.stage in target.stages:
        return None
    takers = (name for name, other in inputs.targets.items() if _takes(other.stages, inputs.environment.stage))
    return Finding(
        "StageNotAllowedOnTarget",
        f"target {inputs.target_name!r} takes no environment of stage {inputs.environment.stage!r}",
        f"choose a target that does: {listed(takers)}",
    )


def sites_are_known(inputs: Inputs) -> Finding | None:
    """Every named site belongs to the target."""
    if inputs.target is None:
        return None
    known = {site.name for site in inputs.target.sites}
    unknown = sorted(set(inputs.environment.sites) - known)
    if not unknown:
        return None
    return Finding(
        "SiteUnknown",
        f"target {inputs.target_name!r} has no site {listed(unknown)}",
        f"choose among: {listed(known)}",
    )


def namespace_name_is_allowed(inputs: Inputs) -> Finding | None:
    """An environment names its namespace only where the policy allows that."""
    if inputs.environment.namespace is None or inputs.policy.allow_namespace_names:
        return None
    return Finding(
        "NamespaceNameNotAllowed",
        "the policy does not let environments choose the name of their namespace",
        "remove spec.environments[].namespace, or ask the platform team to allow names",
    )


def listed(names: Iterable[str]) -> str:
    """Return names as a sorted list for a message."""
    return ", ".join(sorted(names)) or "none exists"


def _takes(stages: tuple[str, ...], stage: str) -> bool:
    return not stages or stage in stages
