"""Digests of the fields that a decision covers, so that only a change of these voids it; pure."""

import hashlib
from collections.abc import Iterable
from functools import cache, cached_property, lru_cache
from typing import Any, Final

from onboarding.api.crd import structural
from onboarding.api.gates import Severity
from onboarding.api.markers import LIST_MAP_KEYS, LIST_TYPE
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.canonical import dump
from onboarding.checks.catalogue import BY_ID
from onboarding.checks.journey import journey_in_force

_NONE: Final = frozenset[str]()
_TEXTS: Final = frozenset({"description", "justification"})
"""Fields that explain to people what another field says."""


class Digests:
    """The current digests of a project, which decisions have to name.

    A digest is ``v1:`` and the SHA-256 of the canonical JSON of some fields, and of the journey in force. Absent and
    default values are left out, so that a new optional field voids no decision, and so are descriptions and
    justifications; lists whose order means nothing are sorted.
    """

    def __init__(self, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> None:
        self._spec = spec
        self._policy = policy
        self._gates: dict[str, str] = {}
        self._known: dict[tuple[str, ...], str] = {}
        self._picked: dict[str, Any] = {}
        """By path: a field without its descriptions and justifications."""
        self._chosen = _chosen_journey(spec, policy)

    def of_gate(self, gate: str) -> str:
        """Return the digest of the fields that the checks at a gate read."""
        if gate not in self._gates:
            self._gates[gate] = self._of(gate_reads(self._policy, gate))
        return self._gates[gate]

    def of_check(self, check: str) -> str:
        """Return the digest of the fields that a check reads."""
        return self._of(_reads((check,)))

    def counts_at_gate(self, gate: str, digest: str | None) -> bool:
        """Return whether a decision with this digest covers the present fields of a gate."""
        return digest == self.of_gate(gate) or self._is_former(gate_reads(self._policy, gate), digest)

    def counts_for_check(self, check: str, digest: str | None) -> bool:
        """Return whether a decision with this digest covers the present fields of a check."""
        return digest == self.of_check(check) or self._is_former(_reads((check,)), digest)

    def _is_former(self, fields: Iterable[str], digest: str | None) -> bool:
        """Return whether a digest is that of a former release, which had descriptions and justifications in it.

        It knew no rules for journeys: under such a policy the journey in force would not be covered.
        """
        if self._chosen:
            return False
        there = {path: _pick(self._content, path.split("."), _schema()) for path in fields}
        return digest == _hashed({path: value for path, value in there.items() if value is not None})

    @cached_property
    def _content(self) -> dict[str, Any]:
        return self._spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def _of(self, paths: Iterable[str]) -> str:
        """Return the digest of these fields, which are sorted and unique."""
        fields = tuple(paths)
        if fields not in self._known:
            there = {path: value for path in fields if (value := self._field(path)) is not None}
            self._known[fields] = _hashed({**there, **self._chosen})
        return self._known[fields]

    def _field(self, path: str) -> Any:
        if path not in self._picked:
            self._picked[path] = _pick(self._content, path.split("."), _schema(), without=_TEXTS)
        return self._picked[path]


def _chosen_journey(spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> dict[str, str]:
    """Return the journey in force: it decides about the checks and approvals that a decision stands for.

    Nothing for a policy without rules for journeys, so that the digests of a former release stay.
    """
    if not policy.journey_rules and policy.default_journey is None:
        return {}
    return {"journeyInForce": journey_in_force(policy, spec.journey).name}


def _hashed(fields: dict[str, Any]) -> str:
    return "v1:" + hashlib.sha256(dump(fields)).hexdigest()


def gate_reads(policy: OnboardingPolicySpec, gate: str) -> list[str]:
    """Return the fields that the checks at a gate read, sorted and unique."""
    rules = (rule for rule in policy.checks if rule.gate == gate and rule.severity is not Severity.IGNORED)
    return list(_reads(tuple(rule.id for rule in rules)))


@lru_cache(maxsize=256)
def _reads(checks: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields that these checks read, sorted and unique."""
    return tuple(sorted({path for name in checks if (check := BY_ID.get(name)) for path in check.reads}))


@cache
def _schema() -> dict[str, Any]:
    return structural(ProjectOnboardingSpec, "spec")


def _pick(value: Any, path: list[str], schema: Any, *, without: frozenset[str] = _NONE) -> Any:
    """Return a field, with the fields in it that are not in ``without``.

    For a list of named items it is the field of each item that has it, by name.
    """
    if not path or value is None:
        return _sorted(value, schema, without)
    if isinstance(value, list):
        (key,) = schema[LIST_MAP_KEYS]
        parts = ((item[key], _pick(item, path, schema["items"], without=without)) for item in value)
        return {name: part for name, part in parts if part is not None} or None
    return _pick(value.get(path[0]), path[1:], schema["properties"][path[0]], without=without)


def _sorted(value: Any, schema: Any, without: frozenset[str]) -> Any:
    """Return a value with its lists sorted: sets by value, maps by key; other lists stay in order."""
    if isinstance(value, dict):
        others = schema.get("additionalProperties", {})
        fields = schema.get("properties", {})
        left_out = without & fields.keys()
        kept = ((name, part) for name, part in value.items() if name not in left_out)
        return {name: _sorted(part, fields.get(name, others), without) for name, part in kept}
    if not isinstance(value, list):
        return value
    items = [_sorted(item, schema["items"], without) for item in value]
    match schema.get(LIST_TYPE):
        case "set":
            return sorted(items)
        case "map":
            return sorted(items, key=lambda item: [item[key] for key in schema[LIST_MAP_KEYS]])
    return items
