"""Judge a world: which revisions to build, which environments leave, and what holds the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onboarding.api.common import DeletionPolicy, Mode
from onboarding.api.decision import Decision, OnboardingDecisionSpec
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.build.revision import MAX_REVISION_BYTES, Revision
from onboarding.checks.catalogue import check_environment
from onboarding.checks.finding import Finding, Inputs
from onboarding.reconcile.admit import Place, admitted, candidates, revoke
from onboarding.reconcile.world import World


@dataclass(slots=True)
class Judgement:
    """What a pass shall bring about."""

    admitted: Mapping[Place, Revision | None]
    building: list[Revision] = field(default_factory=list)
    """The revisions that everything is built from."""
    gone: set[str] = field(default_factory=set)
    """Environments that leave altogether."""
    leaving: set[Place] = field(default_factory=set)
    """Sites that an environment leaves while it stays on others."""
    findings: list[Finding] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    """Environments that get nothing new, and why."""
    hold: str = ""
    """Why the whole project gets nothing new, where that is so."""
    awaiting: str = ""
    """What a removal waits for, in words for the one who has to act."""
    unconfirmed: set[str] = field(default_factory=set)
    """Environments whose removal waits for a decision."""

    @property
    def building_places(self) -> set[Place]:
        """The environments on the clusters where they shall be."""
        return {Place(revision.environment, revision.cluster) for revision in self.building}


def judge(world: World) -> Judgement:
    """Return what this pass shall bring about; pure."""
    judgement = Judgement(admitted(world.live))
    spec, policy = world.project.spec, world.policy
    if spec is None or policy is None:
        judgement.hold = world.project.problem if spec is None else world.policy_problem
        for revision in judgement.admitted.values():
            _keep(judgement, revision, spec)
        return judgement
    if world.project.deleting:
        _let_go(world, spec, judgement, _present(world))
        return judgement
    for environment in spec.environments:
        _judge_environment(world, Inputs(spec, environment, policy, world.targets), judgement)
    if spec.mode is Mode.APPLY:
        declared = {environment.name for environment in spec.environments}
        _let_go(world, spec, judgement, _present(world) - declared)
        _leave_sites(world, spec, judgement, declared - judgement.held.keys())
    else:
        _keep_all_but(judgement, spec)
    return judgement


def may_delete(world: World, environment: str) -> bool:
    """Return whether the removal of an environment may delete it, rather than wait or release it."""
    spec = world.project.spec
    return spec is not None and spec.deletion_policy is DeletionPolicy.DELETE and _confirmed(world, environment)


def _judge_environment(world: World, inputs: Inputs, judgement: Judgement) -> None:
    environment = inputs.environment
    findings = check_environment(inputs)
    proposed = [] if findings else candidates(world.project.name, inputs)
    if proposed:
        findings = _fits(environment, proposed, judgement.admitted)
    judgement.findings += findings
    if findings:
        judgement.held[environment.name] = findings[0].message
    elif inputs.spec.mode is Mode.PLAN:
        judgement.held[environment.name] = "spec.mode is Plan"
    if environment.name not in judgement.held:
        judgement.building += proposed
        return
    for place, revision in judgement.admitted.items():
        if place.environment == environment.name:
            _keep(judgement, revision, inputs.spec)


def _fits(
    environment: Environment, proposed: list[Revision], current: Mapping[Place, Revision | None]
) -> list[Finding]:
    """Return why a candidate cannot follow the admitted revision of its environment."""
    former = [revision for place, revision in current.items() if place.environment == environment.name and revision]
    for old in former:
        for label, before, after in (
            ("target", old.target, proposed[0].target),
            ("namespace", old.namespace, proposed[0].namespace),
        ):
            if before != after:
                return [
                    Finding(
                        "EnvironmentMoved",
                        f"the environment is on {label} {before!r} and would move to {after!r}",
                        f"name {label} {before!r} in the spec, or declare another environment and move the workload",
                        environment=environment.name,
                    )
                ]
    if any(len(revision.canonical) > MAX_REVISION_BYTES for revision in proposed):
        return [
            Finding(
                "RevisionTooLarge",
                "the resolved inputs of the environment exceed 64 KiB",
                "shorten labels, groups or repositories",
                environment=environment.name,
            )
        ]
    return []


def _keep(judgement: Judgement, revision: Revision | None, spec: ProjectOnboardingSpec | None) -> None:
    if revision is not None:
        judgement.building.append(revoke(revision, spec) if spec else revision)


def _keep_all_but(judgement: Judgement, spec: ProjectOnboardingSpec) -> None:
    """Keep the environments that a plan would remove: a plan removes nothing."""
    declared = {environment.name for environment in spec.environments}
    for place, revision in judgement.admitted.items():
        if place.environment not in declared:
            _keep(judgement, revision, spec)


def _present(world: World) -> set[str]:
    return {item.environment for item in world.live.values()} - {""}


def _let_go(world: World, spec: ProjectOnboardingSpec, judgement: Judgement, environments: set[str]) -> None:
    """Let environments go that are no longer declared, or keep them where that waits for a decision."""
    for environment in sorted(environments):
        if waiting := _waits(world, spec, environment):
            judgement.awaiting = waiting
            judgement.unconfirmed.add(environment)
            for place, revision in judgement.admitted.items():
                if place.environment == environment:
                    _keep(judgement, revision, spec)
        else:
            judgement.gone.add(environment)


def _leave_sites(world: World, spec: ProjectOnboardingSpec, judgement: Judgement, accepted: set[str]) -> None:
    """Leave the sites that an accepted environment no longer names."""
    staying = judgement.building_places
    for place, revision in judgement.admitted.items():
        if place.environment not in accepted or place in staying:
            continue
        if waiting := _waits(world, spec, place.environment):
            judgement.awaiting = waiting
            judgement.unconfirmed.add(place.environment)
            _keep(judgement, revision, spec)
        else:
            judgement.leaving.add(place)


def _waits(world: World, spec: ProjectOnboardingSpec, environment: str) -> str:
    """Return what a removal waits for; the empty string where it may go on."""
    if world.project.deleting and world.teardown_hold:
        return world.teardown_hold
    if spec.deletion_policy is DeletionPolicy.RETAIN or _confirmed(world, environment):
        return ""
    subject = "the project" if world.project.deleting else f"environment {environment}"
    own = any(_concerns(world, decision, environment) for decision in world.decisions)
    return (
        f"deletionPolicy is Delete: removing {subject} waits for an OnboardingDecision ConfirmDelete that names "
        f"UID {world.project.uid}, or for deletionPolicy Retain"
        + ("; the one there does not count, its author is in a group of the project" if own else "")
    )


def _confirmed(world: World, environment: str) -> bool:
    return any(
        _concerns(world, decision, environment) and not _own_groups(world) & set(decision.by.groups)
        for decision in world.decisions
    )


def _concerns(world: World, decision: OnboardingDecisionSpec, environment: str) -> bool:
    """Return whether a decision confirms this removal; one for an environment does not confirm the whole project's."""
    covers = decision.environment is None or (decision.environment == environment and not world.project.deleting)
    return decision.decision is Decision.CONFIRM_DELETE and covers


def _own_groups(world: World) -> set[str]:
    """Return the project's own groups: who asks cannot answer."""
    spec = world.project.spec
    return {group for groups in spec.team.groups.values() for group in groups} if spec else set()
