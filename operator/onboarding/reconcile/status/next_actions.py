"""Next actions in the status, with their actors, in the order of harm; pure."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from onboarding.api.conditions import ConditionType, Reason
from onboarding.api.gates import Actor
from onboarding.api.status import NextAction
from onboarding.api.text import cut, cut_middle, time, with_remedy
from onboarding.checks.catalogue import OF_ENVIRONMENT, OF_GRANTS
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.gates.approvals import describe
from onboarding.reconcile.gates.waiting import Obstacle
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.ready import ReadyState

MAX_ACTIONS = 10
_ACTION_BYTES: Final = 800
_SERVER_BYTES: Final = 512
"""Bytes of the server's words in an action: they are what the platform has to know."""
_PATIENCE: Final = timedelta(minutes=5)
_RETRIED: Final = "this has lasted for five minutes: remove what refuses the write; the operator retries by itself"
_FOR_THE_PLATFORM = (
    Result.CONFLICT,
    Result.FORMER,
    Result.GUARD_MISSING,
    Result.ARGOCD_MISSING,
    Result.UNREACHABLE,
    Result.DRIFTED,
    Result.UNCONFIRMED,
)
_BY_OBSTACLES = (Reason.HELD, Reason.PLANNED, Reason.REFUSED, Reason.ENVIRONMENTS_HELD)
"""Reasons of Ready that obstacles explain, if there are any, each with its remedy."""


def next_actions(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    outcomes: Iterable[Outcome],
    ready: ReadyState,
    of_applications: Iterable[tuple[str, str]],
) -> tuple[NextAction, ...]:
    """Return the next actions in the order of harm, each with the time since which it has been the same.

    First come those that make Ready True, then those for declared environments, then those for the gate that something
    waits behind, then removals that nobody has confirmed, then Applications. A gate without anything behind it asks
    nobody.
    """
    unread = ((Actor.PLATFORM, f"{item}; it does not count") for item in snapshot.unread if not item.may_hold)
    policy = snapshot.policy
    found = dict.fromkeys(
        (policy.actor_for(actor) if policy else actor, cut_middle(text, _ACTION_BYTES))
        for actor, text in (
            *_troubles(snapshot, plan, outcomes, ready),
            *_obstacles(plan),
            *_awaited_removals(plan),
            *_ended_grants(plan),
            *unread,
            *of_applications,
        )
    )
    former = snapshot.project.status.get("nextActions", ())
    since = {(item["actor"], item["action"]): item.get("since") for item in former}
    return tuple(
        NextAction(
            actor=actor,
            contact=policy.contact_of(actor) if policy else None,
            action=action,
            since=since.get((actor, action)) or time(snapshot.now),
        )
        for actor, action in list(found)[:MAX_ACTIONS]
    )


def _troubles(
    snapshot: Snapshot, plan: ReconcilePlan, outcomes: Iterable[Outcome], ready: ReadyState
) -> Iterator[tuple[str, str]]:
    yield from _long_retries(snapshot, ready)
    explained = ready.reason in _BY_OBSTACLES and any(True for _ in _obstacles(plan))
    explained = explained or ready.reason is Reason.SUSPENDED
    if ready.actor and ready.actor != Actor.OPERATOR and not explained:
        yield ready.actor, ready.action or ready.message
    for outcome in outcomes:
        if outcome.result in _FOR_THE_PLATFORM:
            yield Actor.PLATFORM, outcome.message
    if suspension := plan.decisions.suspension(""):
        yield Actor.PLATFORM, f"{describe(suspension)}: {suspension.reason}: its author deletes the OnboardingDecision"


def _long_retries(snapshot: Snapshot, ready: ReadyState) -> Iterator[tuple[str, str]]:
    """Yield the action of the platform if, by the former status, the operator has been retrying for five minutes."""
    if ready.reason is not Reason.RETRYING:
        return
    former = {item["type"]: item for item in snapshot.project.status.get("conditions", ())}
    reconciling = former.get(ConditionType.RECONCILING, {})
    since = reconciling["lastTransitionTime"] if reconciling.get("reason") == Reason.RETRYING else ""
    if since and since <= time(snapshot.now - _PATIENCE):
        words = cut(ready.action or ready.message, _SERVER_BYTES)
        yield Actor.PLATFORM, with_remedy(words, _RETRIED, _ACTION_BYTES)


def _obstacles(plan: ReconcilePlan) -> Iterator[tuple[str, str]]:
    refused_first = sorted(_environment_obstacles(plan), key=lambda pair: pair[0] not in plan.refused)
    for _, obstacle in refused_first:
        yield obstacle.actor, with_remedy(obstacle.message, obstacle.remedy)
    asks = [obstacle for item in plan.environments for obstacle in item.asks]
    for obstacle in (*asks, *(plan.waited_for.obstacles if plan.waited_for else ())):
        if not obstacle.quiet:
            yield obstacle.actor, with_remedy(obstacle.message, obstacle.remedy)


def _awaited_removals(plan: ReconcilePlan) -> Iterator[tuple[str, str]]:
    """Yield what removals wait for, also where Ready speaks of something else."""
    for item in plan.environments:
        if item.removal.awaiting:
            yield Actor.PLATFORM, item.removal.awaiting


def _ended_grants(plan: ReconcilePlan) -> Iterator[tuple[str, str]]:
    for found in plan.findings:
        if found.check in OF_GRANTS:
            yield found.actor, with_remedy(found.finding.message, found.remedy)


def _environment_obstacles(plan: ReconcilePlan) -> Iterator[tuple[str, Obstacle]]:
    """Yield the findings that hold environments themselves, not their gates, each with its environment."""
    for found in plan.findings:
        about_environment = not found.gate or found.check in OF_ENVIRONMENT
        if about_environment and found.holds and not found.quiet and found.environment in plan.held:
            message = f"environment {found.environment}: {found.finding.message}"
            yield found.environment, Obstacle(found.actor, message, found.remedy)
