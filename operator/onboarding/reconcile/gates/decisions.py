"""The OnboardingDecisions that count for a project now, and the reasons why the others are void; pure.

The API server has authenticated the author and checked their rights. This module checks that the author does not
belong to the project, that the decision names the digest of the fields as they are declared now, and that it has not
expired. Approvals and rejections are in ``approvals``.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
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
from onboarding.reconcile.gates.lifetimes import astray, expired, limited
from onboarding.reconcile.gates.record import Record
from onboarding.reconcile.observed.dated import DatedDecision, moment_of

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


@dataclass(frozen=True)
class _Authors:
    """Who may not decide about a project, and who alone may; found only if there is a decision."""

    spec: ProjectOnboardingSpec
    policy: OnboardingPolicySpec
    record: Record

    @cached_property
    def insiders(self) -> Insiders:
        return Insiders.of(self.spec, self.policy, self.record)

    @cached_property
    def deciders(self) -> Deciders:
        return Deciders(self.spec, self.policy, Naming.of(self.policy.identity))


def count(
    decisions: Iterable[DatedDecision],
    spec: ProjectOnboardingSpec,
    policy: OnboardingPolicySpec,
    digests: Digests,
    now: datetime,
    record: Record,
    present: Iterable[str] = (),
) -> Decisions:
    """Sort the decisions about this UID of the project into those that count and those that are void.

    ``present`` are the environments that the project still has, whether it declares them or not.
    """
    counted = Decisions()
    authors = _Authors(spec, policy, record)
    subjects, of_gates = Subjects(spec, policy, digests), list[DatedDecision]()
    environments = {*present, *(environment.name for environment in spec.environments)}
    for given in decisions:
        over = expired(given, policy.decisions, now)
        reason = _void_reason(given, authors, digests, over) or _no_effect(given, subjects)
        if reason := reason or astray(given, environments):
            counted.void.append((given, reason))
            if reason == over and given.decision is Decision.GRANT:
                counted.ended.append(limited(given, policy.decisions))
            continue
        decision = limited(given, policy.decisions)
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
    # The status has room for the first of them, and whoever decided last looks for theirs.
    counted.void.sort(key=lambda item: item[0].created, reverse=True)
    return counted


def count_suspensions(decisions: Iterable[DatedDecision]) -> Decisions:
    """Return only the suspensions among the decisions: they count without a readable spec or policy."""
    counted = Decisions()
    for decision in decisions:
        if decision.decision is Decision.SUSPEND:
            _add(counted, decision)
    return counted


def _void_reason(decision: OnboardingDecisionSpec, authors: _Authors, digests: Digests, over: str) -> str:
    """Return why a decision does not count; ``over`` says why its time is over, if it is."""
    if decision.decision in _HOLDING:
        return ""
    if membership := authors.insiders.membership(decision):
        return f"{membership}: somebody else must decide"
    if problem := authors.deciders.problem(decision):
        return problem
    if over:
        return over
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


def _add(counted: Decisions, decision: DatedDecision) -> None:
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
            counted.confirmations.append(decision)


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
