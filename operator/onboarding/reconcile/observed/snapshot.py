"""The world of one pass: everything that a pass looks at, gathered once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from onboarding.api.common import Mode
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.place import Place
from onboarding.build.revision import Owner, Revision
from onboarding.checks.probe import Answers, no_answers
from onboarding.reconcile.observed.argocd_status import Application
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.capacity import Usage
from onboarding.reconcile.observed.unread import UnreadDecision


@dataclass(frozen=True, slots=True)
class Project:
    """A ProjectOnboarding as the API server gave it to us."""

    name: str
    uid: str
    generation: int
    resource_version: str
    deleting: bool
    finalizers: tuple[str, ...]
    status: Mapping[str, Any]
    spec: ProjectOnboardingSpec | None
    problem: str = ""
    """Why the spec cannot be read, where it cannot."""
    newer: bool = False
    """Whether that is so because this operator is older than the spec."""

    @property
    def known(self) -> Mapping[str, Any]:
        """What was found of this very spec before, as after a start; nothing where the spec has changed since."""
        return self.status if self.status.get("observedGeneration") == self.generation else {}


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What we know of a cluster: without a problem its caches are warm and it may be written to."""

    problem: str = ""
    starting: bool = False
    """Whether the only problem is that it has not been looked at for long enough."""
    guarded: bool = True
    """Whether the admission policies have proven to be in force."""
    guard_problem: str = ""
    """Where they have not: which of them, what it answered, and the remedy."""
    guard_unknown: bool = False
    """Whether they are not known to be missing either."""
    release_mark: str = ""
    """The UID of the binding of the admission policy on released namespaces; empty where it is not known."""
    argocd: bool = True

    @property
    def known(self) -> bool:
        """Whether the caches tell what is there."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one pass looks at. After it is made there is no input until the work begins."""

    project: Project
    installation: str
    policy: OnboardingPolicySpec | None
    policy_problem: str
    targets: Mapping[str, HostingTargetSpec]
    decisions: tuple[OnboardingDecisionSpec, ...]
    clusters: Mapping[str, ClusterState]
    live: Mapping[ObjectKey, CachedObject]
    """The objects that are this project's own: same installation, same name, same UID."""
    now: datetime
    target_problems: Mapping[str, str] = field(default_factory=dict)
    """Why targets cannot be used, by name."""
    policy_newer: bool = False
    """Whether the policy cannot be used because this operator is older than it."""
    newer_targets: frozenset[str] = frozenset()
    """The targets that cannot be used because this operator is older than they are."""
    unread: tuple[UnreadDecision, ...] = ()
    """The decisions that cannot be read and are, or may be, about this project."""
    answers: Answers = field(default_factory=no_answers)
    """The newest answers of the outside world."""
    usage: Usage = field(default_factory=lambda: Usage({}, {}))
    """What the quotas of all projects take on every site."""
    teardown_hold: str = ""
    """Why no project is torn down at present, where that is so."""

    @property
    def owner(self) -> Owner:
        """The owner that our objects carry in their labels."""
        return Owner(self.installation, self.project.name, self.project.uid)

    def admitted(self) -> dict[Place, Revision | None]:
        """Return the admitted revision of each environment on each cluster; None for one that cannot be read."""
        found = {
            Place(item.environment, key.cluster): item.admitted.revision
            for key, item in self.live.items()
            if key.kind is NAMESPACE and not item.deleting
        }
        return dict(sorted(found.items()))

    def application(self, key: ObjectKey) -> Application:
        """Return what Argo CD says of an Application; nothing where there is none."""
        found = self.live.get(key)
        return found.application if found else Application()

    def used(self, quota: ObjectKey) -> dict[str, str]:
        """Return what is used of a ResourceQuota; nothing where there is none."""
        found = self.live.get(quota)
        return found.used if found else {}

    def full(self, quota: ObjectKey) -> dict[str, str]:
        """Return what all of is used of a ResourceQuota, with the amount; nothing where there is none."""
        found = self.live.get(quota)
        return found.full if found else {}

    def trouble_with(self, cluster: str) -> str:
        """Return why a cluster cannot be looked at; the empty string where it can."""
        state = self.clusters.get(cluster, ClusterState(problem="there is no such connection"))
        return "" if state.known else f"cluster {cluster}: {state.problem}"

    def release_mark(self, cluster: str) -> str:
        """Return by what a namespace that is released on a cluster proves it; the empty string where nothing does."""
        state = self.clusters.get(cluster)
        return state.release_mark if state else ""

    def as_applied(self) -> "Snapshot":
        """Return the same world with ``mode: Apply``, to see what that would do."""
        spec = self.project.spec
        if spec is None:
            return self
        project = replace(self.project, spec=spec.model_copy(update={"mode": Mode.APPLY}))
        return replace(self, project=project)
