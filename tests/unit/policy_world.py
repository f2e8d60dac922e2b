"""Projects under a policy, in memory, and the count of what a change of the policy does to them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from onboarding.api.conditions import PolicyChange
from onboarding.build.kinds import ObjectKey
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.platform import POLICIES
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.observed.validity import RoleState
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.status.policy_outcome import PolicyOutcome, policy_outcome
from onboarding.runtime.policy_changes import PolicyChanges
from tests.unit.snapshots import built, environment, offer, policy_of, snapshot_of, spec_of

DEV = {"name": "start", "opens": [{"stages": ["dev"]}]}
PROD = {"name": "live", "opens": [{"stages": ["prod"]}]}
VISA = [{"name": "visa", "actor": "security"}]
SPONSOR = {"id": "SponsorNamed", "gate": "start"}
ADA = {"name": "Ada", "email": "ada@example.org"}
BASE = policy_of(DEV, PROD, checks=[{**SPONSOR, "severity": "Warning"}]).model_dump(
    mode="json", by_alias=True, exclude_defaults=True
)
SMALL, LARGE = BASE["sizes"]
USABLE = {"onboarding:admin": RoleState.USABLE, "onboarding:viewer": RoleState.USABLE}
PROJECTS: Mapping[str, Mapping[str, Any]] = {
    "pay": spec_of(environment(), environment("prod", stage="prod")).model_dump(mode="json", by_alias=True),
    "shop": spec_of(environment(), sponsor=ADA).model_dump(mode="json", by_alias=True),
    "tall": spec_of(environment(size="large"), sponsor=ADA).model_dump(mode="json", by_alias=True),
}


class World:
    """Projects under a policy, in memory; nothing is reconciled or counted unless a test says so."""

    def __init__(self, projects: Mapping[str, Mapping[str, Any]] = PROJECTS) -> None:
        self.now = 0.0
        self.declared = ProjectCache()
        self.generation = 0
        self.told = 0
        self.decisions: tuple[Any, ...] = ()
        self._live: dict[str, Mapping[ObjectKey, CachedObject]] = {}
        self._version = 0
        self.restart()
        self.edit()
        for name, spec in projects.items():
            self.declare(name, spec)
        self.reconcile()
        assert self.count() is None
        self.told = 0

    def restart(self) -> None:
        """Forget everything that only the process knows."""
        self.changes = PolicyChanges(self.declared, "default", lambda: self.now)
        self.changes.news.connect(self._tell)

    def _tell(self) -> None:
        self.told += 1

    def edit(self, uid: str = "uid-default", **fields: Any) -> None:
        """Give the policy these fields, all else as at first, and the next generation."""
        self.generation += 1
        self._version += 1
        body = offer("default", {**BASE, **fields}, self._version, generation=self.generation, uid=uid)
        self.declared.offered.put(POLICIES, body)
        self.declared.offered.know_roles(USABLE)

    def declare(self, name: str, spec: Mapping[str, Any], generation: int = 1) -> None:
        """Create a project, or change its spec."""
        self._version += 1
        metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(self._version), "generation": generation}
        self.declared.put_project({"metadata": metadata, "spec": spec})

    def snapshot(self, name: str) -> Snapshot:
        """Return the snapshot of a project, with everything in place that was built before."""
        project = self.declared.project(name)
        assert project is not None
        policy, problem = self.declared.policy("default")
        version = self.declared.offered.policy_version("default")
        fields = {"policy": policy, "policy_problem": problem, "policy_version": version, "decisions": self.decisions}
        return replace(snapshot_of(project.spec, self._live.get(name), **fields), project=project)

    def outcome(self, name: str) -> PolicyOutcome | None:
        """Reconcile a project; return its outcome before the operator takes it in."""
        snapshot = self.snapshot(name)
        self._live[name] = built(snapshot)
        return policy_outcome(snapshot, make_plan(snapshot))

    def reconcile(self, names: Iterable[str] = ()) -> None:
        """Reconcile these projects, or all."""
        for name in names or tuple(self.declared.names()):
            self.changes.take(name, self.outcome(name))

    def delete(self, name: str) -> None:
        """Delete a project."""
        self.declared.drop_project(name)
        self.changes.forget(name)

    def count(self) -> PolicyChange | None:
        """Return the count as the status would show it."""
        reported = self.changes.report()
        return reported[1] if reported else None

    def figures(self) -> tuple[int, int, tuple[str, ...], bool]:
        """Return the environments held, the quotas changed, the names, and if every project is held."""
        count = self.count()
        assert count is not None
        assert (count.generation, count.pending) == (self.generation, 0)
        assert count.projects == len(count.named)
        return count.environments_held, count.quotas_changed, count.named, count.holds_every_project
