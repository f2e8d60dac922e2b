"""Checks on whether an environment can be what it declares, given what it is already and where its gate is."""

from typing import Final

from onboarding.api.gates import Actor, Track
from onboarding.api.status import Evidence
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import AppProjectInputs, EnvironmentDeclaration, RevisionInputs
from onboarding.checks.journey import gate_of

MAX_REVISION_BYTES: Final = 64 * 1024
MAX_POLICIES: Final = 500
"""Policies of an AppProject: Argo CD evaluates them one by one for each request."""


@check(
    "EnvironmentMoved",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="name the former target, namespace and stage, or declare another environment and move the workload",
    reads=("environments.target", "environments.namespace", "environments.stage"),
)
def environment_stays(inputs: EnvironmentDeclaration) -> Finding | None:
    """An environment stays on its target, in its namespace and in its stage, also if it was removed in between."""
    for former in inputs.former:
        for label, before, after in (
            ("target", former.target, inputs.target_name),
            ("namespace", former.namespace, inputs.namespace),
            ("stage", former.stage, inputs.environment.stage),
        ):
            if before != after:
                by_default = label == "target" and inputs.environment.target is None
                return Finding(
                    f"the environment is on {label} {before!r} and would move to {after!r}",
                    f"name {label} {before!r} in the spec, or declare another environment and move the workload"
                    + ("; or the platform team sets the default target of the stage back" if by_default else ""),
                    Actor.PLATFORM if by_default else Actor.PROJECT,
                )
    return None


@check(
    "NoGate",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose another target for this stage, or ask the platform team to add it to spec.gates[].opens",
    reads=("environments.stage", "environments.target"),
)
def a_gate_leads_there(inputs: EnvironmentDeclaration) -> Finding | None:
    """If the policy has gates, one of them opens this stage on this target."""
    stage, target = inputs.environment.stage, inputs.target_name
    if not inputs.policy.gates or inputs.stage is None or target is None or gate_of(inputs.policy, stage, target):
        return None
    return Finding(f"no gate of the policy opens stage {stage!r} on target {target!r}")


@check(
    "RevisionTooLarge",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="shorten labels, groups, flows or repositories",
    reads=("environments.labels", "environments.groups", "flows", "repositories", "team.groups"),
    actor=Actor.PROJECT,
)
def revision_fits(inputs: RevisionInputs) -> Finding | None:
    """The resolved inputs of an environment fit the annotation that remembers them (64 KiB)."""
    if inputs.largest <= MAX_REVISION_BYTES:
        return None
    return Finding(
        f"the resolved inputs of the environment take {inputs.largest} bytes of at most {MAX_REVISION_BYTES}"
    )


@check(
    "AppProjectTooLarge",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="let environments have the same groups, or declare fewer environments or repositories",
    reads=("environments.groups", "environments.stage", "repositories", "team.groups"),
)
def app_project_fits(inputs: AppProjectInputs) -> Finding | None:
    """The roles of the project in Argo CD have at most 500 policies."""
    if inputs.policies <= MAX_POLICIES:
        return None
    return Finding(f"the AppProject would have {inputs.policies} policies of at most {MAX_POLICIES}")
