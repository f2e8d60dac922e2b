"""The journey in the status: gates, checks, and who must do what next; pure."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from onboarding.api.common import Model
from onboarding.api.gates import Actor, Severity
from onboarding.api.status import CheckResult, CheckStatus, Evidence, GateState, GateStatus, NextAction
from onboarding.api.text import cut, time
from onboarding.checks.catalogue import OF_ENVIRONMENT
from onboarding.checks.finding import GateFinding
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.gates.decisions import by_gate, void_of_check
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.gates import Obstacle, stage_of
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.ready import ReadyState

StatusT = TypeVar("StatusT", bound=Model)

MAX_CHECKS = 24
MAX_ACTIONS = 10
_MAX_VOID = 6
"""Decisions that do not count, at all gates together: the status has 8 KiB."""
_OF_THE_PLATFORM = (
    Result.CONFLICT,
    Result.FORMER,
    Result.GUARD_MISSING,
    Result.ARGOCD_MISSING,
    Result.UNREACHABLE,
    Result.UNCONFIRMED,
)


def gates(snapshot: Snapshot, plan: ReconcilePlan) -> tuple[GateStatus, ...]:
    """Return the gates, with what holds the first one that is not open; as before while nothing can be judged."""
    if plan.digests is None:
        return _as_before(GateStatus, snapshot.project.status.get("gates", ()))
    void = by_gate(plan.decisions.void)
    room, shown = _MAX_VOID, []
    for result in plan.gates:
        told = void.get(result.gate.name, [])[: min(3, room)]
        room -= len(told)
        wants_approval = result.gate.approvals and result.state is not GateState.OPEN
        shown.append(
            GateStatus(
                name=result.gate.name,
                state=result.state,
                waiting_for=tuple(cut(item.message, 160) for item in result.obstacles if not item.quiet)[:5],
                void=tuple(cut(reason, 160) for reason in told),
                digest=plan.digests.of_gate(result.gate.name) if wants_approval else None,
            )
        )
    return tuple(shown)


def checks(snapshot: Snapshot, plan: ReconcilePlan) -> tuple[CheckStatus, ...]:
    """Return the checks that do not pass, as many as there may be: what blocks the nearest gate first, what warns last.

    While nothing can be judged they are shown as before.
    """
    if plan.digests is None:
        return _as_before(CheckStatus, snapshot.project.status.get("checks", ()))
    before = {
        (item["id"], item.get("environment"), item.get("site"), item["message"]): item["since"]
        for item in snapshot.project.status.get("checks", ())
    }
    gate_results = {result.gate.name: place for place, result in enumerate(plan.gates)}
    told = sorted((item for item in plan.findings if not item.quiet), key=lambda item: _badness(item, gate_results))
    shown = []
    for found in told[:MAX_CHECKS]:
        message = cut(found.finding.message)
        place = (found.check.id, found.environment or None, found.site or None, message)
        void = void_of_check(plan.decisions.void, found.check.id, found.environment)
        shown.append(_check(found, message, before.get(place, time(snapshot.now)), plan.digests, void))
    return tuple(shown)


def _as_before(model: type[StatusT], items: Iterable[Mapping[str, Any]]) -> tuple[StatusT, ...]:
    """Return what a status said, without what a newer operator said in another form."""
    found = []
    for item in items:
        with contextlib.suppress(ValidationError):
            found.append(model.model_validate(item))
    return tuple(found)


def count_checks(snapshot: Snapshot, plan: ReconcilePlan) -> int:
    """Return how many checks do not pass.

    Those for which there was no room before a start are counted as before while they are asked, and all of them while
    nothing can be judged.
    """
    status, told = snapshot.project.status, sum(not found.quiet for found in plan.findings)
    before: int = len(status.get("checks", ())) + status.get("omittedChecks", 0)
    return max(told, before) if plan.hold or told < len(plan.findings) else told


def stage(snapshot: Snapshot, plan: ReconcilePlan) -> str | None:
    """Return the step that the project has reached; as before while nothing can be judged."""
    return snapshot.project.status.get("stage") if plan.hold else stage_of(plan.gates) or None


def next_actions(
    snapshot: Snapshot, plan: ReconcilePlan, outcomes: Iterable[Outcome], ready: ReadyState
) -> tuple[NextAction, ...]:
    """Return who must do what next, most urgent first."""
    unread = ((Actor.PLATFORM, f"{item}; it does not count") for item in snapshot.unread if not item.withholds)
    actions = dict.fromkeys(
        NextAction(actor=actor, action=cut(text)) for actor, text in (*_actions(plan, outcomes, ready), *unread)
    )
    return tuple(actions)[:MAX_ACTIONS]


def _actions(plan: ReconcilePlan, outcomes: Iterable[Outcome], ready: ReadyState) -> Iterator[tuple[Actor, str]]:
    held = [*held_gate(plan), *_held_environments(plan)]
    if ready.actor and ready.actor is not Actor.OPERATOR and not held:
        yield ready.actor, ready.message
    for outcome in outcomes:
        if outcome.result in _OF_THE_PLATFORM:
            yield Actor.PLATFORM, outcome.message
    for obstacle in held:
        yield obstacle.actor, f"{obstacle.message}: {obstacle.remedy}"


def _held_environments(plan: ReconcilePlan) -> Iterator[Obstacle]:
    """Return what holds environments apart from their gates."""
    for found in plan.findings:
        of_itself = not found.gate or found.check in OF_ENVIRONMENT
        if of_itself and found.holds and not found.quiet and found.environment in plan.held:
            message = f"environment {found.environment}: {found.finding.message}"
            yield Obstacle(found.actor, message, found.remedy)


def held_gate(plan: ReconcilePlan) -> Sequence[Obstacle]:
    """Return what holds the first gate that is not shown as open."""
    held = next((result for result in plan.gates if result.state is not GateState.OPEN), None)
    return [item for item in held.obstacles if not item.quiet] if held else []


def _badness(found: GateFinding, gate_results: Mapping[str, int]) -> tuple[Any, ...]:
    return bool(found.waiver), found.severity is Severity.WARNING, gate_results.get(found.gate, -1), found.rank


def _check(found: GateFinding, message: str, since: str, digests: Digests, void: Iterable[str]) -> CheckStatus:
    check = found.check
    remedy = found.waiver or found.remedy
    # What is shown as before a start tells them already.
    told = (reason for reason in void if reason not in remedy)
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
        remedy=cut("; ".join((remedy, *told))),
        next_actor=found.actor,
        digest=digests.of_check(check.id) if check.evidence is Evidence.ATTESTED else None,
        since=since,
    )
