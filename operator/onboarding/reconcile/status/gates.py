"""Gates and checks in the status; pure."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from pydantic import ValidationError

from onboarding.api.common import Model
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.gates import Severity
from onboarding.api.status import ApprovalStatus, CheckResult, CheckStatus, Evidence, GateStatus, JourneyStatus
from onboarding.api.text import cut, time
from onboarding.checks.finding import GateFinding
from onboarding.reconcile.gates.approvals import OUTDATED
from onboarding.reconcile.gates.decisions import by_gate, void_of_check
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan

StatusT = TypeVar("StatusT", bound=Model)

MAX_CHECKS = 24
_MAX_ASKED = 10
_MAX_VOID = 6
"""Void decisions shown at all gates together: the status has 8 KiB."""


def gates(snapshot: Snapshot, plan: ReconcilePlan) -> tuple[GateStatus, ...]:
    """Return the gates, with the obstacles of the first that is not open; unchanged if nothing can be evaluated."""
    if plan.digests is None:
        return _former(GateStatus, snapshot.project.status.get("gates", ()))
    void, asked = by_gate(_shown_void(plan)), _asked(plan)
    room, shown = _MAX_VOID, []
    for result in plan.gates:
        reasons = void.get(result.gate.name, [])[: min(3, room)]
        room -= len(reasons)
        obstacles = result.obstacles if result is plan.waited_for else ()
        whole = next((key for key in result.missing if not key.environment), None)
        shown.append(
            GateStatus(
                name=result.gate.name,
                state=result.state,
                waiting_for=tuple(cut(item.message, 160) for item in obstacles if not item.quiet)[:5],
                void=tuple(cut(reason, 160) for reason in reasons),
                digest=plan.decisions.approvals.digests.get(whole) if whole else None,
                approvals=asked.get(result.gate.name, ()),
                authors_unknown=_unknown_authors(plan) if result.missing and result is plan.waited_for else None,
            )
        )
    return tuple(shown)


def _shown_void(plan: ReconcilePlan) -> Iterator[tuple[OnboardingDecisionSpec, str]]:
    """Yield the void decisions, without approvals of former fields of an environment that are those admitted."""
    stands = {
        (result.gate.name, name) for result in plan.gates for name, item in result.environments.items() if item.passes
    }
    for decision, reason in plan.decisions.void:
        if reason != OUTDATED or (decision.gate, decision.environment) not in stands:
            yield decision, reason


def _asked(plan: ReconcilePlan) -> Mapping[str, tuple[ApprovalStatus, ...]]:
    """Return the approvals of environments that are not there, the first of them, by gate."""
    keys = (key for result in plan.gates for key in result.missing if key.environment)
    found: dict[str, tuple[ApprovalStatus, ...]] = {}
    for key in islice(keys, _MAX_ASKED):
        digest = plan.decisions.approvals.digests[key]
        item = ApprovalStatus(name=key.approval, environment=key.environment, digest=digest)
        found[key.gate] = (*found.get(key.gate, ()), item)
    return found


def _unknown_authors(plan: ReconcilePlan) -> str | None:
    """Return why the authors of the spec are unknown; None if they are known, or hold the gate for it."""
    approvals = plan.decisions.approvals
    return None if approvals.authors_hold else cut(approvals.unknown_authors, 160) or None


def checks(snapshot: Snapshot, plan: ReconcilePlan) -> tuple[CheckStatus, ...]:
    """Return at most MAX_CHECKS checks that do not pass: those at the nearest gate first, warnings last.

    They are unchanged if nothing can be evaluated.
    """
    if plan.digests is None:
        return _former(CheckStatus, snapshot.project.status.get("checks", ()))
    since = {
        (item["id"], item.get("environment"), item.get("site"), item["message"]): item["since"]
        for item in snapshot.project.status.get("checks", ())
    }
    order = {result.gate.name: index for index, result in enumerate(plan.gates)}
    findings = sorted((item for item in plan.findings if not item.quiet), key=lambda item: _sort_key(item, order))
    shown, environments = [], {item.name for item in plan.environments}
    for found in findings[:MAX_CHECKS]:
        message = cut(found.finding.message)
        key = (found.check.id, found.environment or None, found.site or None, message)
        void = void_of_check(plan.decisions.void, found.check.id, found.environment, environments)
        actor = snapshot.policy.actor_for(found.actor) if snapshot.policy else found.actor
        shown.append(_check(found, message, since.get(key, time(snapshot.now)), plan.digests, void, actor))
    return tuple(shown)


def journey(snapshot: Snapshot, plan: ReconcilePlan) -> JourneyStatus | None:
    """Return the journey in force; unchanged if nothing can be evaluated."""
    if plan.digests is None:
        former = snapshot.project.status.get("journey")
        return next(iter(_former(JourneyStatus, [former])), None) if former else None
    found = plan.journey
    if found is None or not found.name:
        return None
    last = plan.gates[found.last].gate.name if found.last >= 0 else None
    return JourneyStatus(name=found.name, last_gate=last, expires=plan.expires.isoformat() if plan.expires else None)


def _former(model: type[StatusT], items: Iterable[Mapping[str, Any]]) -> tuple[StatusT, ...]:
    """Parse items of the former status, without those that a newer operator wrote in another form."""
    parsed = []
    for item in items:
        with contextlib.suppress(ValidationError):
            parsed.append(model.model_validate(item))
    return tuple(parsed)


def count_checks(snapshot: Snapshot, plan: ReconcilePlan) -> int:
    """Return how many checks do not pass.

    While probes are repeated after a start, or if nothing can be evaluated, it is at least the former number.
    """
    status, number = snapshot.project.status, sum(not found.quiet for found in plan.findings)
    if not plan.hold and number == len(plan.findings):
        return number
    former: int = len(status.get("checks", ())) + status.get("omittedChecks", 0)
    return max(number, former)


def stage(snapshot: Snapshot, plan: ReconcilePlan) -> str | None:
    """Return the stage that the project has reached; unchanged if nothing can be evaluated."""
    return snapshot.project.status.get("stage") if plan.hold else plan.reached or None


def _sort_key(found: GateFinding, order: Mapping[str, int]) -> tuple[Any, ...]:
    return bool(found.waiver), found.severity is Severity.WARNING, order.get(found.gate, -1), found.rank


def _check(
    found: GateFinding, message: str, since: str, digests: Digests, void: Iterable[str], actor: str
) -> CheckStatus:
    check = found.check
    remedy = found.waiver or found.remedy
    # A remedy taken from the status of before a start has them already.
    reasons = (reason for reason in void if reason not in remedy)
    return CheckStatus(
        id=check.id,
        result=CheckResult.WAIVED if found.waiver else found.finding.result,
        severity=found.severity,
        gate=found.gate or None,
        environment=found.environment or None,
        site=found.site or None,
        track=check.track,
        evidence=check.evidence,
        message=message,
        remedy=cut("; ".join((remedy, *reasons))),
        next_actor=actor,
        digest=digests.of_check(check.id) if check.evidence is Evidence.ATTESTED else None,
        since=since,
    )
