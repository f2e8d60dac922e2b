"""Assign each check to its gate in the policy, with its severity for projects of one journey; pure."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from onboarding.api.gates import CheckRule, Coverage, Override, Severity
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.checks.argocd import revision_override_is_refused
from onboarding.checks.catalogue import OF_APPROVALS, OF_ENVIRONMENT, OF_PROJECT, OF_RUNNING
from onboarding.checks.finding import Check
from onboarding.checks.inputs import EnvironmentDeclaration, ProjectInputs, RunningInputs
from onboarding.checks.journey import JourneyInForce, journey_in_force

InputsT = TypeVar("InputsT")


class GateCheck(NamedTuple, Generic[InputsT]):
    """A check at its gate in the policy."""

    check: Check[InputsT]
    severity: Severity
    gate_index: int
    """Index of the gate in the policy."""
    overrides: tuple[tuple[Override, frozenset[int]], ...]
    """The overrides that match the check, each with the indexes of the gates at which it counts."""

    def severity_on(self, target: str, gate_index: int, *, warns: bool = False) -> Severity:
        """Return the severity of the check at a gate, on a target: that of the last matching override, or its own.

        ``warns`` turns every severity but Ignored into a warning.
        """
        severity = self.severity
        for override, gates in self.overrides:
            if override.target in (None, target) and gate_index in gates:
                severity = override.severity
        return Severity.WARNING if warns and severity is not Severity.IGNORED else severity


class GateChecks(NamedTuple):
    """The checks at the gates of a journey, in the order of the catalogue."""

    of_project: tuple[GateCheck[ProjectInputs], ...]
    of_environment: tuple[GateCheck[EnvironmentDeclaration], ...]
    of_running: tuple[GateCheck[RunningInputs], ...]
    of_approvals: tuple[GateCheck[ProjectInputs], ...]
    """At each gate that asks for an approval, whatever the policy says.

    Without them nobody knows if an approval is somebody else's, so no override and no waiver reaches them.
    """
    last: int
    """Index of the last gate of the journey: no check holds a later one."""


class _Policy:
    """A policy compared by identity, as a key of the cache: comparing its fields would cost more than it saves."""

    def __init__(self, spec: OnboardingPolicySpec) -> None:
        self.spec = spec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Policy) and self.spec is other.spec

    def __hash__(self) -> int:
        return id(self.spec)


def gate_checks(policy: OnboardingPolicySpec, journey: str | None) -> GateChecks:
    """Return the checks at the gates of a policy for projects that name a journey; None if they name none."""
    return _gate_checks(_Policy(policy), journey)


@lru_cache(maxsize=32)
def _gate_checks(identity: _Policy, named: str | None) -> GateChecks:
    policy, journey = identity.spec, journey_in_force(identity.spec, named)
    order = {gate.name: place for place, gate in enumerate(policy.gates)}
    assigned = (*policy.checks, *_of_releases(policy))
    rules = {rule.id: rule for rule in assigned if order.get(rule.gate, len(order)) <= journey.last}
    overrides = [
        (override, frozenset(_reached(override, order, journey)))
        for override in policy.overrides
        if override.journey in (None, journey.name)
    ]

    def posted(checks: Iterable[Check[InputsT]]) -> tuple[GateCheck[InputsT], ...]:
        return tuple(
            GateCheck(
                check, rule.severity, order[rule.gate], tuple(item for item in overrides if _concerns(item[0], check))
            )
            for check in checks
            if (rule := rules.get(check.id))
        )

    asked = (place for place, gate in enumerate(policy.gates[: journey.last + 1]) if journey.asked(gate))
    of_approvals = tuple(GateCheck(check, Severity.BLOCKING, place, ()) for place in asked for check in OF_APPROVALS)
    return GateChecks(posted(OF_PROJECT), posted(OF_ENVIRONMENT), posted(OF_RUNNING), of_approvals, journey.last)


def _of_releases(policy: OnboardingPolicySpec) -> Iterator[CheckRule]:
    """Yield the check that an approval of a release demands at the first gate with one, unless the policy names it."""
    demanded = revision_override_is_refused.id
    if any(rule.id == demanded for rule in policy.checks):
        return
    for gate in policy.gates:
        if any(Coverage.RELEASE in approval.covered for approval in gate.approvals):
            yield CheckRule(id=demanded, gate=gate.name)
            return


def _reached(override: Override, order: Mapping[str, int], journey: JourneyInForce) -> Iterator[int]:
    """Yield the gates at which an override counts; one by journey counts up to the last gate of the journey only."""
    for name in override.gates or order:
        place = order.get(name, len(order))
        if override.journey is None or place <= journey.last:
            yield place


def _concerns(override: Override, check: Check[Any]) -> bool:
    return override.track in (None, check.track) and (not override.checks or check.id in override.checks)
