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
from onboarding.checks.journey import door_of
from onboarding.checks.probe import CertificateRequest, Request
from onboarding.reconcile.journey.decisions import Decisions, count, describe
from onboarding.reconcile.journey.digest import Digests
from onboarding.reconcile.journey.doors import Door, open_doors
from onboarding.reconcile.journey.posts import post
from onboarding.reconcile.journey.running import running_places
from onboarding.reconcile.journey.survey import Found, Surveyor
from onboarding.reconcile.ledger import SiteKey
from onboarding.reconcile.newer import Newer, find_newer
from onboarding.reconcile.proposal.admit import Place, admitted, revoke
from onboarding.reconcile.proposal.propose import Proposal, accepted, propose
from onboarding.reconcile.world import World

_USE_MAY_FALL = timedelta(minutes=1)
"""The use of a quota is no news to us, so that a shrink which waits for it is tried again after this time."""


@dataclass(slots=True)
class Judgement:
    """What a pass shall bring about."""

    admitted: Mapping[Place, Revision | None]
    building: list[Revision] = field(default_factory=list)
    """What everything is built from."""
    gone: set[str] = field(default_factory=set)
    """Environments that leave altogether."""
    leaving: set[Place] = field(default_factory=set)
    """Sites that an environment leaves while it stays on others."""
    findings: list[Found] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
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
    """Environments that get something new, of which the doors behind theirs know only once it is there."""
    gates: dict[str, str] = field(default_factory=dict)
    """The door of each environment."""
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


def judge(world: World) -> Judgement:
    """Return what this pass shall bring about; pure."""
    judgement = Judgement(admitted(world.live, world.memory))
    spec, policy, judgement.newer = world.project.spec, world.policy, find_newer(world)
    if spec is None or policy is None or judgement.newer:
        broken = world.project.problem if spec is None else world.policy_problem
        judgement.hold = judgement.newer.problem if judgement.newer else broken
        for revision in judgement.admitted.values():
            _keep(world, judgement, revision)
        return judgement
    judgement.digests = world.memory.recall("", Digests, spec, policy)
    judgement.decisions = count(world.decisions, spec, policy, judgement.digests, world.now)
    if world.project.deleting:
        _let_go(world, spec, judgement, _present(world))
        return judgement
    _judge_environments(world, spec, policy, judgement)
    declared = {environment.name for environment in spec.environments}
    undeclared = _present(world) - declared
    _stay(world, judgement, spec, undeclared)
    _let_go(world, spec, judgement, undeclared - judgement.staying.keys())
    _leave_sites(world, spec, judgement, declared - judgement.held.keys())
    return judgement


def may_delete(world: World, judgement: Judgement, environment: str) -> bool:
    """Return whether the removal of an environment may delete it, rather than wait or release it."""
    spec = world.project.spec
    deletes = spec is not None and spec.deletion_policy is DeletionPolicy.DELETE
    return deletes and _confirmed(world, judgement.decisions, environment)


def _judge_environments(
    world: World, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, judgement: Judgement
) -> None:
    attested = frozenset(judgement.decisions.attested)
    project = ProjectInputs(
        spec, policy, world.targets, world.now, world.answers, attested, world.target_problems, world.project.name
    )
    proposals = propose(world, project, judgement.decisions, judgement.admitted)
    passed = _passed(policy, judgement.admitted.values())
    wanted = max((item.door for item in proposals if item.new), default=-1)
    surveyor = Surveyor(
        project,
        world.memory.recall("", post, policy, spec.journey),
        judgement.decisions,
        world.project.known,
        lambda door: door > passed or door <= wanted,
    )
    survey = surveyor.survey(
        [(item.door, item.inputs) for item in proposals],
        running_places(world, project, judgement.admitted),
        _coming(spec, judgement, proposals),
    )
    judgement.asked = frozenset(survey.asked)
    judgement.doors = open_doors(policy.gates, survey, judgement.decisions, passed, world.project.known)
    judgement.findings = [*(found for item in proposals for found in item.found), *survey.found]
    judgement.urgent = _urgent(judgement, proposals)
    judgement.again_at = _again_at(world, judgement)
    judgement.full = tuple(site for item in proposals for site in item.full)
    for item in proposals:
        if item.door >= 0:
            judgement.gates[item.name] = policy.gates[item.door].name
        reason = _held(item, judgement, [found.finding.message for found in survey.on_environment(item.name)], spec)
        _settle(world, judgement, item, reason)
        if item.new and item.name not in judgement.held and not all(door.open for door in judgement.doors):
            judgement.arriving.add(item.name)


def _coming(spec: ProjectOnboardingSpec, judgement: Judgement, proposals: Iterable[Proposal]) -> set[str]:
    """Return the environments that are nowhere yet, and that nothing but a door keeps away."""
    there = {place.environment for place in judgement.admitted}
    wanted = {item.name for item in proposals if accepted(item.revisions, item.found)}
    held = {name for name in wanted if _hold_of(judgement, spec, name)}
    return wanted - there - held


def _passed(policy: OnboardingPolicySpec, revisions: Iterable[Revision | None]) -> int:
    """Return the place of the furthest door behind which something is provisioned, or -1."""
    return max((door_of(policy, revision.stage, revision.target) for revision in revisions if revision), default=-1)


def _urgent(judgement: Judgement, proposals: Iterable[Proposal]) -> bool:
    """Return whether a question is new, or only what was asked before a start holds something new now."""
    blocking = (found.finding for found in judgement.findings if found.holds and not found.quiet)
    if any(finding.result is CheckResult.PENDING for finding in blocking):
        return True
    return any(
        item.new
        and item.door >= 0
        and not judgement.doors[item.door].open
        and all(obstacle.quiet for door in judgement.doors[: item.door + 1] for obstacle in door.obstacles)
        for item in proposals
    )


def _again_at(world: World, judgement: Judgement) -> datetime | None:
    moments = [judgement.decisions.next_change] if judgement.decisions.next_change else []
    if any(found.check is capacity.quota_holds_what_is_used for found in judgement.findings):
        moments.append(world.now + _USE_MAY_FALL)
    dated = any(found.check is placement.contract_is_in_force for found in judgement.findings)
    if dated or any(isinstance(request, CertificateRequest) for request in judgement.asked):
        moments.append((world.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0))
    return min(moments, default=None)


def _held(item: Proposal, judgement: Judgement, at_door: list[str], spec: ProjectOnboardingSpec) -> str:
    """Return why an environment gets nothing new; the empty string where it gets what it declares."""
    everywhere = [found.finding.message for found in item.found if not found.site]
    if everywhere:
        return everywhere[0]
    if why := _hold_of(judgement, spec, item.name):
        return why
    if not item.new:
        return ""
    return at_door[0] if at_door else _behind(item, judgement.doors)


def _hold_of(judgement: Judgement, spec: ProjectOnboardingSpec, environment: str) -> str:
    """Return why an environment is neither changed nor removed, whatever is declared; the empty string where it is."""
    if spec.mode is Mode.PLAN:
        return "spec.mode is Plan"
    suspension = judgement.decisions.suspension(environment)
    return f"{describe(suspension)}: {suspension.reason}" if suspension else ""


def _behind(item: Proposal, doors: Sequence[Door]) -> str:
    """Return which door holds an environment; the empty string where its own is open or it has none."""
    if item.door < 0 or doors[item.door].open:
        return ""
    before = [door for door in doors[: item.door + 1] if door.obstacles]
    holding = next((door for door in before if not door.obstacles[0].quiet), before[0])
    return f"door {holding.gate.name}: {holding.obstacles[0].message}"


def _settle(world: World, judgement: Judgement, item: Proposal, reason: str) -> None:
    """Build what an environment declares, or keep what is admitted of it; a site that is full is held alone."""
    full = {found.site: found.finding.message for found in item.found if found.site}
    if reason or full:
        judgement.held[item.name] = reason or "; ".join(full.values())
    building = [] if reason else accepted(item.revisions, item.found)
    judgement.building += building
    taken = {revision.cluster for revision in building}
    if reason or full:
        for place, revision in judgement.admitted.items():
            if place.environment == item.name and place.cluster not in taken:
                _keep(world, judgement, revision)


def _keep(world: World, judgement: Judgement, revision: Revision | None) -> None:
    spec = world.project.spec
    if revision is not None:
        judgement.building.append(revoke(revision, spec, world.policy) if spec else revision)


def _stay(world: World, judgement: Judgement, spec: ProjectOnboardingSpec, undeclared: set[str]) -> None:
    """Keep environments that are no longer declared: neither a plan nor a suspended project removes anything."""
    for name in sorted(undeclared):
        if why := _hold_of(judgement, spec, name):
            judgement.staying[name] = f"no longer declared; it stays: {why}"
    for place, revision in judgement.admitted.items():
        if place.environment in judgement.staying:
            _keep(world, judgement, revision)


def _present(world: World) -> set[str]:
    return {item.environment for item in world.live.values()} - {""}


def _let_go(world: World, spec: ProjectOnboardingSpec, judgement: Judgement, environments: set[str]) -> None:
    """Let environments go that are no longer declared, or keep them where that waits for a decision."""
    for environment in sorted(environments):
        if waiting := _waits(world, spec, judgement, environment):
            judgement.awaiting = waiting
            judgement.unconfirmed.add(environment)
            judgement.staying[environment] = waiting
            for place, revision in judgement.admitted.items():
                if place.environment == environment:
                    _keep(world, judgement, revision)
        else:
            judgement.gone.add(environment)


def _leave_sites(world: World, spec: ProjectOnboardingSpec, judgement: Judgement, accepted: set[str]) -> None:
    """Leave the sites that an accepted environment no longer names."""
    staying = judgement.building_places
    for place, revision in judgement.admitted.items():
        if place.environment not in accepted or place in staying:
            continue
        if waiting := _waits(world, spec, judgement, place.environment):
            judgement.awaiting = waiting
            judgement.unconfirmed.add(place.environment)
            _keep(world, judgement, revision)
        else:
            judgement.leaving.add(place)


def _waits(world: World, spec: ProjectOnboardingSpec, judgement: Judgement, environment: str) -> str:
    """Return what a removal waits for; the empty string where it may go on."""
    if world.project.deleting and world.teardown_hold:
        return world.teardown_hold
    if spec.deletion_policy is DeletionPolicy.RETAIN or _confirmed(world, judgement.decisions, environment):
        return ""
    subject = "the project" if world.project.deleting else f"environment {environment}"
    void = [reason for decision, reason in judgement.decisions.void if _concerns(world, decision, environment)]
    return (
        f"deletionPolicy is Delete: removing {subject} waits for an OnboardingDecision ConfirmDelete that names "
        f"UID {world.project.uid}, or for deletionPolicy Retain"
        + (f"; the one there does not count: {void[0]}" if void else "")
    )


def _confirmed(world: World, decisions: Decisions, environment: str) -> bool:
    """Return whether a removal is confirmed; a decision for an environment does not confirm the whole project's."""
    return "" in decisions.confirmed or (environment in decisions.confirmed and not world.project.deleting)


def _concerns(world: World, decision: OnboardingDecisionSpec, environment: str) -> bool:
    covers = decision.environment is None or (decision.environment == environment and not world.project.deleting)
    return decision.decision is Decision.CONFIRM_DELETE and covers
