"""Outcome of a reconcile under one version of the policy, for the count of what a change of the policy does; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onboarding.api.common import Mode
from onboarding.api.quota import quota_of
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.catalogue import OF_ENVIRONMENT
from onboarding.reconcile.observed.snapshot import PolicyVersion, Snapshot
from onboarding.reconcile.plan.environment_plan import EnvironmentAction
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What a project has under one version of the policy; small, because one is kept for each project."""

    policy: PolicyVersion
    project: tuple[str, int]
    """UID and generation of the project: outcomes of two generations are not compared."""
    held: frozenset[str] = _NONE
    """The environments that get nothing new; without those that a decision or ``mode: Plan`` holds."""
    free: frozenset[str] = _NONE
    """The environments that the next change would reach."""
    quotas: tuple[tuple[Place, int], ...] = ()
    """A hash of the quota in each place."""

    def newly_held(self, former: "PolicyOutcome") -> frozenset[str]:
        """Return the environments that are held and were not in a former outcome."""
        return self.held & former.free

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
    known = (project.uid, project.generation)
    spec = project.spec
    if spec is None or project.deleting or spec.mode is Mode.PLAN or (plan.hold and version.usable):
        return PolicyOutcome(version, known)
    quotas = tuple((Place(item.environment, item.cluster), _digest(item)) for item in plan.building)
    if not version.usable:
        declared = {item.name for item in spec.environments}
        held = frozenset(name for name in declared if not plan.decisions.suspension(name))
        return PolicyOutcome(version, known, held=held, quotas=quotas)
    states = dict(_held(plan))
    held = frozenset(name for name, is_held in states.items() if is_held)
    return PolicyOutcome(version, known, held, frozenset(states.keys() - held), quotas)


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
    quota = quota_of(revision.resources, revision.gpu_resource, revision.object_counts)
    return hash(tuple(sorted(quota.items())))
