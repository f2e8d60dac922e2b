"""Checks on the namespace of an environment: its labels, and names that are the platform's.

What was admitted before a rule is a warning on each site that has it, and holds nothing.
"""

from functools import partial

from onboarding.api.gates import Actor, Severity, Track
from onboarding.api.namespaces import label_prefixes, reserving
from onboarding.api.status import Evidence
from onboarding.api.text import listed
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import EnvironmentDeclaration, Former
from onboarding.checks.several import some


@check(
    "NamespaceLabelNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="remove the label from spec.environments[].labels, use a prefix that the policy allows, or ask the platform "
    "team to add this one to spec.namespaceLabels",
    reads=("environments.labels",),
)
def labels_are_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every label of the namespace begins with a prefix that the policy lets projects set."""
    prefixes = label_prefixes(inputs.policy.own_labels, inputs.project.name)
    others = {key: value for key, value in inputs.environment.labels.items() if not key.startswith(prefixes)}
    if not others:
        return None
    new = [key for key, value in others.items() if not inputs.is_everywhere(partial(_has, key, value))]
    allowed = f"projects may set labels that begin with {listed(prefixes)}" if prefixes else "projects may set none"
    return Finding(
        f"spec.environments[].labels has {some(new or others)}, and {allowed}"
        + ("" if new else "; it was admitted before and stays as it is"),
        severity=Severity.BLOCKING if new else Severity.WARNING,
    )


@check(
    "NamespaceReserved",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="give the environment or the project another name, or set spec.environments[].namespace to another one if "
    "the policy allows it",
    reads=("environments.name", "environments.namespace"),
)
def namespace_is_the_projects(inputs: EnvironmentDeclaration) -> Finding | None:
    """The name of the namespace is none of the platform's: of the operator, of a HostingTarget or of the policy."""
    name = inputs.namespace
    owner = inputs.project.reserved.get(name)
    if owner is None and (entry := reserving(inputs.policy.platform_names, name)):
        by_default = " by default" if inputs.policy.reserved_namespaces is None else ""
        owner = f"spec.reservedNamespaces of the policy has {entry}{by_default}"
    if owner is None:
        return None
    if not inputs.is_everywhere(lambda old: old.namespace == name):
        return Finding(f"namespace {name!r} is reserved for the platform: {owner}")
    return Finding(
        f"namespace {name!r} was admitted before it was reserved for the platform, and stays: {owner}",
        "declare an environment of another name, move the workload, and remove this one; until then whoever trusts "
        "the name trusts the project",
        Actor.PLATFORM,
        severity=Severity.WARNING,
    )


def _has(key: str, value: str, admitted: Former) -> bool:
    return admitted.labels.get(key) == value
