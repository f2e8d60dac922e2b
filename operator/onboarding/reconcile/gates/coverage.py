"""The declared fields of one environment, in the groups that an approval covers; pure.

They are what the project declares for the environment, whatever policy and targets make of it: a repository with the
environment's deviations, its groups, and the flows that it has a part in.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from onboarding.api.gates import Coverage, Gate, Severity
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.build.canonical import dump
from onboarding.checks.catalogue import BY_ID
from onboarding.checks.deployed import deployed, value_repositories
from onboarding.checks.journey import JourneyInForce, gate_index_of, journey_in_force
from onboarding.reconcile.gates.fields import pick

Fields = dict[str, Any]
"""Values by path; for a list of named items by path and name."""
FieldGroups = dict[Coverage, Fields]

GROUP_OF: Final[Mapping[str, Coverage | None]] = {
    "journey": Coverage.ADMISSION,
    "classification": Coverage.ADMISSION,
    "team.poa": Coverage.ADMISSION,
    "environments.name": Coverage.ADMISSION,
    "environments.stage": Coverage.ADMISSION,
    "environments.target": Coverage.ADMISSION,
    "environments.sites": Coverage.ADMISSION,
    "environments.namespace": Coverage.ADMISSION,
    "environments.profile": Coverage.ADMISSION,
    "environments.data": Coverage.ADMISSION,
    "environments.size": Coverage.CONFIGURATION,
    "environments.resources": Coverage.CONFIGURATION,
    "environments.labels": Coverage.CONFIGURATION,
    "environments.autoSync": Coverage.CONFIGURATION,
    "environments.domains": Coverage.CONFIGURATION,
    "environments.releaseWindows": Coverage.CONFIGURATION,
    "environments.healthPath": Coverage.CONFIGURATION,
    "environments.exposures": Coverage.CONFIGURATION,
    "environments.groups": Coverage.CONFIGURATION,
    "team.groups": Coverage.CONFIGURATION,
    "flows": Coverage.CONFIGURATION,
    "repositories.name": Coverage.CONFIGURATION,
    "repositories.url": Coverage.CONFIGURATION,
    "repositories.credentials": Coverage.CONFIGURATION,
    "repositories.deploys": Coverage.CONFIGURATION,
    "repositories.revision": Coverage.RELEASE,
    "repositories.path": Coverage.RELEASE,
    "repositories.chart": Coverage.RELEASE,
    "repositories.helm": Coverage.RELEASE,
    "repositories.recurse": Coverage.RELEASE,
    "environments.deployments": Coverage.RELEASE,
    # No approval covers what only tells people something, gives nobody access, or has decisions of its own.
    "description": None,
    "objectives": None,
    "organisation": None,
    "owner": None,
    "sponsor": None,
    "team.people": None,
    "environments.owner": None,
    "mode": None,
    "deletionPolicy": None,
}
"""The group of each field of the spec; deciding groups are in Admission. Texts in a field are in none."""

_EFFECTIVE: Final[Mapping[str, tuple[str, ...]]] = {
    "environments.groups": ("team.groups",),
    "environments.deployments": ("repositories.revision", "repositories.path", "repositories.helm"),
}
"""Where the fields of an environment are that take the place of the project's."""
_GROUPS: Final = "team.groups"
_PEOPLE: Final = ("owner", "sponsor", "organisation", "team.people", "team.poa", "environments.owner")
_MOST_BYTES: Final = 400


def environments_behind(spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, gate: str) -> list[Environment]:
    """Return the declared environments that a gate opens, in the order of the spec."""
    stages = {stage.name: stage for stage in policy.stages}
    found = []
    for environment in spec.environments:
        stage = stages.get(environment.stage)
        target = environment.target or (stage.default_target if stage else "")
        index = gate_index_of(policy, environment.stage, target)
        if index >= 0 and policy.gates[index].name == gate:
            found.append(environment)
    return found


def covered_by(journey: JourneyInForce, gate: Gate) -> frozenset[Coverage]:
    """Return the groups of fields that the approvals of a gate cover for projects of a journey."""
    return frozenset(group for approval in journey.asked(gate) for group in approval.covered)


def gate_reads(policy: OnboardingPolicySpec, gate: str) -> list[str]:
    """Return the fields that the checks at a gate read, sorted and unique."""
    rules = (rule for rule in policy.checks if rule.gate == gate and rule.severity is not Severity.IGNORED)
    return sorted({path for rule in rules if (check := BY_ID.get(rule.id)) for path in check.reads})


def paths_of(group: Coverage, reads: Iterable[str]) -> list[str]:
    """Return the paths of a group at a gate whose checks read these fields: Admission has those, too.

    The journey, which decides about the checks, is in every group.
    """
    own = [path for path, named in GROUP_OF.items() if named is group and path not in _EFFECTIVE]
    if group is not Coverage.ADMISSION:
        return [*own, "journey"]
    read = (part for path in reads for part in _EFFECTIVE.get(path) or _parts(path))
    return [*own, *sorted({path for path in read if not any(_lies_in(path, other) for other in own)})]


def _parts(path: str) -> list[str]:
    """Return the fields of the table that lie in a path, such as those of ``repositories``; else the path."""
    return [field for field in GROUP_OF if field.startswith(f"{path}.")] or [path]


def declared_groups(
    spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, environment: Environment, gate: Gate
) -> FieldGroups:
    """Return the declared fields of an environment in the groups that approvals of its gate may cover.

    Of long values, and of those that name people, it is only the hash: an admitted revision stores them.
    """
    content = _for_environment(spec, policy, environment).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    reads = gate_reads(policy, gate.name)
    found: FieldGroups = {group: _picked(content, paths_of(group, reads)) for group in Coverage}
    deciding = {persona.name for persona in policy.personas if persona.decides}
    named = pick(content, _GROUPS) or {}
    if deciders := {persona: groups for persona, groups in named.items() if persona in deciding}:
        found[Coverage.ADMISSION].setdefault(_GROUPS, deciders)
    others = {persona: groups for persona, groups in named.items() if persona not in deciding}
    found[Coverage.CONFIGURATION] = _without_empty({**found[Coverage.CONFIGURATION], _GROUPS: others})
    return {group: {path: _short(path, value) for path, value in fields.items()} for group, fields in found.items()}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield each field that differs between two forms of a group, such as ``environments[prod].size: s → xl``."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for path in sorted(before.keys() | after.keys()):
        one, other = before.get(path), after.get(path)
        if one != other:
            hashed = any(_is_hash(value) for value in (one, other))
            yield f"{path} changed" if hashed else f"{path}: {_text(one)} → {_text(other)}"


def _for_environment(
    spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, environment: Environment
) -> ProjectOnboardingSpec:
    """Return a spec reduced to what it declares for one environment, with the journey in force."""
    name = environment.name
    values = (item.model_copy(update={"deploys": False}) for item in value_repositories(spec, environment))
    repositories = {item.name: item for item in (*values, *deployed(spec, environment))}
    # Who may reach an environment is its own matter; who else has one of its flows is not.
    needed = (flow.model_copy(update={"environments": ()}) for flow in spec.flows if flow.concerns(name))
    answered = (flow for flow in spec.flows if flow.environment == name)
    return spec.model_copy(
        update={
            "journey": journey_in_force(policy, spec.journey).name or None,
            "team": spec.team.model_copy(update={"groups": spec.groups_in(environment)}),
            "environments": (environment.model_copy(update={"groups": {}, "deployments": ()}),),
            "flows": (*needed, *answered),
            "repositories": tuple(repositories.values()),
        }
    )


def _picked(content: Mapping[str, Any], paths: Iterable[str]) -> Fields:
    return _without_empty({path: pick(content, path) for path in paths})


def _without_empty(fields: Fields) -> Fields:
    return {path: value for path, value in fields.items() if value not in (None, {}, [])}


def _lies_in(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.")


def _short(path: str, value: Any) -> Any:
    content = dump(value)
    shown = len(content) <= _MOST_BYTES and not any(_lies_in(path, people) for people in _PEOPLE)
    # A project may declare what looks like the hash of something else.
    if shown and not (isinstance(value, dict) and _hashed(value)):
        return value
    return {"sha256": hashlib.sha256(content).hexdigest()}


def _is_hash(value: Any) -> bool:
    return isinstance(value, dict)


def _leaves(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each value of remembered fields with its path; a hash is one value."""
    for path, value in fields.items():
        head, _, rest = path.partition(".")
        if head in ("environments", "repositories") and isinstance(value, dict) and not _hashed(value):
            for name, part in value.items():
                yield from _nested(f"{head}[{name}].{rest}", part)
        elif isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value):
            for item in value:
                yield from _nested(f"{path}[{item['name']}]", item)
        else:
            yield from _nested(path, value)


def _nested(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and not _hashed(value):
        for name, part in value.items():
            yield from _nested(f"{path}.{name}", part)
    else:
        yield path, value


def _hashed(value: Mapping[str, Any]) -> bool:
    return value.keys() == {"sha256"}


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return f"[{', '.join(item if isinstance(item, str) else dump(item).decode() for item in value)}]"
    return str(value)
