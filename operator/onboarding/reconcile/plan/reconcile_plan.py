"""Judge a world: which revisions to build, which environments leave, and what holds the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from onboarding.api.common import DeletionPolicy, Mode
from onboarding.api.decision import Decision, OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import CheckResult
from onboarding.build.revision import Revision
from onboarding.checks import capacity, placement
from onboarding.checks.inputs import ProjectInputs
from onboarding.checks.journey import gate_index_of
from onboarding.checks.probe import CertificateRequest, Request
from onboarding.reconcile.admission.candidates import Candidate, accepted, find_candidates
from onboarding.reconcile.admission.resolve import Place, admitted, revoke
from onboarding.reconcile.gates.assignment import gate_checks
from onboarding.reconcile.gates.decisions import Decisions, count, describe
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.evaluation import GateEvaluator, GateFinding
from onboarding.reconcile.gates.gates import GateResult, evaluate_gates
from onboarding.reconcile.gates.running import running_places
from onboarding.reconcile.observed.capacity import SiteKey
from onboarding.reconcile.observed.newer import Newer, find_newer
from onboarding.reconcile.observed.snapshot import Snapshot

_USE_MAY_FALL = timedelta(minutes=1)
"""The use of a quota is no news to us, so that a shrink which waits for it is tried again after this time."""


@dataclass(slots=True)
class ReconcilePlan:
    """What a pass shall bring about."""

    admitted: Mapping[Place, Revision | None]
    building: list[Revision] = field(default_factory=list)
    """What everything is built from."""
    gone: set[str] = field(default_factory=set)
    """Environments that leave altogether."""
    leaving: set[Place] = field(default_factory=set)
    """Sites that an environment leaves while it stays on others."""
    findings: list[GateFinding] = field(default_factory=list)
    gate_results: list[GateResult] = field(default_factory=list)
    decisions: Decisions = field(default_factory=Decisions)
    digests: Digests | None = None
    """What decisions have to name now; None where nothing can be judged."""
    asked: frozenset[Request[Any]] = frozenset()
    """What the checks ask of the outside world."""
    full: tuple[SiteKey, ...] = ()
    """Sites where the project lacks room."""
    again_at: datetime | None = None
    """When to look again without an event: a decision expires, a day begins on which a contract or a certificate may
    count otherwise, or what stands in the way is not watched."""
    urgent: bool = False
    """Whether something new waits for an answer."""
    held: dict[str, str] = field(default_factory=dict)
    """Environments that get nothing new, and why."""
    arriving: set[str] = field(default_factory=set)
    """Environments that get something new, of which the gates behind theirs know only once it is there."""
    gates: dict[str, str] = field(default_factory=dict)
    """The gate of each environment."""
    hold: str = ""
    """Why the whole project gets nothing new, where that is so."""
    newer: Newer | None = None
    awaiting: str = ""
    """What a removal waits for, in words for the one who has to act."""
    unconfirmed: set[str] = field(default_factory=set)
    """Environments whose removal waits for a decision."""
    staying: dict[str, str] = field(default_factory=dict)
    """Environments that stay although nobody declares them any more, and why."""

    @property
    def building_places(self) -> set[Place]:
        """The environments on the clusters where they shall be."""
        return {Place(revision.environment, revision.cluster) for revision in self.building}


def make_plan(snapshot: Snapshot) -> ReconcilePlan:
    """Return what this pass shall bring about; pure."""
    plan = ReconcilePlan(admitted(snapshot.live, snapshot.memory))
    spec, policy, plan.newer = snapshot.project.spec, snapshot.policy, find_newer(snapshot)
    if spec is None or policy is None or plan.newer:
        broken = snapshot.project.problem if spec is None else snapshot.policy_problem
        plan.hold = plan.newer.problem if plan.newer else broken
        for revision in plan.admitted.values():
            _keep(snapshot, plan, revision)
        return plan
    plan.digests = snapshot.memory.recall("", Digests, spec, policy)
    plan.decisions = count(snapshot.decisions, spec, policy, plan.digests, snapshot.now)
    if snapshot.project.deleting:
        _let_go(snapshot, spec, plan, _present(snapshot))
        return plan
    _judge_environments(snapshot, spec, policy, plan)
    declared = {environment.name for environment in spec.environments}
    undeclared = _present(snapshot) - declared
    _stay(snapshot, plan, spec, undeclared)
    _let_go(snapshot, spec, plan, undeclared - plan.staying.keys())
    _leave_sites(snapshot, spec, plan, declared - plan.held.keys())
    return plan


def may_delete(snapshot: Snapshot, plan: ReconcilePlan, environment: str) -> bool:
    """Return whether the removal of an environment may delete it, rather than wait or release it."""
    spec = snapshot.project.spec
    deletes = spec is not None and spec.deletion_policy is DeletionPolicy.DELETE
    return deletes and _confirmed(snapshot, plan.decisions, environment)


def _judge_environments(
    snapshot: Snapshot, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, plan: ReconcilePlan
) -> None:
    attested = frozenset(plan.decisions.attested)
    project = ProjectInputs(
        spec,
        policy,
        snapshot.targets,
        snapshot.now,
        snapshot.answers,
        attested,
        snapshot.target_problems,
        snapshot.project.name,
    )
    candidates = find_candidates(snapshot, project, plan.decisions, plan.admitted)
    passed = _passed(policy, plan.admitted.values())
    wanted = max((item.gate_index for item in candidates if item.new), default=-1)
    evaluator = GateEvaluator(
        project,
        snapshot.memory.recall("", gate_checks, policy, spec.journey),
        plan.decisions,
        snapshot.project.known,
        lambda result: result > passed or result <= wanted,
    )
    evaluation = evaluator.evaluation(
        [(item.gate_index, item.inputs) for item in candidates],
        running_places(snapshot, project, plan.admitted),
        _coming(spec, plan, candidates),
    )
    plan.asked = frozenset(evaluation.asked)
    plan.gate_results = evaluate_gates(policy.gates, evaluation, plan.decisions, passed, snapshot.project.known)
    plan.findings = [*(found for item in candidates for found in item.found), *evaluation.found]
    plan.urgent = _urgent(plan, candidates)
    plan.again_at = _again_at(snapshot, plan)
    plan.full = tuple(site for item in candidates for site in item.full)
    for item in candidates:
        if item.gate_index >= 0:
            plan.gates[item.name] = policy.gates[item.gate_index].name
        reason = _held(item, plan, [found.finding.message for found in evaluation.on_environment(item.name)], spec)
        _settle(snapshot, plan, item, reason)
        if item.new and item.name not in plan.held and not all(result.open for result in plan.gate_results):
            plan.arriving.add(item.name)


def _coming(spec: ProjectOnboardingSpec, plan: ReconcilePlan, candidates: Iterable[Candidate]) -> set[str]:
    """Return the environments that are nowhere yet, and that nothing but a gate keeps away."""
    there = {place.environment for place in plan.admitted}
    wanted = {item.name for item in candidates if accepted(item.revisions, item.found)}
    held = {name for name in wanted if _hold_of(plan, spec, name)}
    return wanted - there - held


def _passed(policy: OnboardingPolicySpec, revisions: Iterable[Revision | None]) -> int:
    """Return the place of the furthest gate behind which something is provisioned, or -1."""
    return max(
        (gate_index_of(policy, revision.stage, revision.target) for revision in revisions if revision), default=-1
    )


def _urgent(plan: ReconcilePlan, candidates: Iterable[Candidate]) -> bool:
    """Return whether a question is new, or only what was asked before a start holds something new now."""
    blocking = (found.finding for found in plan.findings if found.holds and not found.quiet)
    if any(finding.result is CheckResult.PENDING for finding in blocking):
        return True
    return any(
        item.new
        and item.gate_index >= 0
        and not plan.gate_results[item.gate_index].open
        and all(obstacle.quiet for result in plan.gate_results[: item.gate_index + 1] for obstacle in result.obstacles)
        for item in candidates
    )


def _again_at(snapshot: Snapshot, plan: ReconcilePlan) -> datetime | None:
    moments = [plan.decisions.next_change] if plan.decisions.next_change else []
    if any(found.check is capacity.quota_holds_what_is_used for found in plan.findings):
        moments.append(snapshot.now + _USE_MAY_FALL)
    dated = any(found.check is placement.contract_is_in_force for found in plan.findings)
    if dated or any(isinstance(request, CertificateRequest) for request in plan.asked):
        moments.append((snapshot.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0))
    return min(moments, default=None)


def _held(item: Candidate, plan: ReconcilePlan, at_gate: list[str], spec: ProjectOnboardingSpec) -> str:
    """Return why an environment gets nothing new; the empty string where it gets what it declares."""
    everywhere = [found.finding.message for found in item.found if not found.site]
    if everywhere:
        return everywhere[0]
    if why := _hold_of(plan, spec, item.name):
        return why
    if not item.new:
        return ""
    return at_gate[0] if at_gate else _behind(item, plan.gate_results)


def _hold_of(plan: ReconcilePlan, spec: ProjectOnboardingSpec, environment: str) -> str:
    """Return why an environment is neither changed nor removed, whatever is declared; the empty string where it is."""
    if spec.mode is Mode.PLAN:
        return "spec.mode is Plan"
    suspension = plan.decisions.suspension(environment)
    return f"{describe(suspension)}: {suspension.reason}" if suspension else ""


def _behind(item: Candidate, gate_results: Sequence[GateResult]) -> str:
    """Return which gate holds an environment; the empty string where its own is open or it has none."""
    if item.gate_index < 0 or gate_results[item.gate_index].open:
        return ""
    before = [result for result in gate_results[: item.gate_index + 1] if result.obstacles]
    holding = next((result for result in before if not result.obstacles[0].quiet), before[0])
    return f"gate {holding.gate.name}: {holding.obstacles[0].message}"


def _settle(snapshot: Snapshot, plan: ReconcilePlan, item: Candidate, reason: str) -> None:
    """Build what an environment declares, or keep what is admitted of it; a site that is full is held alone."""
    full = {found.site: found.finding.message for found in item.found if found.site}
    if reason or full:
        plan.held[item.name] = reason or "; ".join(full.values())
    building = [] if reason else accepted(item.revisions, item.found)
    plan.building += building
    taken = {revision.cluster for revision in building}
    if reason or full:
        for place, revision in plan.admitted.items():
            if place.environment == item.name and place.cluster not in taken:
                _keep(snapshot, plan, revision)


def _keep(snapshot: Snapshot, plan: ReconcilePlan, revision: Revision | None) -> None:
    spec = snapshot.project.spec
    if revision is not None:
        plan.building.append(revoke(revision, spec, snapshot.policy) if spec else revision)


def _stay(snapshot: Snapshot, plan: ReconcilePlan, spec: ProjectOnboardingSpec, undeclared: set[str]) -> None:
    """Keep environments that are no longer declared: neither a plan nor a suspended project removes anything."""
    for name in sorted(undeclared):
        if why := _hold_of(plan, spec, name):
            plan.staying[name] = f"no longer declared; it stays: {why}"
    for place, revision in plan.admitted.items():
        if place.environment in plan.staying:
            _keep(snapshot, plan, revision)


def _present(snapshot: Snapshot) -> set[str]:
    return {item.environment for item in snapshot.live.values()} - {""}


def _let_go(snapshot: Snapshot, spec: ProjectOnboardingSpec, plan: ReconcilePlan, environments: set[str]) -> None:
    """Let environments go that are no longer declared, or keep them where that waits for a decision."""
    for environment in sorted(environments):
        if waiting := _waits(snapshot, spec, plan, environment):
            plan.awaiting = waiting
            plan.unconfirmed.add(environment)
            plan.staying[environment] = waiting
            for place, revision in plan.admitted.items():
                if place.environment == environment:
                    _keep(snapshot, plan, revision)
        else:
            plan.gone.add(environment)


def _leave_sites(snapshot: Snapshot, spec: ProjectOnboardingSpec, plan: ReconcilePlan, accepted: set[str]) -> None:
    """Leave the sites that an accepted environment no longer names."""
    staying = plan.building_places
    for place, revision in plan.admitted.items():
        if place.environment not in accepted or place in staying:
            continue
        if waiting := _waits(snapshot, spec, plan, place.environment):
            plan.awaiting = waiting
            plan.unconfirmed.add(place.environment)
            _keep(snapshot, plan, revision)
        else:
            plan.leaving.add(place)


def _waits(snapshot: Snapshot, spec: ProjectOnboardingSpec, plan: ReconcilePlan, environment: str) -> str:
    """Return what a removal waits for; the empty string where it may go on."""
    if snapshot.project.deleting and snapshot.teardown_hold:
        return snapshot.teardown_hold
    if spec.deletion_policy is DeletionPolicy.RETAIN or _confirmed(snapshot, plan.decisions, environment):
        return ""
    subject = "the project" if snapshot.project.deleting else f"environment {environment}"
    void = [reason for decision, reason in plan.decisions.void if _concerns(snapshot, decision, environment)]
    return (
        f"deletionPolicy is Delete: removing {subject} waits for an OnboardingDecision ConfirmDelete that names "
        f"UID {snapshot.project.uid}, or for deletionPolicy Retain"
        + (f"; the one there does not count: {void[0]}" if void else "")
    )


def _confirmed(snapshot: Snapshot, decisions: Decisions, environment: str) -> bool:
    """Return whether a removal is confirmed; a decision for an environment does not confirm the whole project's."""
    return "" in decisions.confirmed or (environment in decisions.confirmed and not snapshot.project.deleting)


def _concerns(snapshot: Snapshot, decision: OnboardingDecisionSpec, environment: str) -> bool:
    covers = decision.environment is None or (decision.environment == environment and not snapshot.project.deleting)
    return decision.decision is Decision.CONFIRM_DELETE and covers
