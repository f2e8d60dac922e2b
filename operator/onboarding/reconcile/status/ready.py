"""The condition Ready, and the conditions Reconciling and Stalled that follow from it; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from onboarding.api.common import Mode
from onboarding.api.conditions import Reason
from onboarding.api.gates import Actor
from onboarding.checks.catalogue import OF_NAMESPACES
from onboarding.reconcile.apply.blockers import Blocker
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.gates.approvals import describe
from onboarding.reconcile.gates.decisions import suspended_by
from onboarding.reconcile.observed.project_sites import hidden_from_teardown, unseen_sites
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan, first_held

_IN_PLACE: Final = "all admitted environments are in place"


@dataclass(frozen=True, slots=True)
class ReadyState:
    """The condition Ready, with the flags of Reconciling and Stalled."""

    status: str
    """Status of the condition Ready: True, False or Unknown."""
    reason: Reason
    message: str
    reconciling: bool = False
    stalled: bool = False
    actor: str | None = None
    """Who has to act next; None if nobody has to."""
    action: str = ""
    """The next action if it differs from the message."""


_BY_RESULT = {
    Result.CONFLICT: (Reason.CONFLICT, "False", False, True, Actor.PLATFORM),
    Result.FORMER: (Reason.FORMER_INCARNATION, "False", False, True, Actor.PLATFORM),
    Result.GUARD_MISSING: (Reason.GUARD_MISSING, "False", False, True, Actor.PLATFORM),
    Result.ARGOCD_MISSING: (Reason.ARGOCD_MISSING, "False", False, True, Actor.PLATFORM),
    Result.DRIFTED: (Reason.DRIFTED, "False", False, True, Actor.PLATFORM),
    Result.STALE: (Reason.RETRYING, "False", True, False, Actor.OPERATOR),
    Result.FAILED: (Reason.RETRYING, "False", True, False, Actor.OPERATOR),
    Result.UNREACHABLE: (Reason.TARGET_UNREACHABLE, "False", True, False, Actor.PLATFORM),
    Result.WAITING: (Reason.APPLYING, "Unknown", True, False, Actor.OPERATOR),
    Result.UNCONFIRMED: (Reason.APPLYING, "Unknown", True, False, Actor.PLATFORM),
}
"""The ready state by the result of a failed or unfinished change; the first that occurs wins."""


def ready_state(
    snapshot: Snapshot, plan: ReconcilePlan, outcomes: Iterable[Outcome], waiting: Sequence[Blocker] = ()
) -> ReadyState:
    """Return the condition Ready after a reconcile; ``waiting`` names the blockers of deletions in progress.

    While the project is suspended, the message begins with the suspension, whatever the reason is.
    """
    ready = _ready_state(snapshot, plan, outcomes, waiting)
    suspension = plan.decisions.suspension("")
    if suspension is None or ready.reason is Reason.SUSPENDED:
        return ready
    told = f"{describe(suspension)}: {suspension.reason}" if plan.frozen else suspended_by(suspension)
    message = f"{told}; {ready.message}"
    return replace(ready, message=message, action=ready.message)


def _ready_state(
    snapshot: Snapshot, plan: ReconcilePlan, outcomes: Iterable[Outcome], waiting: Sequence[Blocker]
) -> ReadyState:
    if plan.newer or snapshot.project.spec is None:
        reason = Reason.NEWER_THAN_OPERATOR if plan.newer else Reason.REFUSED
        actor = Actor.PLATFORM if plan.newer else Actor.PROJECT
        return ReadyState("False", reason, plan.hold, stalled=True, actor=actor)
    if unfinished := _unfinished(snapshot, plan, outcomes, waiting):
        return unfinished
    if snapshot.project.deleting:
        return _teardown(snapshot, plan, waiting)
    if unseen := _unseen(snapshot, plan):
        return unseen
    if gone := _gone(plan):
        return gone
    return _settled(snapshot, plan, waiting)


def _unfinished(
    snapshot: Snapshot, plan: ReconcilePlan, outcomes: Iterable[Outcome], waiting: Sequence[Blocker]
) -> ReadyState | None:
    """Return the ready state by the first change that failed or is not finished; None if all have ended well."""
    messages = {outcome.result: outcome.message for outcome in reversed(list(outcomes))}
    if unreachable := _unreachable(snapshot, plan):
        messages[Result.UNREACHABLE] = unreachable
    if Result.WAITING in messages and waiting:
        messages[Result.WAITING] = _waiting_for(waiting)
    result = next((result for result in _BY_RESULT if result in messages), None)
    if result is None:
        return None
    reason, status, reconciling, stalled, actor = _BY_RESULT[result]
    if result is Result.WAITING:
        actor = _actor(waiting)
    shown = Reason.REMOVING if result is Result.WAITING and plan.removing else reason
    return ReadyState(status, shown, messages[result], reconciling, stalled, actor)


def _unreachable(snapshot: Snapshot, plan: ReconcilePlan) -> str:
    """Return why clusters of the plan cannot be read, even if there is nothing to write; else the empty string."""
    clusters = {cluster for revision in plan.building for cluster in (revision.cluster, revision.argo_cluster)}
    problems = (snapshot.cluster_problem(cluster) for cluster in sorted(clusters))
    return "; ".join(problem for problem in problems if problem)


def _unseen(snapshot: Snapshot, plan: ReconcilePlan) -> ReadyState | None:
    """Return the condition Ready if a site of the project cannot be seen, or no target names it; else None."""
    unseen = unseen_sites(snapshot)
    missing = {snapshot.site_problem(item.target, item.site) for item in plan.building} - {""}
    missing |= {item.problem for item in unseen if item.missing}
    if missing:
        message = "; ".join(sorted(missing))
        return ReadyState("False", Reason.TARGET_MISSING, message, stalled=True, actor=Actor.PLATFORM)
    if unseen:
        message = "; ".join(item.problem for item in unseen)
        return ReadyState("False", Reason.TARGET_UNREACHABLE, message, reconciling=True, actor=Actor.PLATFORM)
    return None


def _gone(plan: ReconcilePlan) -> ReadyState | None:
    """Return the condition Ready if a namespace is gone and cannot be rebuilt; None if none is."""
    if not plan.missing:
        return None
    told = (f"{site.subject} is gone, and held: {item.reason or plan.hold}" for site, item in plan.missing.items())
    message, actor = "; ".join(told), next(iter(plan.missing.values())).actor or Actor.PLATFORM
    waits = actor == Actor.OPERATOR
    return ReadyState("False", Reason.NAMESPACE_GONE, message, reconciling=waits, stalled=not waits, actor=actor)


def _waiting_for(waiting: Sequence[Blocker]) -> str:
    return f"waiting for {'; '.join(map(str, waiting))}"


def _actor(waiting: Sequence[Blocker]) -> Actor:
    """Return who ends a wait: the platform if a blocker has a remedy."""
    return Actor.PLATFORM if any(blocker.remedy for blocker in waiting) else Actor.OPERATOR


def _teardown(snapshot: Snapshot, plan: ReconcilePlan, waiting: Sequence[Blocker]) -> ReadyState:
    if plan.hold:
        return ReadyState("False", Reason.HELD, f"the teardown waits: {plan.hold}", actor=Actor.PLATFORM)
    if plan.awaiting:
        held = bool(snapshot.teardown_hold)
        reason = Reason.TEARDOWN_HELD if held else Reason.AWAITING_CONFIRMATION
        return ReadyState("False", reason, plan.awaiting, actor=Actor.PLATFORM)
    if hidden := hidden_from_teardown(snapshot):
        message = f"the teardown waits for sites that the project was on: {'; '.join(item.problem for item in hidden)}"
        missing = any(item.missing for item in hidden)
        reason = Reason.TARGET_MISSING if missing else Reason.TARGET_UNREACHABLE
        return ReadyState("False", reason, message, not missing, missing, Actor.PLATFORM)
    message = _waiting_for(waiting) if waiting else f"{len(snapshot.live)} objects remain to be removed"
    return ReadyState("Unknown", Reason.TEARING_DOWN, message, reconciling=True, actor=_actor(waiting))


def _settled(snapshot: Snapshot, plan: ReconcilePlan, waiting: Sequence[Blocker]) -> ReadyState:
    """Return the condition Ready if every change of the reconcile is done."""
    if suspension := plan.decisions.suspension(""):
        message = f"{suspended_by(suspension)}; admitted environments stay in place"
        return ReadyState("False", Reason.SUSPENDED, message, actor=Actor.PLATFORM)
    if removing := plan.being_removed(snapshot.live):
        message = _waiting_for(waiting) if waiting else f"removing {', '.join(removing)}"
        return ReadyState("Unknown", Reason.REMOVING, message, reconciling=True, actor=_actor(waiting))
    if plan.refused:
        message = f"refused: {_listed(plan.refused)}; {_IN_PLACE if plan.building else 'nothing is admitted'}"
        return ReadyState("False", Reason.REFUSED, message, stalled=True, actor=Actor.PROJECT)
    return _nothing_admitted(snapshot, plan) or _guarded_by_others(plan) or _in_place(plan)


def _guarded_by_others(plan: ReconcilePlan) -> ReadyState | None:
    """Return the condition Ready if guard rails of others block it; else None."""
    found = [item for item in plan.findings if item.check in OF_NAMESPACES and item.holds]
    if not found:
        return None
    message = f"{'; '.join(item.finding.message for item in found)}: {found[0].remedy}"
    return ReadyState("False", Reason.FOREIGN_GUARDS, message, stalled=True, actor=Actor.PLATFORM)


def _warned(plan: ReconcilePlan, message: str) -> str:
    """Return the message of Ready, with the guard rails of others that the policy only warns of."""
    found = [item.finding.message for item in plan.findings if item.check in OF_NAMESPACES]
    return "; ".join((message, *found))


def _in_place(plan: ReconcilePlan) -> ReadyState:
    """Return the condition Ready if every admitted environment is in place, and none is refused."""
    if plan.hold or plan.held:
        actor = Actor.PLATFORM if plan.hold else None
        held = plan.hold or _listed(plan.held)
        return ReadyState(
            "True", Reason.ENVIRONMENTS_HELD, _warned(plan, f"{_IN_PLACE}; held: {held}"), actor=actor, action=plan.hold
        )
    if plan.awaiting:
        return ReadyState("True", Reason.AWAITING_CONFIRMATION, plan.awaiting, actor=Actor.PLATFORM)
    count = len({revision.environment for revision in plan.building})
    return ReadyState("True", Reason.READY, _warned(plan, f"{count} of {count} environments are in place"))


def _nothing_admitted(snapshot: Snapshot, plan: ReconcilePlan) -> ReadyState | None:
    """Return the condition Ready if nothing is admitted and something waits; else None."""
    if plan.building:
        return None
    if plan.hold:
        return ReadyState("False", Reason.HELD, plan.hold, actor=Actor.PLATFORM)
    if first := first_held(plan.environments):
        planned = snapshot.project.spec is not None and snapshot.project.spec.mode is Mode.PLAN and not plan.findings
        reason = Reason.PLANNED if planned else Reason.HELD
        return ReadyState("False", reason, f"held: {_listed(plan.held)}", actor=first.actor)
    waited = plan.waited_for
    if waited is None or not waited.obstacles:
        return None
    obstacle = waited.obstacles[0]
    return ReadyState("False", Reason.HELD, f"gate {waited.gate.name}: {obstacle.message}", actor=obstacle.actor)


def _listed(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({why})" for name, why in sorted(reasons.items()))
