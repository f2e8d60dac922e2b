"""Digests of the fields that a decision covers, so that only a change of these voids it; pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from onboarding.api.gates import Approval, Coverage, Gate
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.build.canonical import dump
from onboarding.checks.catalogue import BY_ID
from onboarding.checks.journey import journey_in_force
from onboarding.reconcile.gates.coverage import FieldGroups, Fields, declared_groups, gate_reads
from onboarding.reconcile.gates.fields import TEXTS, pick

_FORMER: Final = "v1:"
"""Digests of a former release: they cover what the checks of a gate read, in all environments."""
_NOTHING: Final = frozenset[str]()


class Digests:
    """The current digests of a project, which decisions have to name.

    A digest is ``v2:`` and the SHA-256 of the canonical JSON of some fields, and of the journey in force.
    """

    def __init__(self, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> None:
        self._spec = spec
        self._policy = policy
        self._known: dict[tuple[str, ...], str] = {}
        self._picked: dict[str, Any] = {}
        """By path: a field without its descriptions and justifications."""
        self._groups: dict[tuple[str, str], FieldGroups] = {}
        """By gate and environment."""
        self._chosen = _chosen_journey(spec, policy)

    def of_approval(self, gate: Gate, approval: Approval, environment: Environment) -> str:
        """Return the digest of the fields that an approval of an environment covers."""
        return approval_digest(environment.name, approval, self.of_environment(gate, environment))

    def of_environment(self, gate: Gate, environment: Environment) -> FieldGroups:
        """Return the declared fields of an environment in the groups that approvals of its gate may cover."""
        key = gate.name, environment.name
        if key not in self._groups:
            self._groups[key] = declared_groups(self._spec, self._policy, environment, gate)
        return self._groups[key]

    def of_gate(self, gate: str) -> str:
        """Return the digest of an approval of the whole project: of the fields that the checks at the gate read."""
        approvals = (item for known in self._policy.gates if known.name == gate for item in known.approvals)
        personas = sorted({approval.persona for approval in approvals if approval.persona})
        deciders = {name: self._deciders(name, self._spec.team.groups) for name in personas}
        fields = gate_reads(self._policy, gate)
        return hashed({**self._content_of(fields), "deciders": deciders}) if deciders else self._of(fields)

    def of_check(self, check: str) -> str:
        """Return the digest of the fields that a check reads."""
        return self._of(_reads(check))

    def former_at_gate(self, gate: str, digest: str | None) -> bool:
        """Return whether a digest is what a former release shows of the present fields at a gate."""
        return self._is_former(gate_reads(self._policy, gate), digest)

    def counts_for_check(self, check: str, digest: str | None) -> bool:
        """Return whether a decision with this digest covers the present fields of a check."""
        return digest == self.of_check(check) or self._is_former(_reads(check), digest)

    def _deciders(self, persona: str, groups: dict[str, Any]) -> dict[str, Any]:
        poa = pick(self._content, "team.poa")
        return {"groups": sorted(groups.get(persona, ())), **({"person": poa} if poa else {})}

    def _is_former(self, fields: Sequence[str], digest: str | None) -> bool:
        """Return whether a digest is that of a former release.

        An earlier one had descriptions and justifications in it, and knew no rules for journeys: under such a policy
        the journey in force would not be covered.
        """
        if not digest or not digest.startswith(_FORMER):
            return False
        if digest == hashed(self._content_of(fields), _FORMER):
            return True
        there = {path: pick(self._content, path, without=_NOTHING) for path in fields}
        full = {path: value for path, value in there.items() if value is not None}
        return not self._chosen and digest == hashed(full, _FORMER)

    @cached_property
    def _content(self) -> dict[str, Any]:
        return self._spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def _of(self, fields: tuple[str, ...]) -> str:
        """Return the digest of these fields, which are sorted and unique."""
        if fields not in self._known:
            self._known[fields] = hashed(self._content_of(fields))
        return self._known[fields]

    def _content_of(self, fields: Iterable[str]) -> dict[str, Any]:
        there = {path: value for path in fields if (value := self._field(path)) is not None}
        return {**there, **self._chosen}

    def _field(self, path: str) -> Any:
        if path not in self._picked:
            self._picked[path] = pick(self._content, path, without=TEXTS)
        return self._picked[path]


def approval_digest(environment: str, approval: Approval, groups: Mapping[Coverage, Fields]) -> str:
    """Return the digest that an approval of an environment names: of the groups that it covers."""
    given = {group.value: groups.get(group, {}) for group in Coverage if group in approval.covered}
    covered = {
        group: {path: value for path, value in fields.items() if value is not None} for group, fields in given.items()
    }
    return hashed({"environment": environment, "covers": covered})


def _chosen_journey(spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> dict[str, str]:
    """Return the journey in force: it decides about the checks and approvals that a decision stands for.

    Nothing for a policy without rules for journeys, so that the digests of a former release stay.
    """
    if not policy.journey_rules and policy.default_journey is None:
        return {}
    return {"journeyInForce": journey_in_force(policy, spec.journey).name}


def hashed(fields: Mapping[str, Any], version: str = "v2:") -> str:
    """Return the digest of some content: its version and the SHA-256 of its canonical JSON."""
    return version + hashlib.sha256(dump(fields)).hexdigest()


def _reads(check: str) -> tuple[str, ...]:
    known = BY_ID.get(check)
    return tuple(sorted(known.reads)) if known else ()
