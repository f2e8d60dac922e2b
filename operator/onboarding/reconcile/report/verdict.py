"""The verdict of a pass: the one sentence that decides Ready, Reconciling and Stalled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onboarding.api.common import Mode
from onboarding.api.gates import Actor
from onboarding.api.status import GateState, Reason
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.journey.decisions import describe
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.world import World


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of the project now."""

    ready: str
    """True, False or Unknown."""
    reason: Reason
    message: str
    reconciling: bool = False
    stalled: bool = False
    actor: Actor | None = None
    """Who has to act before this becomes better."""


_OF_RESULT = {
    Result.CONFLICT: (Reason.CONFLICT, "False", False, True, Actor.PLATFORM),
    Result.FORMER: (Reason.FORMER_INCARNATION, "False", False, True, Actor.PLATFORM),
    Result.GUARD_MISSING: (Reason.GUARD_MISSING, "False", False, True, Actor.PLATFORM),
    Result.ARGOCD_MISSING: (Reason.ARGOCD_MISSING, "False", False, True, Actor.PLATFORM),
    Result.STALE: (Reason.RETRYING, "False", True, False, Actor.OPERATOR),
    Result.FAILED: (Reason.RETRYING, "False", True, False, Actor.OPERATOR),
    Result.UNREACHABLE: (Reason.TARGET_UNREACHABLE, "False", True, False, Actor.PLATFORM),
    Result.WAITING: (Reason.APPLYING, "Unknown", True, False, Actor.OPERATOR),
    Result.UNCONFIRMED: (Reason.APPLYING, "Unknown", True, False, Actor.PLATFORM),
}
"""How a change that did not end well decides the verdict; the first that occurs wins."""


def give_verdict(
    world: World, judgement: Judgement, outcomes: Iterable[Outcome], waiting: Sequence[str] = ()
) -> Verdict:
    """Return the verdict of a pass; ``waiting`` names what deletions under way wait for."""
    if judgement.newer or world.project.spec is None:
        reason = Reason.NEWER_THAN_OPERATOR if judgement.newer else Reason.REFUSED
        actor = Actor.PLATFORM if judgement.newer else Actor.PROJECT
        return Verdict("False", reason, judgement.hold, stalled=True, actor=actor)
    bad = {outcome.result: outcome for outcome in reversed(list(outcomes))}
    unseen = _unseen(world, judgement)
    for result, (reason, ready, reconciling, stalled, actor) in _OF_RESULT.items():
        if result is Result.UNREACHABLE and unseen:
            return Verdict(ready, reason, unseen, reconciling, stalled, actor)
        if result in bad:
            shown = Reason.REMOVING if result is Result.WAITING and judgement.gone else reason
            message = _waiting_for(waiting) if result is Result.WAITING and waiting else bad[result].message
            return Verdict(ready, shown, message, reconciling, stalled, actor)
    if judgement.hold:
        return Verdict("False", Reason.HELD, judgement.hold, actor=Actor.PLATFORM)
    if world.project.deleting:
        return _teardown(world, judgement, waiting)
    return _settled(world, judgement, waiting)


def _unseen(world: World, judgement: Judgement) -> str:
    """Return what keeps us from seeing an environment, even where there is nothing to do."""
    clusters = {cluster for revision in judgement.building for cluster in (revision.cluster, revision.argo_cluster)}
    return "; ".join(trouble for cluster in sorted(clusters) if (trouble := world.trouble_with(cluster)))


def _waiting_for(waiting: Sequence[str]) -> str:
    return f"waiting for {'; '.join(waiting)}"


def _teardown(world: World, judgement: Judgement, waiting: Sequence[str]) -> Verdict:
    if judgement.awaiting:
        held = bool(world.teardown_hold)
        reason = Reason.TEARDOWN_HELD if held else Reason.AWAITING_CONFIRMATION
        return Verdict("False", reason, judgement.awaiting, actor=Actor.PLATFORM)
    unknown = [f"{name}: {state.problem}" for name, state in world.clusters.items() if not state.known]
    if unknown:
        message = f"the teardown waits until every cluster can be asked: {'; '.join(unknown)}"
        return Verdict("False", Reason.TARGET_UNREACHABLE, message, reconciling=True, actor=Actor.PLATFORM)
    message = _waiting_for(waiting) if waiting else f"{len(world.live)} objects are still to go"
    return Verdict("Unknown", Reason.TEARING_DOWN, message, reconciling=True, actor=Actor.OPERATOR)


def _settled(world: World, judgement: Judgement, waiting: Sequence[str]) -> Verdict:
    """Return the verdict of a pass that left nothing undone."""
    if suspension := judgement.decisions.suspension(""):
        message = f"{describe(suspension)}: {suspension.reason}; what is admitted stays in place"
        return Verdict("False", Reason.SUSPENDED, message, actor=Actor.PLATFORM)
    if judgement.gone and any(item.environment in judgement.gone for item in world.live.values()):
        message = _waiting_for(waiting) if waiting else f"removing {', '.join(sorted(judgement.gone))}"
        return Verdict("Unknown", Reason.REMOVING, message, reconciling=True, actor=Actor.OPERATOR)
    if not judgement.building and (nothing := _nothing(world, judgement)):
        return nothing
    if judgement.held:
        return Verdict("True", Reason.ENVIRONMENTS_HELD, f"what is admitted is in place; {_held(judgement)}")
    if judgement.awaiting:
        return Verdict("True", Reason.AWAITING_CONFIRMATION, judgement.awaiting, actor=Actor.PLATFORM)
    count = len({revision.environment for revision in judgement.building})
    return Verdict("True", Reason.READY, f"{count} of {count} environments are in place")


def _nothing(world: World, judgement: Judgement) -> Verdict | None:
    """Return the verdict where nothing is admitted; None where nothing is declared and no door waits for anybody."""
    if judgement.held:
        planned = world.project.spec is not None and world.project.spec.mode is Mode.PLAN and not judgement.findings
        reason = Reason.PLANNED if planned else Reason.HELD
        return Verdict("False", reason, _held(judgement), actor=Actor.PROJECT)
    door = next((door for door in judgement.doors if door.state is not GateState.OPEN), None)
    if door is None or not door.obstacles:
        return None
    first = door.obstacles[0]
    return Verdict("False", Reason.HELD, f"door {door.gate.name}: {first.message}", actor=first.actor)


def _held(judgement: Judgement) -> str:
    return "held: " + "; ".join(f"{name} ({why})" for name, why in sorted(judgement.held.items()))
