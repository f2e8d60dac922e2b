"""The declared fields of one environment, in the groups that an approval covers; pure.

They are what the project declares for the environment, whatever policy and targets make of it: a repository with the
environment's deviations, its groups, and the flows that it has a part in.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from onboarding.api.gates import Coverage, Gate, Severity
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.build.canonical import dump
from onboarding.checks.catalogue import BY_ID
from onboarding.checks.deployed import deployed, value_repositories
from onboarding.checks.journey import gate_index_of
from onboarding.reconcile.gates.fields import flat, pick

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


def gate_reads(policy: OnboardingPolicySpec, gate: str) -> tuple[str, ...]:
    """Return the fields that the checks at a gate read, sorted and unique."""
    rules = (rule for rule in policy.checks if rule.gate == gate and rule.severity is not Severity.IGNORED)
    return _reads(tuple(rule.id for rule in rules))


@lru_cache(maxsize=256)
def _reads(checks: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({path for name in checks if (check := BY_ID.get(name)) for path in check.reads}))


@lru_cache(maxsize=64)
def paths_of(group: Coverage, reads: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths of a group at a gate whose checks read these fields: Admission has those, too.

    The journey, which decides about the checks, is in every group.
    """
    own = [path for path, named in GROUP_OF.items() if named is group and path not in _EFFECTIVE]
    if group is not Coverage.ADMISSION:
        return (*own, "journey")
    read = (part for path in reads for part in _EFFECTIVE.get(path) or _parts(path))
    return (*own, *sorted({path for path in read if not any(_lies_in(path, other) for other in own)}))


def _parts(path: str) -> list[str]:
    """Return the fields of the table that lie in a path, such as those of ``repositories``; else the path."""
    return [field for field in GROUP_OF if field.startswith(f"{path}.")] or [path]


def declared_groups(
    spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, environment: Environment, gate: Gate
) -> FieldGroups:
    """Return the declared fields of an environment in the groups that approvals of its gate may cover.

    Of long values, and of those that name people, it is only the hash: an admitted revision stores them. What only a
    check of the gate reads is there also if it is absent, as None: the policy may have other checks later.
    """
    reduced = _for_environment(spec, policy, environment)
    content = reduced.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    reads = gate_reads(policy, gate.name)
    there = flat(content)
    found: FieldGroups = {group: _picked(content, there, group, reads) for group in Coverage}
    deciders, others = _groups(there.get(_GROUPS, {}), policy)
    if deciders:
        found[Coverage.ADMISSION].setdefault(_GROUPS, deciders)
    found[Coverage.CONFIGURATION].pop(_GROUPS, None)
    if others:
        found[Coverage.CONFIGURATION][_GROUPS] = others
    return {group: {path: _short(path, value) for path, value in fields.items()} for group, fields in found.items()}


def _groups(named: Fields, policy: OnboardingPolicySpec) -> tuple[Fields, Fields]:
    """Return the groups of deciding personas, and those of all others."""
    deciding = {persona.name for persona in policy.personas if persona.decides}
    deciders = {persona: groups for persona, groups in named.items() if persona in deciding}
    return deciders, {persona: groups for persona, groups in named.items() if persona not in deciding}


def changes_of(group: Coverage, old: Fields, new: Fields) -> Iterator[str]:
    """Yield each field of a group that the project has changed.

    What only checks read is compared if it was read before, too: a new check of the policy is no change of the project.
    """
    own = paths_of(group, ())
    both = {path for path in (*old, *new) if path in own or path == _GROUPS or (path in old and path in new)}
    yield from differences(*({path: fields[path] for path in both if path in fields} for fields in (old, new)))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield each field that differs between two forms, such as ``environments[prod].size: small → large``."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for path in sorted(before.keys() | after.keys()):
        one, other = before.get(path), after.get(path)
        if one != other:
            hashed = any(_is_hash(value) for value in (one, other))
            yield f"{path} changed" if hashed else f"{path}: {_text(one)} → {_text(other)}"


def _for_environment(
    spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, environment: Environment
) -> ProjectOnboardingSpec:
    """Return a spec reduced to what it declares for one environment; to name the default journey declares nothing."""
    name = environment.name
    values = (item.model_copy(update={"deploys": False}) for item in value_repositories(spec, environment))
    repositories = {item.name: item for item in (*values, *deployed(spec, environment))}
    # Who may reach an environment is its own matter; who else has one of its flows is not.
    needed = (flow.model_copy(update={"environments": ()}) for flow in spec.flows if flow.concerns(name))
    answered = (flow for flow in spec.flows if flow.environment == name)
    return spec.model_copy(
        update={
            "journey": None if spec.journey == policy.default_journey else spec.journey,
            "team": spec.team.model_copy(update={"groups": spec.groups_in(environment)}),
            "environments": (environment.model_copy(update={"groups": {}, "deployments": ()}),),
            "flows": (*needed, *answered),
            "repositories": tuple(repositories.values()),
        }
    )


def _picked(content: Fields, there: Fields, group: Coverage, reads: tuple[str, ...]) -> Fields:
    """Return the fields of a group; ``there``: those of the content by path."""
    own = paths_of(group, ())
    found = {path: there[path] for path in own if there.get(path)}
    for path in paths_of(group, reads)[len(own) :]:
        found[path] = (there[path] if path in there else pick(content, path)) or None
    return found


def _lies_in(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.")


def _short(path: str, value: Any) -> Any:
    if value is None or path == "journey":
        return value
    content = dump(value)
    shown = len(content) <= _MOST_BYTES and not _names_people(path)
    # A project may declare what looks like the hash of something else.
    if shown and not (isinstance(value, dict) and _hashed(value)):
        return value
    return {"sha256": hashlib.sha256(content).hexdigest()}


@lru_cache(maxsize=256)
def _names_people(path: str) -> bool:
    return any(_lies_in(path, people) for people in _PEOPLE)


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
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(item if isinstance(item, str) else dump(item).decode() for item in value)}]"
    return str(value)
