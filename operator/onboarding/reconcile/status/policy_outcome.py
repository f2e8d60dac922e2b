"""Outcome of a reconcile under one version of the policy, for the count of what a change of the policy does; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from onboarding.api.common import Mode, Resources
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.quota import quota_of
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.catalogue import OF_ENVIRONMENT
from onboarding.reconcile.observed.snapshot import PolicyVersion, Project, Snapshot
from onboarding.reconcile.plan.environment_plan import EnvironmentAction
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What a project has under one version of the policy; small, because one is kept for each project."""

    policy: PolicyVersion
    project: tuple[str, int]
    """UID and generation of the project: outcomes of two generations are not compared."""
    held: tuple[str, ...] = ()
    """The environments that get nothing new; without those that a decision or ``mode: Plan`` holds."""
    free: tuple[str, ...] = ()
    """The environments that the next change would reach."""
    quotas: tuple[tuple[Place, int], ...] = ()
    """A hash of the quota in each place."""

    def newly_held(self, former: "PolicyOutcome") -> tuple[str, ...]:
        """Return the environments that are held and were not in a former outcome."""
        return tuple(name for name in self.held if name in former.free)

    def changed_quotas(self, former: "PolicyOutcome") -> int:
        """Return the number of places whose quota differs from that in a former outcome."""
        if self.quotas == former.quotas:
            return 0
        before = dict(former.quotas)
        return sum(1 for place, digest in self.quotas if before.get(place, digest) != digest)


def policy_outcome(snapshot: Snapshot, plan: ReconcilePlan) -> PolicyOutcome | None:
    """Return the outcome of a reconcile; None while the policy is not known or a candidate waits for a first probe."""
    version, project = snapshot.policy_version, snapshot.project
    if version is None or plan.urgent:
        return None
    outcome = PolicyOutcome(version, (project.uid, project.generation))
    spec = project.spec
    if spec is None or _holds_itself(project, plan, version):
        return outcome
    states = dict(_held(plan) if version.usable else _all_held(spec, plan))
    return replace(
        outcome,
        held=tuple(name for name, is_held in states.items() if is_held),
        free=tuple(name for name, is_held in states.items() if not is_held),
        quotas=tuple((Place(item.environment, item.cluster), _digest(item)) for item in plan.building),
    )


def _holds_itself(project: Project, plan: ReconcilePlan, version: PolicyVersion) -> bool:
    """Return whether all is held by something else than the policy."""
    if project.deleting or (project.spec is not None and project.spec.mode is Mode.PLAN):
        return True
    return bool(plan.hold) and version.usable


def _all_held(spec: ProjectOnboardingSpec, plan: ReconcilePlan) -> Iterator[tuple[str, bool]]:
    """Yield the declared environments that no decision suspends, under a policy that cannot be used."""
    yield from ((item.name, True) for item in spec.environments if not plan.decisions.suspension(item.name))


def _held(plan: ReconcilePlan) -> Iterator[tuple[str, bool]]:
    """Yield the declared environments that no decision suspends, and if they get nothing new.

    That is so also for an environment in place whose gate no longer opens: nothing waits there yet, but the next change
    will.
    """
    opens: Mapping[str, bool] = {result.gate.name: result.open for result in plan.gates}
    blocked = {item.environment for item in plan.findings if item.holds and item.check in OF_ENVIRONMENT}
    for item in plan.environments:
        if item.action in (EnvironmentAction.ADMIT, EnvironmentAction.HOLD) and item.name not in plan.suspended:
            closed = not opens.get(item.gate, True) or item.name in blocked
            yield item.name, closed or item.action is EnvironmentAction.HOLD


def _digest(revision: Revision) -> int:
    resources = revision.resources
    return _hash(
        (resources.cpu, resources.memory, resources.ephemeral_storage, resources.storage),
        tuple(resources.storage_classes.items()),
        resources.gpu,
        resources.pods,
        revision.gpu_resource,
        tuple(revision.object_counts.items()),
    )


@lru_cache(maxsize=256)
def _hash(
    amounts: tuple[str, ...],
    storage_classes: tuple[tuple[str, str], ...],
    gpu: int,
    pods: int,
    gpu_resource: str,
    object_counts: tuple[tuple[str, int], ...],
) -> int:
    """Return a hash of the quota in canonical form; few quotas differ, as most are a size of the policy."""
    cpu, memory, ephemeral_storage, storage = amounts
    resources = Resources(
        cpu=cpu,
        memory=memory,
        ephemeral_storage=ephemeral_storage,
        storage=storage,
        storage_classes=dict(storage_classes),
        gpu=gpu,
        pods=pods,
    )
    return hash(tuple(sorted(quota_of(resources, gpu_resource, dict(object_counts)).items())))
