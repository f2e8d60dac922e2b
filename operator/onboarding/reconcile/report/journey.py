"""The journey in the status: doors, checks, and who must do what next; pure."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from onboarding.api.common import Model
from onboarding.api.gates import Actor, Severity
from onboarding.api.status import CheckResult, CheckStatus, Evidence, GateState, GateStatus, NextAction
from onboarding.api.text import cut, time
from onboarding.checks.catalogue import OF_ENVIRONMENT
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.journey.decisions import by_gate, void_of_check
from onboarding.reconcile.journey.digest import Digests
from onboarding.reconcile.journey.doors import Obstacle, stage_of
from onboarding.reconcile.journey.survey import Found
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.report.verdict import Verdict
from onboarding.reconcile.world import World

StatusT = TypeVar("StatusT", bound=Model)

MAX_CHECKS = 24
MAX_ACTIONS = 10
_MAX_VOID = 6
"""Decisions that do not count, at all doors together: the status has 8 KiB."""
_OF_THE_PLATFORM = (
    Result.CONFLICT,
    Result.FORMER,
    Result.GUARD_MISSING,
    Result.ARGOCD_MISSING,
    Result.UNREACHABLE,
    Result.UNCONFIRMED,
)


def gates(world: World, judgement: Judgement) -> tuple[GateStatus, ...]:
    """Return the doors, with what holds the first one that is not open; as before while nothing can be judged."""
    if judgement.digests is None:
        return _as_before(GateStatus, world.project.status.get("gates", ()))
    void = by_gate(judgement.decisions.void)
    room, shown = _MAX_VOID, []
    for door in judgement.doors:
        told = void.get(door.gate.name, [])[: min(3, room)]
        room -= len(told)
        wants_approval = door.gate.approvals and door.state is not GateState.OPEN
        shown.append(
            GateStatus(
                name=door.gate.name,
                state=door.state,
                waiting_for=tuple(cut(item.message, 160) for item in door.obstacles if not item.quiet)[:5],
                void=tuple(cut(reason, 160) for reason in told),
                digest=judgement.digests.of_gate(door.gate.name) if wants_approval else None,
            )
        )
    return tuple(shown)


def checks(world: World, judgement: Judgement) -> tuple[CheckStatus, ...]:
    """Return the checks that do not pass, as many as there may be: what blocks the nearest door first, what warns last.

    While nothing can be judged they are shown as before.
    """
    if judgement.digests is None:
        return _as_before(CheckStatus, world.project.status.get("checks", ()))
    before = {
        (item["id"], item.get("environment"), item.get("site"), item["message"]): item["since"]
        for item in world.project.status.get("checks", ())
    }
    doors = {door.gate.name: place for place, door in enumerate(judgement.doors)}
    told = sorted((item for item in judgement.findings if not item.quiet), key=lambda item: _badness(item, doors))
    shown = []
    for found in told[:MAX_CHECKS]:
        message = cut(found.finding.message)
        place = (found.check.id, found.environment or None, found.site or None, message)
        void = void_of_check(judgement.decisions.void, found.check.id, found.environment)
        shown.append(_check(found, message, before.get(place, time(world.now)), judgement.digests, void))
    return tuple(shown)


def _as_before(model: type[StatusT], items: Iterable[Mapping[str, Any]]) -> tuple[StatusT, ...]:
    """Return what a status said, without what a newer operator said in another form."""
    found = []
    for item in items:
        with contextlib.suppress(ValidationError):
            found.append(model.model_validate(item))
    return tuple(found)


def count_checks(world: World, judgement: Judgement) -> int:
    """Return how many checks do not pass.

    Those for which there was no room before a start are counted as before while they are asked, and all of them while
    nothing can be judged.
    """
    status, told = world.project.status, sum(not found.quiet for found in judgement.findings)
    before: int = len(status.get("checks", ())) + status.get("omittedChecks", 0)
    return max(told, before) if judgement.hold or told < len(judgement.findings) else told


def stage(world: World, judgement: Judgement) -> str | None:
    """Return the step that the project has reached; as before while nothing can be judged."""
    return world.project.status.get("stage") if judgement.hold else stage_of(judgement.doors) or None


def next_actions(
    world: World, judgement: Judgement, outcomes: Iterable[Outcome], verdict: Verdict
) -> tuple[NextAction, ...]:
    """Return who must do what next, most urgent first."""
    unread = ((Actor.PLATFORM, f"{item}; it does not count") for item in world.unread if not item.withholds)
    actions = dict.fromkeys(
        NextAction(actor=actor, action=cut(text)) for actor, text in (*_actions(judgement, outcomes, verdict), *unread)
    )
    return tuple(actions)[:MAX_ACTIONS]


def _actions(judgement: Judgement, outcomes: Iterable[Outcome], verdict: Verdict) -> Iterator[tuple[Actor, str]]:
    held = [*held_door(judgement), *_held_environments(judgement)]
    if verdict.actor and verdict.actor is not Actor.OPERATOR and not held:
        yield verdict.actor, verdict.message
    for outcome in outcomes:
        if outcome.result in _OF_THE_PLATFORM:
            yield Actor.PLATFORM, outcome.message
    for obstacle in held:
        yield obstacle.actor, f"{obstacle.message}: {obstacle.remedy}"


def _held_environments(judgement: Judgement) -> Iterator[Obstacle]:
    """Return what holds environments apart from their doors."""
    for found in judgement.findings:
        of_itself = not found.gate or found.check in OF_ENVIRONMENT
        if of_itself and found.holds and not found.quiet and found.environment in judgement.held:
            message = f"environment {found.environment}: {found.finding.message}"
            yield Obstacle(found.actor, message, found.remedy)


def held_door(judgement: Judgement) -> Sequence[Obstacle]:
    """Return what holds the first door that is not shown as open."""
    held = next((door for door in judgement.doors if door.state is not GateState.OPEN), None)
    return [item for item in held.obstacles if not item.quiet] if held else []


def _badness(found: Found, doors: Mapping[str, int]) -> tuple[Any, ...]:
    return bool(found.waiver), found.severity is Severity.WARNING, doors.get(found.gate, -1), found.rank


def _check(found: Found, message: str, since: str, digests: Digests, void: Iterable[str]) -> CheckStatus:
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
