"""The OnboardingDecisions that count for a project now, and the reasons why the others are void; pure.

The API server has authenticated the author and checked their rights. This module checks that the author does not
belong to the project, that the decision names the digest of the fields as they are declared now, and that it has not
expired. Approvals and rejections are in ``approvals``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from onboarding.api.decision import Decision, Grant, OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec, UnknownAuthors
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.text import with_remedy
from onboarding.checks.catalogue import GATED
from onboarding.checks.identity import Naming
from onboarding.reconcile.gates.approvals import OUTDATED, Approvals, Subjects, describe
from onboarding.reconcile.gates.deciders import Deciders
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.insiders import Insiders
from onboarding.reconcile.gates.record import Record

_AT_GATES = frozenset(check.id for check in GATED)
_SUSPENSION_BYTES: Final = 250
"""Longest text of a suspension: what follows it in a message of 300 bytes is still seen to be there."""
_HOLDING = (Decision.REJECT, Decision.SUSPEND)
"""Decisions that only hold: they count whoever made them, until they are deleted."""


@dataclass(slots=True)
class Decisions:
    """The decisions about a project that count now."""

    approvals: Approvals = field(default_factory=Approvals)
    waived: dict[tuple[str, str], OnboardingDecisionSpec] = field(default_factory=dict)
    """By check and environment; '' stands for every environment."""
    attested: dict[str, OnboardingDecisionSpec] = field(default_factory=dict)
    granted: list[Grant] = field(default_factory=list)
    suspended: dict[str, OnboardingDecisionSpec] = field(default_factory=dict)
    """By environment; '' stands for the whole project."""
    confirmed: set[str] = field(default_factory=set)
    """Environments whose removal is confirmed; '' stands for the whole project."""
    void: list[tuple[OnboardingDecisionSpec, str]] = field(default_factory=list)
    """Decisions that do not count, each with the reason."""
    next_change: datetime | None = None
    """The time at which the next decision expires; None if none does."""

    def waiver(self, check: str, environment: str) -> OnboardingDecisionSpec | None:
        """Return the waiver of a check for an environment ('' for the whole project); None if there is none."""
        return self.waived.get((check, environment)) or self.waived.get((check, ""))

    def suspension(self, environment: str) -> OnboardingDecisionSpec | None:
        """Return the decision that suspends an environment; None if there is none."""
        return self.suspended.get("") or self.suspended.get(environment)


def count(
    decisions: Iterable[OnboardingDecisionSpec],
    spec: ProjectOnboardingSpec,
    policy: OnboardingPolicySpec,
    digests: Digests,
    now: datetime,
    record: Record,
) -> Decisions:
    """Sort the decisions about this UID of the project into those that count and those that are void."""
    counted = Decisions()
    insiders, deciders = Insiders.of(spec, policy, record), Deciders(spec, policy, Naming.of(policy.identity))
    subjects = Subjects(spec, policy, digests)
    of_gates: list[OnboardingDecisionSpec] = []
    for decision in decisions:
        reason = _void_reason(decision, insiders, deciders, digests, now) or _no_effect(decision, subjects)
        if reason:
            counted.void.append((decision, reason))
            continue
        if decision.gate:
            of_gates.append(decision)
        else:
            _add(counted, decision)
        if decision.expires:
            moment = moment_of(decision.expires)
            counted.next_change = min(moment, counted.next_change or moment)
    counted.approvals = Approvals.of(of_gates, subjects)
    counted.approvals.unknown_authors = record.unknown
    counted.approvals.authors_hold = bool(record.unknown) and policy.unknown_authors is UnknownAuthors.HOLD
    counted.void += counted.approvals.void
    return counted


def count_suspensions(decisions: Iterable[OnboardingDecisionSpec]) -> Decisions:
    """Return only the suspensions among the decisions: they count without a readable spec or policy."""
    counted = Decisions()
    for decision in decisions:
        if decision.decision is Decision.SUSPEND:
            _add(counted, decision)
    return counted


def moment_of(text: str) -> datetime:
    """Parse a time of an API field; a date that no calendar has counts as long past."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _void_reason(
    decision: OnboardingDecisionSpec, insiders: Insiders, deciders: Deciders, digests: Digests, now: datetime
) -> str:
    if decision.decision in _HOLDING:
        return ""
    if membership := insiders.membership(decision):
        return f"{membership}: somebody else must decide"
    if problem := deciders.problem(decision):
        return problem
    if decision.expires and moment_of(decision.expires) <= now:
        return f"it expired at {decision.expires}: decide again"
    if not _covers(decision, digests):
        return OUTDATED
    return ""


def _covers(decision: OnboardingDecisionSpec, digests: Digests) -> bool:
    """Return whether an attestation covers the present fields; other decisions here name no digest."""
    if decision.decision is not Decision.ATTEST:
        return True
    return digests.counts_for_check(decision.check or "", decision.digest)


def _no_effect(decision: OnboardingDecisionSpec, subjects: Subjects) -> str:
    """Return why a decision has no effect, whoever made it."""
    if decision.gate:
        return subjects.no_effect(decision)
    if decision.check and decision.check not in _AT_GATES:
        return f"{decision.check} is not a check that a policy can assign to a gate"
    return ""


def _add(counted: Decisions, decision: OnboardingDecisionSpec) -> None:
    environment, check = decision.environment or "", decision.check or ""
    match decision.decision:
        case Decision.WAIVE:
            counted.waived[check, environment] = decision
        case Decision.ATTEST:
            counted.attested[check] = decision
        case Decision.GRANT if decision.grant:
            counted.granted.append(decision.grant)
        case Decision.SUSPEND:
            counted.suspended[environment] = decision
        case Decision.CONFIRM_DELETE:
            counted.confirmed.add(environment)


def suspended_by(decision: OnboardingDecisionSpec) -> str:
    """Format a suspension with its reason and its effect in Argo CD, which stays if the reason is long."""
    return with_remedy(f"{describe(decision)}: {decision.reason}", "Argo CD does not sync", _SUSPENSION_BYTES)


def void_of_check(void: Iterable[tuple[OnboardingDecisionSpec, str]], check: str, environment: str) -> list[str]:
    """Return the void decisions about a check in this environment or in all, each with its reason."""
    return [
        f"{describe(decision)}: {reason}"
        for decision, reason in void
        if decision.check == check and decision.environment in (None, environment)
    ]


def by_gate(void: Iterable[tuple[OnboardingDecisionSpec, str]]) -> Mapping[str, list[str]]:
    """Return the void decisions about gates, each with its reason, by gate."""
    reasons: dict[str, list[str]] = {}
    for decision, reason in void:
        if decision.gate:
            reasons.setdefault(decision.gate, []).append(f"{describe(decision)}: {reason}")
    return reasons
