"""Roles of an AppProject: the groups of each persona, and the Applications on which they may act in Argo CD.

Argo CD matches the object of a policy as a glob whose ``*`` takes every character, hyphens included. So a glob for one
environment is written only if it meets no Application of another one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import NamedTuple

from onboarding.api.personas import ArgoAction
from onboarding.build.kinds import Manifest
from onboarding.build.revision import Binding

Standing = tuple[str, str]
"""A policy that an AppProject has at present, and a group that has it."""


class Governed(NamedTuple):
    """An environment on a site, with the names of its Applications on one Argo CD."""

    environment: str
    bindings: tuple[Binding, ...]
    applications: frozenset[str]


class _Scope(NamedTuple):
    project: str
    places: Sequence[Governed]
    others: frozenset[str]
    standing: frozenset[Standing]


@dataclass(slots=True)
class _Role:
    """A persona with the same groups in some environments, which are given by their index."""

    persona: str
    groups: tuple[str, ...]
    own: bool = True
    """Whether the groups are nowhere those of the team."""
    places: list[int] = field(default_factory=list)
    places_of: dict[ArgoAction, set[int]] = field(default_factory=dict)
    """The environments by the action that the groups have there."""

    def add(self, place: int, actions: Iterable[ArgoAction]) -> None:
        """Add an environment with the actions of the persona there."""
        self.places.append(place)
        for action in actions:
            self.places_of.setdefault(action, set()).add(place)


def build_roles(
    project: str,
    places: Sequence[Governed],
    others: frozenset[str] = frozenset(),
    standing: frozenset[Standing] = frozenset(),
) -> list[Manifest]:
    """Return one role per persona and distinct set of its groups.

    ``others`` are Applications that the AppProject still has and that belong to none of the environments. No policy for
    them is added, and a policy about every Application that is ``standing`` stays until they are gone.
    """
    scope = _Scope(project, places, others, standing)
    built = (_built(scope, name, role) for name, role in sorted(_named(places).items()))
    return [role for role in built if role["policies"]]


def whole_policies(spec: Manifest) -> frozenset[Standing]:
    """Return the policies of an AppProject that are about every Application, with each group that has them."""
    return frozenset(
        (policy, group)
        for role in spec.get("roles") or ()
        for policy in role.get("policies") or ()
        for group in role.get("groups") or ()
        if policy.endswith("/*, allow")
    )


def count_policies(roles: Iterable[Manifest]) -> int:
    """Return the number of policies in the roles of an AppProject."""
    return sum(len(role["policies"]) for role in roles)


def _named(places: Sequence[Governed]) -> dict[str, _Role]:
    """Return the roles by name; that of the team's groups has the name of the persona.

    If the team's groups differ, because an environment is held with former ones, those of most environments have it. No
    persona and no environment has an underscore in its name, so no two names are alike.
    """
    roles: dict[tuple[str, tuple[str, ...]], _Role] = {}
    for index, place in enumerate(places):
        for binding in place.bindings:
            if binding.argocd and binding.groups:
                groups = tuple(sorted(binding.groups))
                role = roles.setdefault((binding.persona, groups), _Role(binding.persona, groups))
                role.own = role.own and binding.own
                role.add(index, binding.argocd)
    named: dict[str, _Role] = {}
    for role in sorted(roles.values(), key=lambda role: (role.own, -len(role.places))):
        of_one = f"{role.persona}_{places[role.places[0]].environment}"
        names = chain((role.persona, of_one), (f"{of_one}_{number}" for number in count(2)))
        named[next(name for name in names if name not in named)] = role
    return named


def _built(scope: _Scope, name: str, role: _Role) -> Manifest:
    of_one = f", groups of environment {scope.places[role.places[0]].environment}" if name != role.persona else ""
    return {
        "name": name,
        "description": f"Persona {role.persona} of project {scope.project}{of_one}",
        "groups": list(role.groups),
        "policies": [policy for action in sorted(role.places_of) for policy in _policies(scope, name, role, action)],
    }


def _policies(scope: _Scope, name: str, role: _Role, action: ArgoAction) -> Iterator[str]:
    """Yield few policies for the Applications of the environments that a role has an action in, and for no other."""
    indexes = role.places_of[action]
    resource, verb = ("logs", "get") if action == ArgoAction.LOGS else ("applications", action)
    head = f"p, proj:{scope.project}:{name}, {resource}, {verb}, {scope.project}"
    whole = f"{head}/*, allow"
    elsewhere = (place.applications for index, place in enumerate(scope.places) if index not in indexes)
    refused = frozenset[str]().union(*elsewhere)
    if not refused and (not scope.others or all((whole, group) in scope.standing for group in role.groups)):
        yield whole
        return
    chosen = [scope.places[index] for index in indexes]
    for pattern in _patterns(scope.project, chosen, refused | scope.others):
        yield f"{head}/{pattern}, allow"


def _patterns(project: str, chosen: Sequence[Governed], refused: frozenset[str]) -> Iterator[str]:
    """Yield globs for whole environments if these match nothing that is refused, then the names that are left."""
    left = set[str]().union(*(place.applications for place in chosen)) - refused
    for environment in sorted({place.environment for place in chosen}):
        prefix = f"{project}-{environment}-"
        alike = {name for name in left if name.startswith(prefix)}
        if alike and not any(name.startswith(prefix) for name in refused):
            left -= alike
            yield f"{prefix}*"
    yield from sorted(left)
