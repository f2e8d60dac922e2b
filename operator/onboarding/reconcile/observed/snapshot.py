"""The snapshot of one reconcile: all of its inputs, taken once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from onboarding.api.common import Mode
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.naming import site_finalizer
from onboarding.build.place import Place
from onboarding.build.revision import Owner, Revision
from onboarding.checks.argocd_settings import ArgoSettings
from onboarding.checks.domains import Claim
from onboarding.checks.probe import Answers, no_answers
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.argocd_status import Application
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.capacity import Usage
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.foreign import ForeignObject
from onboarding.reconcile.observed.sites import KnownSite
from onboarding.reconcile.observed.unread import UnreadDecision


@dataclass(frozen=True, slots=True)
class Project:
    """A ProjectOnboarding as the API server returned it."""

    name: str
    uid: str
    generation: int
    resource_version: str
    deleting: bool
    finalizers: tuple[str, ...]
    status: Mapping[str, Any]
    spec: ProjectOnboardingSpec | None
    problem: str = ""
    """Why the spec cannot be read; the empty string if it can."""
    newer: bool = False
    """Whether the spec cannot be read because a newer operator wrote its form."""
    created: str = ""
    """Time of its creation, as the API server writes it; the empty string if it is unknown."""
    insiders: str = ""
    """The annotation that names everybody who ever belonged to it; the empty string if it has none."""

    @property
    def known(self) -> Mapping[str, Any]:
        """The status, if it is about this generation of the spec; else an empty one."""
        return self.status if self.status.get("observedGeneration") == self.generation else {}


@dataclass(frozen=True, slots=True)
class ClusterState:
    """The state of a cluster: without a problem its caches are complete and it may be written to."""

    problem: str = ""
    starting: bool = False
    """Whether the only problem is that its first lists are not complete yet."""
    guarded: bool = True
    """Whether the admission policies are proven to be in force."""
    guard_problem: str = ""
    """The policy that is not in force, its answer and the remedy; the empty string if all are."""
    guard_unknown: bool = False
    """Whether the admission policies are neither proven to be in force nor known to be missing."""
    detach_mark: str = ""
    """UID of the binding of the admission policy on detached namespaces; the empty string if it is unknown."""
    former_detach_mark: str = ""
    """UID of the binding under which a former version detached namespaces; the empty string if there is none."""
    insiders_kept: bool = False
    """Whether the admission policy is in force that lets nobody forge the insiders of a project; on the hub alone."""
    role_problem: str = ""
    """The ClusterRole of a persona that cannot be bound there; the empty string if there is none, or it is unknown."""
    argocd: bool = True
    """Whether the cluster serves the kinds of Argo CD."""

    @property
    def known(self) -> bool:
        """Whether the caches are complete."""
        return not self.problem


class PolicyVersion(NamedTuple):
    """A version of a policy that projects are reconciled under."""

    uid: str
    generation: int
    usable: bool
    """Whether it can be used; if not, every project is held."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All inputs of one reconcile. Nothing else is read between taking it and the first write."""

    project: Project
    installation: str
    policy: OnboardingPolicySpec | None
    policy_problem: str
    targets: Mapping[str, HostingTargetSpec]
    decisions: tuple[DatedDecision, ...]
    clusters: Mapping[str, ClusterState]
    live: Mapping[ObjectKey, CachedObject]
    """The objects that this project owns: same installation, same name, same UID."""
    now: datetime
    gone: Mapping[ObjectKey, GoneNamespace] = field(default_factory=dict)
    """The namespaces of this project that somebody else deleted while the operator watched."""
    sites: Mapping[str, KnownSite] = field(default_factory=dict)
    """The sites of all targets, also of deleted ones, by the finalizer that stands for each."""
    target_problems: Mapping[str, str] = field(default_factory=dict)
    """The problems of unusable targets, by name."""
    policy_newer: bool = False
    """Whether the policy cannot be read because a newer operator wrote its form."""
    newer_targets: frozenset[str] = frozenset()
    """The targets that cannot be read because a newer operator wrote their form."""
    unread: tuple[UnreadDecision, ...] = ()
    """The unreadable decisions that are, or may be, about this project."""
    answers: Answers = field(default_factory=no_answers)
    """The newest probe results."""
    usage: Usage = field(default_factory=lambda: Usage({}, {}))
    """The capacity that the quotas of all projects use on each site."""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    """The first claim of another project on each domain that this one declares; no entry for a free one."""
    overdue: frozenset[ObjectKey] = frozenset()
    """The Applications that have been OutOfSync for five minutes although they sync by themselves."""
    foreign: Mapping[ObjectKey, tuple[ForeignObject, ...]] = field(default_factory=dict)
    """The guard rails of others, by the namespace of the project that holds them; no entry for one without."""
    policy_version: PolicyVersion | None = None
    """The version of the policy; None if there is none, or none that is known to be usable or not."""
    argocd: Mapping[tuple[str, str], ArgoSettings] = field(default_factory=dict)
    """The settings of the Argo CD of each site, by target and site; no entry for one that has not been read yet."""
    reserved: Mapping[str, str] = field(default_factory=dict)
    """The namespaces of the operator and of HostingTargets, each with a clause that says whose it is."""
    teardown_hold: str = ""
    """Why no project is torn down at present; the empty string if projects may be."""

    @property
    def owner(self) -> Owner:
        """The owner in the labels of the project's objects."""
        return Owner(self.installation, self.project.name, self.project.uid)

    def admitted(self) -> dict[Place, Revision | None]:
        """Return the admitted revision of each environment on each cluster; None for one that cannot be read.

        That of a namespace that somebody deleted counts as long as the project declares it.
        """
        revisions = {
            Place(item.environment, key.cluster): item.admitted.revision
            for key, item in self.live.items()
            if key.kind is NAMESPACE and not item.deleting
        }
        for key, gone in self.gone.items():
            if self.declares(gone.environment, gone.revision.target, gone.revision.site):
                revisions.setdefault(Place(gone.environment, key.cluster), gone.revision)
        return dict(sorted(revisions.items()))

    def declares(self, name: str, target: str, site: str) -> bool:
        """Return whether the project wants an environment on a site of a target, as far as its spec can be read."""
        spec = self.project.spec
        if self.project.deleting or spec is None:
            return not self.project.deleting
        declared = next((item for item in spec.environments if item.name == name), None)
        if declared is None or declared.target not in (None, target):
            return False
        return not declared.sites or site in declared.sites

    def cluster_at(self, target: str, site: str) -> str | None:
        """Return the connection to the cluster of a site; None if no target names it, or if it is lost."""
        known = self.sites.get(site_finalizer(target, site))
        return known.cluster if known is not None and known.declared and not known.lost else None

    def site_problem(self, target: str, site: str) -> str:
        """Return why no target names a site, and the remedy; the empty string if one does, or cannot be read."""
        if target in self.target_problems:
            return ""
        if target not in self.targets:
            return f"HostingTarget {target} does not exist: the platform restores it, or declares its sites lost"
        if all(item.name != site for item in self.targets[target].sites):
            return f"HostingTarget {target} has no site {site}: the platform restores it, or declares it lost"
        return ""

    def application(self, key: ObjectKey) -> Application:
        """Return the status of an Application; an empty one if there is no such Application."""
        live = self.live.get(key)
        return live.application if live else Application()

    def used(self, quota: ObjectKey) -> dict[str, str]:
        """Return the used amounts of a ResourceQuota; empty if there is no such quota."""
        live = self.live.get(quota)
        return live.used if live else {}

    def full(self, quota: ObjectKey) -> dict[str, str]:
        """Return the exhausted resources of a ResourceQuota with their limits; empty if there is no such quota."""
        live = self.live.get(quota)
        return live.full if live else {}

    def cluster_problem(self, cluster: str) -> str:
        """Return why a cluster cannot be read; the empty string if it can."""
        state = self.clusters.get(cluster, ClusterState(problem="no connection is configured"))
        return "" if state.known else f"cluster {cluster}: {state.problem}"

    def detach_mark(self, cluster: str) -> str:
        """Return the mark of a namespace that is detached on a cluster now; empty if none is known."""
        state = self.clusters.get(cluster)
        return state.detach_mark if state else ""

    def as_applied(self) -> "Snapshot":
        """Return the same snapshot with ``mode: Apply``, for a preview."""
        spec = self.project.spec
        if spec is None:
            return self
        project = replace(self.project, spec=spec.model_copy(update={"mode": Mode.APPLY}))
        return replace(self, project=project)
