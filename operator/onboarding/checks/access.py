"""Checks on who gets access."""

from onboarding.api.gates import Track
from onboarding.api.identity import bare_group
from onboarding.api.status import Evidence
from onboarding.api.team import Affiliation
from onboarding.api.text import listed
from onboarding.checks.finding import Finding, check, undecided
from onboarding.checks.identity import GroupSet, Naming
from onboarding.checks.inputs import EnvironmentDeclaration, ProjectInputs
from onboarding.checks.probe import GroupRequest
from onboarding.checks.several import platform_acts, worst


@check(
    "PersonaUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="use only personas of the policy as keys of spec.team.groups and spec.environments[].groups",
    reads=("team.groups", "environments.groups"),
)
def personas_are_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """spec.team.groups and the environment's own groups name only personas of the policy."""
    own = f"spec.environments[{inputs.environment.name}].groups"
    for field, groups in (("spec.team.groups", inputs.spec.team.groups), (own, inputs.environment.groups)):
        unknown = sorted(name for name in groups if inputs.project.persona(name) is None)
        if unknown:
            return Finding(
                f"{field} names {listed(unknown)}, which the policy does not have",
                f"use: {listed(persona.name for persona in inputs.policy.personas)}",
            )
    return None


def _groups(inputs: ProjectInputs) -> list[GroupRequest]:
    """Return the requests for all groups, as the identity provider names them."""
    prefixes = (Naming.of(inputs.policy.identity).group_prefix,)
    lists = (inputs.spec.team.groups, *(environment.groups for environment in inputs.spec.environments))
    return [
        GroupRequest(group)
        for group in sorted(
            {bare_group(group, prefixes) for named in lists for groups in named.values() for group in groups}
        )
    ]


@check(
    "GroupsExist",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="have the groups created in the identity provider, or correct their names in spec.team.groups and "
    "spec.environments[].groups",
    reads=("team.groups", "environments.groups"),
    requests_of=_groups,
)
def groups_exist(inputs: ProjectInputs) -> Finding | None:
    """The identity provider knows every group of the team and of its environments."""
    return worst(_group(inputs, request) for request in _groups(inputs))


@check(
    "ExternalsAllowed",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="say of each person in spec.team.people if they are internal or external, and give externals groups of "
    "their own that have no rights in production",
    reads=("team.people.affiliation", "team.people.groups", "team.groups", "environments.groups", "environments.stage"),
)
def externals_are_allowed(inputs: ProjectInputs) -> Finding | None:
    """No external is in a group with rights in production, but for the personas that the policy names."""
    closed, naming = _closed_to_externals(inputs), Naming.of(inputs.policy.identity)
    for person in inputs.spec.team.people:
        field = f"spec.team.people[{person.email}]"
        if person.affiliation is None:
            return Finding(f"{field} has no affiliation", "set affiliation to Internal or External")
        if person.affiliation is Affiliation.INTERNAL:
            continue
        external = GroupSet(naming, person.groups)
        if not person.groups:
            return Finding(f"{field} is external and names no groups", "list in groups those that the person is in")
        for group in sorted(group for group in closed if external.find(group)):
            return Finding(
                f"{field} is external and in group {group}, which has persona {closed[group]} in production",
                "give production other groups in spec.environments[].groups, or take the person out of the group; open "
                f"to externals: {', '.join(inputs.policy.externals_in_production) or 'no persona'}",
            )
    return None


def _closed_to_externals(inputs: ProjectInputs) -> dict[str, str]:
    """Return the groups with rights in production that may hold no external, each with its persona."""
    production = {stage.name for stage in inputs.policy.stages if stage.production}
    return {
        group: persona.name
        for environment in inputs.spec.environments
        if environment.stage in production
        for persona in inputs.policy.personas
        if persona.name not in inputs.policy.externals_in_production
        if (right := persona.right_in(environment.stage)) and (right.cluster_role or right.argocd)
        for group in inputs.spec.groups_in(environment).get(persona.name, ())
    }


def _group(inputs: ProjectInputs, request: GroupRequest) -> Finding | None:
    what = f"group {request.group}"
    answer = inputs.answer(request)
    if answer is None or answer.facts is None:
        remedy = "see that the policy's probes.identityProvider is set and answers"
        return platform_acts(undecided(answer, what), remedy)
    return None if answer.facts.found else Finding(f"{what} does not exist")
