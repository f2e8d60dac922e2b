"""Which decisions about a project count now, and why the others do not; pure.

The API server has proven who decided and that they may. Here it is proven that they are not the project itself, that
they looked at what is declared now, and that the time they gave has not passed.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from onboarding.api.decision import Decision, Grant, OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.checks.catalogue import GATED
from onboarding.reconcile.gates.digest import Digests

_AT_GATES = frozenset(check.id for check in GATED)
_HOLDING = (Decision.REJECT, Decision.SUSPEND)
"""Decisions that only hold back: they count whoever made them, until they are taken back."""


@dataclass(slots=True)
class Decisions:
    """The decisions about a project that count now."""

    approved: dict[tuple[str, str], OnboardingDecisionSpec] = field(default_factory=dict)
    """By gate and approval."""
    rejected: dict[tuple[str, str], OnboardingDecisionSpec] = field(default_factory=dict)
    waived: dict[tuple[str, str], OnboardingDecisionSpec] = field(default_factory=dict)
    """By check and environment; '' stands for every environment."""
    attested: dict[str, OnboardingDecisionSpec] = field(default_factory=dict)
    granted: list[Grant] = field(default_factory=list)
    suspended: dict[str, OnboardingDecisionSpec] = field(default_factory=dict)
    """By environment; '' stands for the whole project."""
    confirmed: set[str] = field(default_factory=set)
    """Environments whose removal is confirmed; '' stands for the whole project."""
    void: list[tuple[OnboardingDecisionSpec, str]] = field(default_factory=list)
    """Decisions that do not count, and why."""
    next_change: datetime | None = None
    """When the next of them expires."""

    def waiver(self, check: str, environment: str) -> OnboardingDecisionSpec | None:
        """Return what waives a check for an environment ('' for the whole project)."""
        return self.waived.get((check, environment)) or self.waived.get((check, ""))

    def suspension(self, environment: str) -> OnboardingDecisionSpec | None:
        """Return what suspends an environment."""
        return self.suspended.get("") or self.suspended.get(environment)


def count(
    decisions: Iterable[OnboardingDecisionSpec],
    spec: ProjectOnboardingSpec,
    policy: OnboardingPolicySpec,
    digests: Digests,
    now: datetime,
) -> Decisions:
    """Return the decisions that count now; all of them are about this incarnation of the project."""
    counted = Decisions()
    insiders = _Insiders.of(spec, policy)
    approvals = {(gate.name, approval.name) for gate in policy.gates for approval in gate.approvals}
    for decision in decisions:
        reason = _void(decision, insiders, digests, now) or _aimless(decision, approvals)
        if reason:
            counted.void.append((decision, reason))
            continue
        _enter(counted, decision)
        if decision.expires:
            moment = moment_of(decision.expires)
            counted.next_change = min(moment, counted.next_change or moment)
    return counted


def moment_of(text: str) -> datetime:
    """Return a moment that an API field gives in UTC; one that no calendar has is long past."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Insiders:
    """The people of a project: who asks cannot answer."""

    groups: frozenset[str]
    people: frozenset[str]

    @classmethod
    def of(cls, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> "_Insiders":
        deciding = {persona.name for persona in policy.personas if persona.decides}
        groups = {group for persona, named in spec.team.groups.items() if persona not in deciding for group in named}
        people = {spec.owner.email.casefold(), *(person.email.casefold() for person in spec.team.people)}
        return cls(frozenset(groups), frozenset(people))

    def know(self, decision: OnboardingDecisionSpec) -> str:
        """Return how the author belongs to the project; the empty string where they do not."""
        shared = sorted(self.groups & set(decision.by.groups))
        if shared:
            return f"its author is in group {shared[0]} of the project"
        return "its author belongs to the project" if decision.by.username.casefold() in self.people else ""


def _void(decision: OnboardingDecisionSpec, insiders: _Insiders, digests: Digests, now: datetime) -> str:
    if decision.decision in _HOLDING:
        return ""
    if insider := insiders.know(decision):
        return f"{insider}: somebody else decides"
    if decision.expires and moment_of(decision.expires) <= now:
        return f"it expired at {decision.expires}: decide anew"
    wanted = _wanted_digest(decision, digests)
    if wanted and decision.digest != wanted:
        return "what it looked at has changed since: look again, and decide anew"
    return ""


def _wanted_digest(decision: OnboardingDecisionSpec, digests: Digests) -> str:
    if decision.decision is Decision.APPROVE:
        return digests.of_gate(decision.gate or "")
    return digests.of_check(decision.check or "") if decision.decision is Decision.ATTEST else ""


def _aimless(decision: OnboardingDecisionSpec, approvals: Container[tuple[str, str | None]]) -> str:
    """Return why a decision changes nothing, whoever made it; ``approvals`` are what the gates demand."""
    if decision.gate and (decision.gate, decision.approval) not in approvals:
        return f"the policy demands no approval {decision.approval} at gate {decision.gate}"
    if decision.check and decision.check not in _AT_GATES:
        return f"{decision.check} is no check that a policy puts at a gate"
    return ""


def _enter(counted: Decisions, decision: OnboardingDecisionSpec) -> None:
    place = decision.environment or ""
    result = (decision.gate or "", decision.approval or "")
    match decision.decision:
        case Decision.APPROVE:
            counted.approved[result] = decision
        case Decision.REJECT:
            counted.rejected[result] = decision
        case Decision.WAIVE:
            counted.waived[decision.check or "", place] = decision
        case Decision.ATTEST:
            counted.attested[decision.check or ""] = decision
        case Decision.GRANT if decision.grant:
            counted.granted.append(decision.grant)
        case Decision.SUSPEND:
            counted.suspended[place] = decision
        case Decision.CONFIRM_DELETE:
            counted.confirmed.add(place)


def describe(decision: OnboardingDecisionSpec) -> str:
    """Return a decision in words: what, by whom."""
    about = decision.check or "/".join(part for part in (decision.gate, decision.approval) if part)
    return f"{decision.decision}{f' {about}' if about else ''} by {decision.by.username}"


def void_of_check(void: Iterable[tuple[OnboardingDecisionSpec, str]], check: str, environment: str) -> list[str]:
    """Return why decisions about a check, which are also about this environment or about all, do not count."""
    return [
        f"{describe(decision)}: {reason}"
        for decision, reason in void
        if decision.check == check and decision.environment in (None, environment)
    ]


def by_gate(void: Iterable[tuple[OnboardingDecisionSpec, str]]) -> Mapping[str, list[str]]:
    """Return why decisions about gates do not count, by gate."""
    found: dict[str, list[str]] = {}
    for decision, reason in void:
        if decision.gate:
            found.setdefault(decision.gate, []).append(f"{describe(decision)}: {reason}")
    return found
