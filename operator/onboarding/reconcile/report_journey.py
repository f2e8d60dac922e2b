"""The journey in the status: doors, checks, and who must do what next; pure."""

from collections.abc import Iterable, Iterator, Sequence

from onboarding.api.gates import Actor, Severity
from onboarding.api.status import CheckResult, CheckStatus, Evidence, GateStatus, NextAction
from onboarding.reconcile.converge import Outcome, Result
from onboarding.reconcile.decisions import by_gate
from onboarding.reconcile.digest import Digests
from onboarding.reconcile.doors import Obstacle
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.survey import Found
from onboarding.reconcile.verdict import Verdict
from onboarding.reconcile.wording import cut, time
from onboarding.reconcile.world import World

MAX_CHECKS = 24
_MAX_ACTIONS = 10
_WORST_FIRST = (CheckResult.FAIL, CheckResult.UNKNOWN, CheckResult.PENDING)
_OF_THE_PLATFORM = (Result.CONFLICT, Result.GUARD_MISSING, Result.ARGOCD_MISSING, Result.UNREACHABLE)


def gates(world: World, judgement: Judgement) -> tuple[GateStatus, ...]:
    """Return the doors, with what holds the first one that is not open."""
    spec, policy = world.project.spec, world.policy
    if spec is None or policy is None:
        return ()
    digests, void = Digests(spec, policy), by_gate(judgement.decisions.void)
    return tuple(
        GateStatus(
            name=door.gate.name,
            state=door.state,
            waiting_for=tuple(cut(item.message, 160) for item in door.obstacles if not item.quiet)[:5],
            void=tuple(cut(reason, 160) for reason in void.get(door.gate.name, ()))[:3],
            digest=digests.of_gate(door.gate.name) if door.gate.approvals and not door.open else None,
        )
        for door in judgement.doors
    )


def checks(world: World, judgement: Judgement) -> tuple[CheckStatus, ...]:
    """Return every check that does not pass, worst first."""
    before = {
        (item["id"], item.get("environment"), item.get("site"), item["message"]): item["since"]
        for item in world.project.status.get("checks", ())
    }
    spec, policy = world.project.spec, world.policy
    digests = Digests(spec, policy) if spec and policy else None
    shown = []
    for found in sorted((item for item in judgement.findings if not item.quiet), key=_badness):
        message = cut(found.finding.message)
        place = (found.check.id, found.environment or None, found.site or None, message)
        shown.append(_check(found, message, before.get(place, time(world.now)), digests))
    return tuple(shown)


def next_actions(judgement: Judgement, outcomes: Iterable[Outcome], verdict: Verdict) -> tuple[NextAction, ...]:
    """Return who must do what next, most urgent first."""
    actions = dict.fromkeys(
        NextAction(actor=actor, action=cut(text)) for actor, text in _actions(judgement, outcomes, verdict)
    )
    return tuple(actions)[:_MAX_ACTIONS]


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
    """Return what holds environments that their doors do not hold."""
    doors = {door.gate.name for door in judgement.doors if not door.open}
    for found in judgement.findings:
        if found.holds and not found.quiet and found.environment in judgement.held and found.gate not in doors:
            message = f"environment {found.environment}: {found.finding.message}"
            yield Obstacle(found.actor, message, found.remedy)


def held_door(judgement: Judgement) -> Sequence[Obstacle]:
    """Return what holds the first door that is not open."""
    held = next((door for door in judgement.doors if not door.open), None)
    return [item for item in held.obstacles if not item.quiet] if held else []


def _badness(found: Found) -> tuple[bool, bool, int, str, str, str]:
    result = _WORST_FIRST.index(found.finding.result)
    warns = found.severity is Severity.WARNING
    return bool(found.waiver), warns, result, found.check.id, found.environment, found.site


def _check(found: Found, message: str, since: str, digests: Digests | None) -> CheckStatus:
    check = found.check
    attested = digests if check.evidence is Evidence.ATTESTED else None
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
        remedy=cut(found.waiver or found.remedy),
        next_actor=found.actor,
        digest=attested.of_check(check.id) if attested else None,
        since=since,
    )
