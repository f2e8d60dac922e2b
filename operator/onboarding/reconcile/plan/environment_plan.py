"""The plan of one reconcile for one environment: admit, hold, stay or remove; frozen and pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from onboarding.api.gates import Actor, Coverage
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.finding import GateFinding
from onboarding.reconcile.admission.resolve import Candidate
from onboarding.reconcile.gates.gates import GateResult
from onboarding.reconcile.gates.waiting import Obstacle, Waiting
from onboarding.reconcile.observed.former_sites import FormerSite
from onboarding.reconcile.plan.inputs import Hold, PlanInputs
from onboarding.reconcile.plan.removals import STAYS, RemovalPlan, removal_of, removal_of_staying


class EnvironmentAction(StrEnum):
    """Action of a reconcile on an environment."""

    ADMIT = "admit"
    """Build the candidate."""
    HOLD = "hold"
    """Keep the admitted revisions while the candidate waits, on some sites or on all."""
    STAY = "stay"
    """Keep the admitted revisions of an environment that is not declared, or that cannot be evaluated."""
    REMOVE = "remove"
    """Delete or detach it."""


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """The plan for one environment."""

    name: str
    action: EnvironmentAction
    revisions: tuple[Revision, ...] = ()
    """The revisions that its objects are built from, one per cluster."""
    reason: str = ""
    """The reason why it is held or stays."""
    actor: str | None = None
    """The actor who can end that."""
    gate: str = ""
    """The gate that it passes; the empty string if it has none."""
    leaving: frozenset[Place] = frozenset()
    """The clusters that it leaves while it stays on others."""
    arriving: bool = False
    """Whether it gets something new that later gates evaluate only once it is in place."""
    removal: RemovalPlan = STAYS
    """The plan of its removal, or of its removal from the sites that it leaves."""
    refused: str = ""
    """The reason why its declaration is refused; the empty string if it is not."""
    missing: tuple[FormerSite, ...] = ()
    """The sites where it was in place, where its namespace is gone, and where it cannot be rebuilt."""
    changes: tuple[str, ...] = ()
    """A sentence for each group of fields that keeps its admitted values until it is approved."""
    asks: tuple[Obstacle, ...] = ()
    """What asks for its approvals, if nothing else is to be resolved before."""


def plan_declared(
    inputs: PlanInputs, candidate: Candidate, findings: Sequence[GateFinding], gates: Sequence[GateResult]
) -> EnvironmentPlan:
    """Return the plan for a declared environment; ``findings`` are those at its gate that hold it.

    A site without capacity is held alone, and so is a group of fields that an approval covers.
    """
    name = candidate.name
    hold = _hold(inputs, candidate, findings, gates)
    result = gates[candidate.gate_index] if candidate.gate_index >= 0 else None
    gate, waiting = result.gate.name if result else "", candidate.waiting or Waiting()
    building = () if hold else candidate.accepted
    if hold is None:
        hold = _hold_in_part(candidate)
    asks, removal = () if candidate.refused else _asks(result, waiting), removal_of_staying(inputs, name)
    if hold is not None:
        plan = EnvironmentPlan(name, EnvironmentAction.HOLD, building, hold.reason, hold.actor, gate, asks=asks)
        plan = replace(plan, removal=removal, refused=candidate.refused, changes=waiting.changes)
        return _held(inputs, candidate, plan)
    plan = EnvironmentPlan(name, EnvironmentAction.ADMIT, building, gate=gate, removal=removal, asks=asks)
    arriving = candidate.new and not all(result.open or result.beyond for result in gates)
    return _leaving_sites(inputs, replace(plan, arriving=arriving), _others(inputs, name, building))


def _held(inputs: PlanInputs, candidate: Candidate, plan: EnvironmentPlan) -> EnvironmentPlan:
    """Return the plan of a held environment with the admitted revisions of the sites that it keeps."""
    others = _others(inputs, plan.name, plan.revisions)
    staying = tuple(revision for revision in others if _keeps_site(inputs, candidate, revision))
    left = [revision for revision in others if revision not in staying]
    plan = replace(plan, revisions=(*plan.revisions, *staying))
    return _leaving_sites(inputs, plan, left) if left else plan


def _keeps_site(inputs: PlanInputs, candidate: Candidate, admitted: Revision) -> bool:
    """Return whether a held environment keeps a site: the spec names it, or nothing of the declaration counts now.

    Only a site that ``sites`` no longer names is left, and only by a declaration that waits for its gate or for
    capacity: one that is refused, suspended or planned changes nothing, nor does one whose sites wait for an approval.
    """
    if candidate.waiting and Coverage.ADMISSION in candidate.waiting.held:
        return True
    named = candidate.declared.environment.sites
    if not named or admitted.site in named or admitted.target != candidate.declared.target_name:
        return True
    return not candidate.accepted or inputs.hold(candidate.name) is not None


def _leaving_sites(inputs: PlanInputs, plan: EnvironmentPlan, others: Sequence[Revision]) -> EnvironmentPlan:
    """Return the plan with the sites that an environment leaves; they stay while the removal waits for a decision."""
    leaving = _places(inputs, plan.name) - _clusters(plan.name, plan.revisions)
    if not leaving:
        return plan
    removal = removal_of(inputs, plan.name, leaving)
    if removal.awaiting:
        return replace(plan, revisions=(*plan.revisions, *others), removal=removal)
    return replace(plan, leaving=leaving, removal=removal)


def plan_undeclared(inputs: PlanInputs, name: str) -> EnvironmentPlan:
    """Return the plan for an undeclared environment that has objects; it is not removed if it is held."""
    if hold := inputs.hold(name):
        reason = f"no longer declared; it stays: {hold.reason}"
        return EnvironmentPlan(
            name,
            EnvironmentAction.STAY,
            inputs.kept(name),
            reason,
            hold.actor,
            removal=removal_of_staying(inputs, name),
        )
    return plan_removal(inputs, name)


def plan_removal(inputs: PlanInputs, name: str) -> EnvironmentPlan:
    """Return the plan to remove an environment; it stays while the removal waits for a decision."""
    removal = removal_of(inputs, name)
    if waiting := removal.awaiting:
        kept = inputs.kept(name)
        return EnvironmentPlan(name, EnvironmentAction.STAY, kept, waiting, Actor.PLATFORM, removal=removal)
    return EnvironmentPlan(name, EnvironmentAction.REMOVE, removal=removal)


def _hold(
    inputs: PlanInputs, candidate: Candidate, findings: Sequence[GateFinding], gates: Sequence[GateResult]
) -> Hold | None:
    """Return why an environment gets nothing new on any site; None if it gets the candidate."""
    everywhere = [found for found in candidate.found if not found.site]
    if everywhere:
        return Hold(everywhere[0].finding.message, everywhere[0].actor)
    if hold := inputs.hold(candidate.name):
        return hold
    if not candidate.new:
        return None
    if findings:
        return Hold(findings[0].finding.message, findings[0].actor)
    return _behind(candidate, gates)


def _asks(result: GateResult | None, waiting: Waiting) -> tuple[Obstacle, ...]:
    """Return what asks for the approvals of an environment, if nothing else at its gate is to be resolved before."""
    return waiting.obstacles if waiting.held or (result is not None and result.lets_in) else ()


def _hold_in_part(candidate: Candidate) -> Hold | None:
    """Return why some sites, or some groups of fields, keep what is admitted; None if all get the candidate."""
    full = [found for found in candidate.found if found.site]
    reasons, actors = [found.finding.message for found in full], [found.actor for found in full]
    if candidate.waiting and candidate.waiting.held:
        groups = " and ".join(group for group in Coverage if group in candidate.waiting.held)
        reasons.append(f"the change of {groups} waits for approval, see `changes`")
        actors += [obstacle.actor for obstacle in candidate.waiting.obstacles]
    return Hold("; ".join(reasons), actors[0]) if reasons else None


def _behind(candidate: Candidate, gates: Sequence[GateResult]) -> Hold | None:
    """Return the gate that holds an environment; None if its own lets it in or it has none."""
    if candidate.gate_index < 0:
        return None
    own, waiting = gates[candidate.gate_index], candidate.waiting
    if own.lets_in:
        return _at_gate(own, waiting.obstacles[0]) if waiting and waiting.blocks else None
    before = [result for result in gates[: candidate.gate_index + 1] if result.obstacles]
    holding = next((result for result in before if not result.obstacles[0].quiet), before[0])
    return _at_gate(holding, holding.obstacles[0])


def _at_gate(result: GateResult, obstacle: Obstacle) -> Hold:
    return Hold(f"gate {result.gate.name}: {obstacle.message}", obstacle.actor)


def _others(inputs: PlanInputs, name: str, building: Sequence[Revision]) -> tuple[Revision, ...]:
    """Return the admitted revisions of an environment on the clusters that are not in ``building``."""
    return inputs.kept(name, but=frozenset(revision.cluster for revision in building))


def _places(inputs: PlanInputs, name: str) -> frozenset[Place]:
    return frozenset(place for place in inputs.admitted if place.environment == name)


def _clusters(name: str, revisions: Sequence[Revision]) -> frozenset[Place]:
    return frozenset(Place(name, revision.cluster) for revision in revisions)
