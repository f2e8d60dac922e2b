"""Next actions in the status, with their actors, in the order of harm; pure."""

from collections.abc import Iterable, Iterator

from onboarding.api.gates import Actor
from onboarding.api.status import NextAction, Reason
from onboarding.api.text import cut, time
from onboarding.checks.catalogue import OF_ENVIRONMENT
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.gates.decisions import describe
from onboarding.reconcile.gates.gates import Obstacle
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.ready import ReadyState

MAX_ACTIONS = 10
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
    of_applications: Iterable[tuple[Actor, str]],
) -> tuple[NextAction, ...]:
    """Return the next actions in the order of harm, each with the time since which it has been the same.

    First come those that make Ready True, then those for declared environments, then those for the gate that something
    waits behind, then Applications. A gate without anything behind it asks nobody.
    """
    unread = ((Actor.PLATFORM, f"{item}; it does not count") for item in snapshot.unread if not item.may_hold)
    found = dict.fromkeys(
        (actor, cut(text))
        for actor, text in (*_troubles(plan, outcomes, ready), *_obstacles(plan), *unread, *of_applications)
    )
    former = snapshot.project.status.get("nextActions", ())
    since = {(item["actor"], item["action"]): item.get("since") for item in former}
    return tuple(
        NextAction(actor=actor, action=action, since=since.get((actor, action)) or time(snapshot.now))
        for actor, action in list(found)[:MAX_ACTIONS]
    )


def _troubles(plan: ReconcilePlan, outcomes: Iterable[Outcome], ready: ReadyState) -> Iterator[tuple[Actor, str]]:
    explained = ready.reason in _BY_OBSTACLES and any(True for _ in _obstacles(plan))
    if ready.actor and ready.actor is not Actor.OPERATOR and not explained:
        yield ready.actor, ready.action or ready.message
    for outcome in outcomes:
        if outcome.result in _FOR_THE_PLATFORM:
            yield Actor.PLATFORM, outcome.message
    if suspension := plan.decisions.suspension(""):
        yield Actor.PLATFORM, f"{describe(suspension)}: {suspension.reason}: its author deletes the OnboardingDecision"


def _obstacles(plan: ReconcilePlan) -> Iterator[tuple[Actor, str]]:
    refused_first = sorted(_environment_obstacles(plan), key=lambda pair: pair[0] not in plan.refused)
    for _, obstacle in refused_first:
        yield obstacle.actor, f"{obstacle.message}: {obstacle.remedy}"
    for obstacle in plan.waited_for.obstacles if plan.waited_for else ():
        if not obstacle.quiet:
            yield obstacle.actor, f"{obstacle.message}: {obstacle.remedy}"


def _environment_obstacles(plan: ReconcilePlan) -> Iterator[tuple[str, Obstacle]]:
    """Yield the findings that hold environments themselves, not their gates, each with its environment."""
    for found in plan.findings:
        about_environment = not found.gate or found.check in OF_ENVIRONMENT
        if about_environment and found.holds and not found.quiet and found.environment in plan.held:
            message = f"environment {found.environment}: {found.finding.message}"
            yield found.environment, Obstacle(found.actor, message, found.remedy)
