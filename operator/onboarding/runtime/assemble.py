"""Composition root: makes the parts of the operator and connects them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from onboarding.adapters.client import Client
from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.hub import HubProjects
from onboarding.adapters.pool import ClusterPool
from onboarding.adapters.probes.runner import ProbeRunner
from onboarding.adapters.secrets import KubeSecrets
from onboarding.api.delivery import Delivery
from onboarding.api.lifetimes import DecisionLimits
from onboarding.checks.argocd_settings import ArgoSettings
from onboarding.reconcile.observed.figures import platform_figures
from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.orphans import Orphans, find_orphans
from onboarding.reconcile.observed.persona_rules import roles_of
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.reconciler import Reconciler
from onboarding.runtime.active_policy import ActivePolicy
from onboarding.runtime.argocd_settings import ArgoCDSettings
from onboarding.runtime.clusters import Clusters
from onboarding.runtime.events import Events
from onboarding.runtime.gauges import MetricSources
from onboarding.runtime.metrics import Metrics
from onboarding.runtime.notifier import Notifier
from onboarding.runtime.orphans import OrphanReporter
from onboarding.runtime.platform import Platform
from onboarding.runtime.policy_changes import PolicyChanges
from onboarding.runtime.policy_events import PolicyEvents
from onboarding.runtime.queue import WorkQueue
from onboarding.runtime.readiness import Readiness
from onboarding.runtime.session import KopfSession
from onboarding.runtime.site_roles import SiteRoles
from onboarding.runtime.teardown_brake import TeardownBrake
from onboarding.runtime.worker import Worker
from onboarding.settings import Settings


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """Facts that the hub has told before the parts are made."""

    installation: str
    nothing_declared: bool
    """Whether there is no project: then no event will say that all have been listed."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that run, and those that the service asks."""

    installation: str
    queue: WorkQueue
    worker: Worker
    session: KopfSession
    events: Events
    platform: Platform
    clusters: Clusters
    readiness: Readiness
    runner: ProbeRunner
    secrets: KubeSecrets
    argocd: ArgoCDSettings
    orphans: OrphanReporter


class _Shared:
    """Parts that all others report to: the cache of our own kinds, the work queue, and two notifications."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.declared = ProjectCache(settings.namespace)
        self.queue = WorkQueue(workers=settings.workers, waited=metrics.count_wait)
        self.clusters_changed = Notifier()
        """A cluster is in another state, or a first list is complete."""
        self.platform_changed = Notifier()
        """Policies or targets have changed what projects may use."""
        self.settings_changed = Notifier()
        """Settings of an Argo CD are other ones than before."""
        self.pool: ClusterPool | None = None
        """The clusters, once they are made: the platform is made before."""

    def connected(self) -> Iterator[KubeCluster]:
        """Return the clusters that have a connection."""
        return self.pool.connected() if self.pool else iter(())

    def reconcile_all(self) -> None:
        """Ask for a reconcile of every project."""
        for name in self.declared.names():
            self.queue.add(name)

    def on_settings(self, known: Mapping[tuple[str, str], ArgoSettings]) -> None:
        """Take in the settings of Argo CDs."""
        self.declared.offered.argocd = known
        self.settings_changed()

    def on_project_write(self, body: Mapping[str, Any]) -> None:
        """Take in a project as our own write left it."""
        if self.declared.take_answer(body):
            self.queue.add(body["metadata"]["name"])


def assemble(settings: Settings, hub: Client, metrics: Metrics, first: FirstAnswers) -> Parts:
    """Return the parts of an operator that has not been started."""
    shared = _Shared(settings, metrics)
    declared, queue = shared.declared, shared.queue
    session = KopfSession(hub)
    events = Events(
        declared, changed=queue.add, listed=shared.clusters_changed, nothing_declared=first.nothing_declared
    )
    platform = Platform(
        hub,
        declared,
        idle_timeout=settings.idle_timeout,
        changed=shared.platform_changed,
        project_changed=queue.add,
        kopf_watches=session.next_watch,
        policy_changes=PolicyChanges(declared, settings.policy),
        site_roles=SiteRoles(shared.connected, lambda: _roles(declared, settings.policy)),
    )
    ledgers = Ledgers(first.installation, freed=queue.add)
    clusters = Clusters(
        settings,
        hub,
        ledgers,
        declared=declared,
        project_changed=queue.add,
        state_changed=shared.clusters_changed,
        on_write=metrics.count_write,
    )
    shared.pool = clusters.pool
    runner = ProbeRunner(queue.add, asked=metrics.count_probe)
    secrets = _secrets(settings, hub, metrics, shared, clusters)
    observer = Observer(
        declared,
        clusters.pool,
        installation=first.installation,
        policy=settings.policy,
        clock=lambda: datetime.now(UTC),
        answers=runner,
        ledgers=ledgers,
        teardown_hold=TeardownBrake(platform.definitions, declared, settings.teardown_limit).reason,
    )
    projects = HubProjects(hub, shared.on_project_write, settings.policy)
    reconciler = Reconciler(observer, clusters.pool, projects, runner, ledgers, secrets)
    worker = Worker(
        reconciler,
        declared,
        platform,
        clusters,
        metrics,
        clusters_changed=shared.clusters_changed,
        add_later=queue.add_later,
    )
    readiness = Readiness(events, session, platform, clusters, idle_timeout=settings.idle_timeout)
    orphans = _orphan_reporter(first.installation, shared, events, PolicyEvents(projects, declared, settings.policy))
    rest = readiness, runner, secrets, _argocd_settings(shared, settings.policy), orphans
    parts = Parts(first.installation, queue, worker, session, events, platform, clusters, *rest)
    _connect(shared, parts, ActivePolicy(settings, hub, declared, clusters.pool, runner, secrets))
    _expose(metrics, parts, shared, settings.policy)
    return parts


def _secrets(settings: Settings, hub: Client, metrics: Metrics, shared: _Shared, clusters: Clusters) -> KubeSecrets:
    """Return the reader of Secrets of the operator and writer of repository Secrets."""
    changed, on_write = shared.reconcile_all, metrics.count_write
    return KubeSecrets(hub, settings.namespace, clusters.pool, changed=changed, on_write=on_write)


def _argocd_settings(shared: _Shared, policy: str) -> ArgoCDSettings:
    """Return the reader of the settings of Argo CDs."""
    declared = shared.declared
    return ArgoCDSettings(
        shared.connected, lambda: declared.targets, lambda: _delivery(declared, policy), changed=shared.on_settings
    )


def _roles(declared: ProjectCache, policy: str) -> frozenset[str]:
    """Return the ClusterRoles that the policy in force names."""
    spec, _ = declared.policy(policy)
    return frozenset(roles_of(spec)) if spec else frozenset()


def _delivery(declared: ProjectCache, policy: str) -> Delivery:
    """Return the rules for Argo CD of the policy in force."""
    spec, _ = declared.policy(policy)
    return spec.delivery if spec else Delivery()


def _connect(shared: _Shared, parts: Parts, policy: ActivePolicy) -> None:
    """Let the notifications of the parts reach those that act on them."""

    def on_clusters_changed() -> None:
        changed = parts.clusters.refresh()
        parts.readiness.refresh()
        if changed:
            parts.platform.report_clusters(parts.clusters.states)
            parts.argocd.wake()
            shared.reconcile_all()

    def on_platform_changed() -> None:
        policy.refresh()
        parts.argocd.wake()
        on_clusters_changed()
        shared.reconcile_all()

    def on_settings_changed() -> None:
        parts.platform.settings_changed()
        shared.reconcile_all()

    shared.clusters_changed.connect(on_clusters_changed)
    shared.platform_changed.connect(on_platform_changed)
    shared.settings_changed.connect(on_settings_changed)


def _limits(declared: ProjectCache, policy: str) -> DecisionLimits | None:
    """Return the longest life of decisions by the policy in force."""
    spec, _ = declared.policy(policy)
    return spec.decisions if spec else None


def _orphan_reporter(installation: str, shared: _Shared, events: Events, told: PolicyEvents) -> OrphanReporter:
    """Return the task that tells the platform of orphans."""
    return OrphanReporter(lambda: _orphans(installation, shared, events), told.post)


def _orphans(installation: str, shared: _Shared, events: Events) -> Orphans:
    """Return the orphans of each cluster whose caches are complete; none before all projects are listed."""
    if not events.synced:
        return {}
    owners = {cluster.name: cluster.owners for cluster in shared.connected() if cluster.state.known}
    return find_orphans(installation, owners, shared.declared.has)


def _expose(metrics: Metrics, parts: Parts, shared: _Shared, policy: str) -> None:
    declared = shared.declared
    metrics.read_from(
        MetricSources(
            ready=lambda: not parts.readiness.problem(),
            depth=parts.queue.depth,
            oldest=parts.queue.oldest,
            idle=parts.readiness.idle_seconds,
            clusters=lambda: parts.clusters.states,
            applications=parts.worker.applications,
            platform=lambda: platform_figures(
                declared,
                parts.platform.clusters,
                datetime.now(UTC),
                listed=parts.events.synced,
                limits=_limits(declared, policy),
            ),
            orphans=lambda: _orphans(parts.installation, shared, parts.events),
        )
    )
