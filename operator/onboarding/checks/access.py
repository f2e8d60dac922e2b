"""Checks on who gets access."""

from onboarding.api.gates import Track
from onboarding.api.status import Evidence
from onboarding.api.text import listed
from onboarding.checks.finding import Finding, check, undecided
from onboarding.checks.inputs import EnvironmentDeclaration, ProjectInputs
from onboarding.checks.probe import GroupRequest
from onboarding.checks.several import platform_acts, worst


@check(
    "PersonaUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="use only personas of the policy as keys of spec.team.groups",
    reads=("team.groups",),
)
def personas_are_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """spec.team.groups names only personas of the policy."""
    unknown = sorted(name for name in inputs.spec.team.groups if inputs.project.persona(name) is None)
    if not unknown:
        return None
    return Finding(
        f"spec.team.groups names {listed(unknown)}, which the policy does not have",
        f"use: {listed(persona.name for persona in inputs.policy.personas)}",
    )


def _groups(inputs: ProjectInputs) -> list[GroupRequest]:
    return [GroupRequest(group) for group in sorted(set().union(*inputs.spec.team.groups.values()))]


@check(
    "GroupsExist",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="have the groups created in the identity provider, or correct their names in spec.team.groups",
    reads=("team.groups",),
    requests_of=_groups,
)
def groups_exist(inputs: ProjectInputs) -> Finding | None:
    """The identity provider knows every group of the team."""
    return worst(_group(inputs, request) for request in _groups(inputs))


def _group(inputs: ProjectInputs, request: GroupRequest) -> Finding | None:
    what = f"group {request.group}"
    answer = inputs.answer(request)
    if answer is None or answer.facts is None:
        return platform_acts(undecided(answer, what), "see that the policy's probes.identityProvider answers")
    return None if answer.facts.found else Finding(f"{what} does not exist")
