"""Rules for the personas of a policy: stages that exist, rights that count, roles that can be bound; pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from onboarding.api.personas import ArgoAction, Persona, Right
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.text import choose
from onboarding.build.naming import SYNC_BINDING
from onboarding.reconcile.observed.validity import Problem, RoleState, repeated

_WATCHES: Final = {ArgoAction.GET, ArgoAction.LOGS}


def roles_of(policy: OnboardingPolicySpec) -> set[str]:
    """Return the ClusterRoles that a policy binds for projects, in any stage."""
    return {right.cluster_role for _, right in _rights(policy) if right.cluster_role}


def role_problems(policy: OnboardingPolicySpec, roles: Mapping[str, RoleState]) -> tuple[Problem, ...]:
    """Return problems of personas whose ClusterRole cannot be bound; a role that was not looked up yet passes."""
    return tuple(
        _role_problem(f"{field}.clusterRole", right.cluster_role, state)
        for field, right in _rights(policy)
        if right.cluster_role and (state := roles.get(right.cluster_role, RoleState.USABLE)) is not RoleState.USABLE
    )


def persona_problems(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Find rights in stages that do not exist, rights that never count, and personas that decide and build."""
    stages = [stage.name for stage in policy.stages]
    for index, persona in enumerate(policy.personas):
        field = f"spec.personas[{index}]"
        yield from _deciding(field, persona)
        yield from _stages(field, persona, stages)
        if any(f"{persona.name}:{right.cluster_role}" == SYNC_BINDING for right in persona.held):
            rule = f"the RoleBinding {SYNC_BINDING} is that of the account that Argo CD syncs with"
            yield Problem(f"{field}.name", rule, "give the persona another name, or another ClusterRole")
    personas = [persona.name for persona in policy.personas]
    yield from repeated("spec.externalsInProduction", "", policy.externals_in_production)
    for index, name in enumerate(policy.externals_in_production):
        if name not in personas:
            yield Problem(f"spec.externalsInProduction[{index}]", f"there is no persona {name}", choose(personas))


def _rights(policy: OnboardingPolicySpec) -> Iterator[tuple[str, Right]]:
    """Yield the rights of all personas, each with the field that it is written in."""
    for index, persona in enumerate(policy.personas):
        yield from _fields(f"spec.personas[{index}]", persona)


def _fields(field: str, persona: Persona) -> Iterator[tuple[str, Right]]:
    for number, right in enumerate(persona.held):
        yield f"{field}.rights[{number}]" if persona.rights else field, right


def _role_problem(field: str, role: str, state: RoleState) -> Problem:
    if state is RoleState.MISSING:
        return Problem(field, f"ClusterRole {role} does not exist", "create it, or use an existing one")
    return Problem(
        field,
        f"the operator may not bind ClusterRole {role}",
        "add it to bindableClusterRoles of the chart project-onboarding-operator",
    )


def _deciding(field: str, persona: Persona) -> Iterator[Problem]:
    for place, right in _fields(field, persona):
        too_much = [action.value for action in right.argocd if action not in _WATCHES]
        if persona.decides and too_much:
            rule = f"persona {persona.name} decides, so it must not have {', '.join(too_much)}"
            yield Problem(f"{place}.argocd", rule, "leave only get and logs")


def _stages(field: str, persona: Persona, stages: list[str]) -> Iterator[Problem]:
    """Find stages that the policy does not have, and entries that never count because others come first."""
    left = set(stages)
    for number, right in enumerate(persona.rights or ()):
        place = f"{field}.rights[{number}]"
        named = stages if right.stages is None else right.stages
        unknown = [stage for stage in named if stage not in stages]
        for stage in unknown:
            yield Problem(f"{place}.stages", f"there is no stage {stage}", choose(stages))
        if not unknown and left.isdisjoint(named):
            yield Problem(place, "it never counts: entries before it have all its stages", "remove or move it")
        left.difference_update(named)
