"""The OnboardingDecisions that count for a project now, and the reasons why the others are void; pure.

The API server has authenticated the author and checked their rights. This module checks that the author does not
belong to the project, that the decision names the digest of the fields as they are declared now, and that it has not
expired.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from onboarding.api.decision import Decision, Grant, OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.text import with_remedy
from onboarding.checks.catalogue import GATED
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.insiders import Insiders
from onboarding.reconcile.gates.lifetimes import astray, expired, limited
from onboarding.reconcile.observed.dated import DatedDecision, moment_of

_AT_GATES = frozenset(check.id for check in GATED)
_SUSPENSION_BYTES: Final = 250
"""Longest text of a suspension: what follows it in a message of 300 bytes is still seen to be there."""
_HOLDING = (Decision.REJECT, Decision.SUSPEND)
"""Decisions that only hold: they count whoever made them, until they are deleted."""


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
    ended: list[DatedDecision] = field(default_factory=list)
    """Grants that have expired."""
    suspended: dict[str, OnboardingDecisionSpec] = field(default_factory=dict)
    """By environment; '' stands for the whole project."""
    confirmations: list[DatedDecision] = field(default_factory=list)
    """Decisions that confirm a removal, each of the namespaces that it names."""
    void: list[tuple[DatedDecision, str]] = field(default_factory=list)
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
    decisions: Iterable[DatedDecision],
    spec: ProjectOnboardingSpec,
    policy: OnboardingPolicySpec,
    digests: Digests,
    now: datetime,
    present: Iterable[str] = (),
) -> Decisions:
    """Sort the decisions about this UID of the project into those that count and those that are void.

    ``present`` are the environments that the project still has, whether it declares them or not.
    """
    counted = Decisions()
    insiders = Insiders.of(spec, policy)
    approvals = {(gate.name, approval.name) for gate in policy.gates for approval in gate.approvals}
    environments = {*present, *(environment.name for environment in spec.environments)}
    for given in decisions:
        over = expired(given, policy.decisions, now)
        reason = _void_reason(given, insiders, digests, over) or _no_effect(given, approvals)
        if reason := reason or astray(given, environments):
            counted.void.append((given, reason))
            if reason == over and given.decision is Decision.GRANT:
                counted.ended.append(limited(given, policy.decisions))
            continue
        decision = limited(given, policy.decisions)
        _add(counted, decision)
        if decision.expires:
            moment = moment_of(decision.expires)
            counted.next_change = min(moment, counted.next_change or moment)
    return counted


def count_suspensions(decisions: Iterable[DatedDecision]) -> Decisions:
    """Return only the suspensions among the decisions: they count without a readable spec or policy."""
    counted = Decisions()
    for decision in decisions:
        if decision.decision is Decision.SUSPEND:
            _add(counted, decision)
    return counted


def _void_reason(decision: OnboardingDecisionSpec, insiders: Insiders, digests: Digests, over: str) -> str:
    """Return why a decision does not count; ``over`` says why its time is over, if it is."""
    if decision.decision in _HOLDING:
        return ""
    if membership := insiders.membership(decision):
        return f"{membership}: somebody else must decide"
    if over:
        return over
    if not _covers(decision, digests):
        return "the fields that it covers have changed since: review them and decide again"
    return ""


def _covers(decision: OnboardingDecisionSpec, digests: Digests) -> bool:
    """Return whether a decision covers the present fields; one that names no digest always does."""
    if decision.decision is Decision.APPROVE:
        return digests.counts_at_gate(decision.gate or "", decision.digest)
    if decision.decision is Decision.ATTEST:
        return digests.counts_for_check(decision.check or "", decision.digest)
    return True


def _no_effect(decision: OnboardingDecisionSpec, approvals: Container[tuple[str, str | None]]) -> str:
    """Return why a decision has no effect, whoever made it; ``approvals`` are those that the gates require."""
    if decision.gate and (decision.gate, decision.approval) not in approvals:
        return f"the policy requires no approval {decision.approval} at gate {decision.gate}"
    if decision.check and decision.check not in _AT_GATES:
        return f"{decision.check} is not a check that a policy can assign to a gate"
    return ""


def _add(counted: Decisions, decision: DatedDecision) -> None:
    environment, check = decision.environment or "", decision.check or ""
    approval = _approval(decision)
    match decision.decision:
        case Decision.APPROVE:
            counted.approved[approval] = decision
        case Decision.REJECT:
            counted.rejected[approval] = decision
        case Decision.WAIVE:
            counted.waived[check, environment] = decision
        case Decision.ATTEST:
            counted.attested[check] = decision
        case Decision.GRANT if decision.grant:
            counted.granted.append(decision.grant)
        case Decision.SUSPEND:
            counted.suspended[environment] = decision
        case Decision.CONFIRM_DELETE:
            counted.confirmations.append(decision)


def _approval(decision: OnboardingDecisionSpec) -> tuple[str, str]:
    return decision.gate or "", decision.approval or ""


def describe(decision: OnboardingDecisionSpec) -> str:
    """Format a decision with its subject and its author, such as ``Attest RunAcknowledged by pat``."""
    subject = decision.check or "/".join(part for part in (decision.gate, decision.approval) if part)
    return " ".join(part for part in (decision.decision, subject, "by", decision.by.username) if part)


def suspended_by(decision: OnboardingDecisionSpec) -> str:
    """Format a suspension with its reason and its effect in Argo CD, which stays if the reason is long."""
    return with_remedy(f"{describe(decision)}: {decision.reason}", "Argo CD does not sync", _SUSPENSION_BYTES)


def void_of_check(
    void: Iterable[tuple[OnboardingDecisionSpec, str]], check: str, environment: str, environments: Container[str]
) -> list[str]:
    """Return the void decisions about a check in this environment or in all, each with its reason.

    One that names an environment that is none of ``environments`` is shown at every finding of the check, and at a
    finding about the whole project are all.
    """
    return [
        f"{describe(decision)}: {reason}"
        for decision, reason in void
        if decision.check == check
        and (not environment or decision.environment in (None, environment) or decision.environment not in environments)
    ]


def by_gate(void: Iterable[tuple[OnboardingDecisionSpec, str]]) -> Mapping[str, list[str]]:
    """Return the void decisions about gates, each with its reason, by gate."""
    reasons: dict[str, list[str]] = {}
    for decision, reason in void:
        if decision.gate:
            reasons.setdefault(decision.gate, []).append(f"{describe(decision)}: {reason}")
    return reasons
