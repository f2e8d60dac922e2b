"""Plan a reconcile from a snapshot: decisions, candidates, gates, then one plan per environment; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.status import CheckResult
from onboarding.build.kinds import HUB
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks import capacity, placement
from onboarding.checks.finding import GateFinding
from onboarding.checks.inputs import ProjectDeclaration, ProjectInputs
from onboarding.checks.journeys import JourneyDays
from onboarding.checks.probe import CertificateRequest
from onboarding.reconcile.admission.application_names import AdmittedRevisions, tell_apart
from onboarding.reconcile.admission.candidates import find_candidates
from onboarding.reconcile.admission.ceilings import ended_grants
from onboarding.reconcile.admission.resolve import Candidate
from onboarding.reconcile.admission.restoration import restore
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.gates.assignment import gate_checks
from onboarding.reconcile.gates.decisions import count, count_suspensions
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.evaluation import GateEvaluation, GateEvaluator
from onboarding.reconcile.gates.gates import AtGates, GateResult, evaluate_gates
from onboarding.reconcile.gates.record import Record
from onboarding.reconcile.gates.running import running_places
from onboarding.reconcile.gates.waiting import Waiting
from onboarding.reconcile.observed.domains import with_domains
from onboarding.reconcile.observed.former_sites import FormerSite, find_missing
from onboarding.reconcile.observed.newer import Newer, find_newer
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.environment_plan import (
    EnvironmentAction,
    EnvironmentPlan,
    plan_declared,
    plan_removal,
    plan_undeclared,
)
from onboarding.reconcile.plan.expiry import expiry_moments, expiry_warnings, journey_days
from onboarding.reconcile.plan.foreign import foreign_guards
from onboarding.reconcile.plan.inputs import PlanInputs
from onboarding.reconcile.plan.progress import last_gate, reached_gate, waited_gate
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan

_USE_MAY_FALL = timedelta(minutes=1)
"""Interval to retry a shrink that waits for the used amounts of a quota, which cause no reconcile."""


class _Journey(NamedTuple):
    """The candidates of all environments, and the gates evaluated with them."""

    candidates: list[Candidate]
    evaluation: GateEvaluation
    gates: tuple[GateResult, ...]

    @property
    def findings(self) -> tuple[GateFinding, ...]:
        """The findings of all checks: those on the candidates themselves, then those at the gates."""
        own = (found for item in self.candidates for found in (*item.found, *item.warnings))
        return (*own, *self.evaluation.findings)


def make_plan(snapshot: Snapshot) -> ReconcilePlan:
    """Return the plan of a reconcile."""
    spec, policy, newer = snapshot.project.spec, snapshot.policy, find_newer(snapshot)
    declared = [item.name for item in spec.environments] if spec else ()
    told = with_domains(snapshot.project, snapshot.admitted())
    admitted = tell_apart(snapshot.project.name, told, snapshot.live, declared)
    if spec is None or policy is None or newer:
        return _held_plan(snapshot, newer, admitted)
    digests = Digests(spec, policy)
    present = {place.environment for place in admitted}
    decisions = count(snapshot.decisions, spec, policy, digests, snapshot.now, _record(snapshot), present)
    inputs = PlanInputs(snapshot, spec, policy, decisions, admitted, digests)
    if snapshot.project.deleting:
        environments = tuple(plan_removal(inputs, name) for name in sorted(_present(snapshot)))
        return ReconcilePlan(admitted, environments, decisions=decisions, digests=digests)
    return _plan_journey(inputs, digests)


def _record(snapshot: Snapshot) -> Record:
    """Return the record of everybody who ever belonged to the project."""
    hub, project = snapshot.clusters.get(HUB), snapshot.project
    return Record.of(project.insiders, project.generation, kept=hub is not None and hub.insiders_kept)


def _held_plan(snapshot: Snapshot, newer: Newer | None, admitted: AdmittedRevisions) -> ReconcilePlan:
    """Return the plan if spec or policy cannot be evaluated: every environment stays as admitted."""
    broken = snapshot.project.problem if snapshot.project.spec is None else snapshot.policy_problem
    environments = _with_missing(_unevaluated(snapshot, admitted.values()), find_missing(snapshot, admitted))
    suspensions = count_suspensions(snapshot.decisions)
    hold = newer.problem if newer else broken
    return ReconcilePlan(admitted, environments, decisions=suspensions, hold=hold, newer=newer)


def _plan_journey(inputs: PlanInputs, digests: Digests) -> ReconcilePlan:
    """Return the plan by candidates and gates."""
    snapshot, policy, admitted = inputs.snapshot, inputs.policy, inputs.admitted
    missing = find_missing(snapshot, admitted)
    if missing:
        restored = restore(_project_inputs(inputs), admitted, snapshot.live, missing, inputs.covering)
        inputs = replace(inputs, admitted=with_domains(snapshot.project, restored))
    journey = _journey(inputs)
    environments = _with_missing(_environments(inputs, journey), missing)
    building = [revision for item in environments for revision in item.revisions]
    standing, days = last_gate(policy, building), journey_days(inputs)
    return ReconcilePlan(
        inputs.admitted,
        environments,
        journey.gates,
        reached_gate(journey.gates, standing),
        waited_gate(journey.gates, environments, standing),
        (*journey.findings, *foreign_guards(inputs), *expiry_warnings(days), *_ended_grants(inputs)),
        inputs.decisions,
        digests,
        frozenset(journey.evaluation.requests),
        tuple(site for item in journey.candidates for site in item.full),
        _again_at(inputs, journey, days),
        _urgent(journey),
        journey=inputs.journey,
        expires=days.expires if days else None,
        taken=tuple(item for candidate in journey.candidates for item in candidate.taken),
    )


def _ended_grants(inputs: PlanInputs) -> Iterable[GateFinding]:
    return ended_grants(inputs.policy, inputs.decisions, inputs.admitted)


def _unevaluated(snapshot: Snapshot, admitted: Iterable[Revision | None]) -> tuple[EnvironmentPlan, ...]:
    """Return the plans if spec or policy cannot be evaluated: every environment stays as admitted."""
    spec, kept = snapshot.project.spec, dict[str, list[Revision]]()
    for revision in admitted:
        if revision is not None:
            left = revoke(revision, spec, snapshot.policy, snapshot.project.name) if spec else revision
            kept.setdefault(revision.environment, []).append(left)
    return tuple(EnvironmentPlan(name, EnvironmentAction.STAY, tuple(revisions)) for name, revisions in kept.items())


def _environments(inputs: PlanInputs, journey: _Journey) -> tuple[EnvironmentPlan, ...]:
    """Return the plans: declared environments in the order of the spec, then the others by name."""
    declared = [
        plan_declared(inputs, item, list(journey.evaluation.on_environment(item.name)), journey.gates)
        for item in journey.candidates
    ]
    others = sorted(_present(inputs.snapshot) - {item.name for item in declared})
    return (*declared, *(plan_undeclared(inputs, name) for name in others))


def _with_missing(
    environments: tuple[EnvironmentPlan, ...], missing: Mapping[Place, FormerSite]
) -> tuple[EnvironmentPlan, ...]:
    """Return the plans with the sites whose namespace is gone and that no revision rebuilds."""
    built = {Place(item.environment, item.cluster) for plan in environments for item in plan.revisions}
    lost: dict[str, tuple[FormerSite, ...]] = {}
    for place in sorted(missing.keys() - built):
        lost[place.environment] = (*lost.get(place.environment, ()), missing[place])
    planned = [replace(item, missing=lost.pop(item.name)) if item.name in lost else item for item in environments]
    return (*planned, *(EnvironmentPlan(name, EnvironmentAction.STAY, missing=sites) for name, sites in lost.items()))


def _present(snapshot: Snapshot) -> set[str]:
    return {item.environment for item in snapshot.live.values()} - {""}


def _journey(inputs: PlanInputs) -> _Journey:
    """Resolve the candidates and evaluate the gates."""
    snapshot, spec, policy, decisions = inputs.snapshot, inputs.spec, inputs.policy, inputs.decisions
    project = _project_inputs(inputs)
    candidates = find_candidates(snapshot, project, decisions, inputs.admitted, inputs.covering)
    passed = last_gate(policy, inputs.admitted.values())
    wanted = max((item.gate_index for item in candidates if item.new), default=-1)
    evaluator = GateEvaluator(
        project,
        gate_checks(policy, spec.journey),
        decisions,
        snapshot.project.known,
        lambda gate_index: gate_index > passed or gate_index <= wanted,
    )
    evaluation = evaluator.evaluate(
        [(item.gate_index, item.declared) for item in candidates],
        running_places(snapshot, project, inputs.admitted),
        _coming(inputs, candidates),
    )
    known, at_gates = snapshot.project.known, _at_gates(policy, candidates)
    gates = evaluate_gates(policy.gates, evaluation, decisions.approvals, passed, known, inputs.journey, at_gates)
    return _Journey(candidates, evaluation, tuple(gates))


def _at_gates(policy: OnboardingPolicySpec, candidates: Iterable[Candidate]) -> AtGates:
    found: dict[str, dict[str, Waiting]] = {}
    for item in candidates:
        if item.waiting is not None:
            found.setdefault(policy.gates[item.gate_index].name, {})[item.name] = item.waiting
    return found


def _project_inputs(inputs: PlanInputs) -> ProjectInputs:
    snapshot = inputs.snapshot
    declared = ProjectDeclaration(
        snapshot.project.name,
        inputs.spec,
        inputs.policy,
        snapshot.targets,
        snapshot.now.date(),
        snapshot.target_problems,
        snapshot.argocd,
        snapshot.reserved,
    )
    return ProjectInputs(declared, snapshot.now, snapshot.answers, frozenset(inputs.decisions.attested))


def _coming(inputs: PlanInputs, candidates: Iterable[Candidate]) -> set[str]:
    """Return the environments without any admitted revision that only a gate can hold."""
    there = {place.environment for place in inputs.admitted}
    wanted = {item.name for item in candidates if item.accepted}
    return {name for name in wanted - there if not inputs.hold(name)}


def _urgent(journey: _Journey) -> bool:
    """Return whether a probe request is new, or a candidate waits only for probes repeated after a restart."""
    blocking = (found.finding for found in journey.findings if found.holds and not found.quiet)
    if any(finding.result is CheckResult.PENDING for finding in blocking):
        return True
    return any(_waits_quietly(item, journey.gates) for item in journey.candidates if item.new and item.gate_index >= 0)


def _waits_quietly(candidate: Candidate, gates: Sequence[GateResult]) -> bool:
    up_to = gates[: candidate.gate_index + 1]
    return not up_to[-1].open and all(obstacle.quiet for result in up_to for obstacle in result.obstacles)


def _again_at(inputs: PlanInputs, journey: _Journey, days: JourneyDays | None) -> datetime | None:
    now = inputs.snapshot.now
    moments = [*expiry_moments(days)]
    if inputs.decisions.next_change:
        moments.append(inputs.decisions.next_change)
    if any(found.check is capacity.quota_holds_what_is_used for found in journey.findings):
        moments.append(now + _USE_MAY_FALL)
    dated = any(found.check is placement.contract_is_in_force for found in journey.findings)
    if dated or any(isinstance(request, CertificateRequest) for request in journey.evaluation.requests):
        moments.append((now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0))
    return min(moments, default=None)
