"""Gauges: values that are read from the state of the operator when Prometheus asks for them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from onboarding.reconcile.observed.figures import PlatformFigures
from onboarding.reconcile.observed.orphans import Orphans
from onboarding.reconcile.observed.snapshot import ClusterState

PREFIX: Final = "onboarding"
"""First word of every name."""


@dataclass(frozen=True, slots=True)
class MetricSources:
    """Functions that return the values of gauges when Prometheus asks for them."""

    ready: Callable[[], bool]
    depth: Callable[[], int]
    """Keys that wait in the work queue."""
    oldest: Callable[[], float]
    """Age in seconds of the oldest request in the work queue."""
    idle: Callable[[], Mapping[str, float]]
    """Seconds without a byte on the most silent watch, by cluster."""
    clusters: Callable[[], Mapping[str, ClusterState]]
    applications: Callable[[], Mapping[tuple[str, str], int]]
    """Number of Applications by sync status and health status."""
    platform: Callable[[], PlatformFigures]
    orphans: Callable[[], Orphans]
    """Objects whose project does not exist."""


class Gauges(Collector):
    """Gauges of the runtime, the clusters, the projects and the platform."""

    def __init__(
        self, states: Mapping[str, Mapping[str, str]], reasons: Mapping[str, str], sources: MetricSources
    ) -> None:
        """Read the states of environments and the reasons of Ready, both by project."""
        self._states = states
        self._reasons = reasons
        self._sources = sources

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the gauges."""
        yield from self._of_runtime()
        yield from self._of_projects()
        yield from self._of_clusters()
        yield from _of_platform(self._sources.platform())

    def _of_runtime(self) -> Iterator[GaugeMetricFamily]:
        sources = self._sources
        yield _gauge("ready", "Whether /readyz says ok (1) or not (0).", int(sources.ready()))
        yield _gauge("workqueue_depth", "Projects that wait for a worker.", sources.depth())
        yield _gauge(
            "workqueue_oldest_unfinished_seconds",
            "Age of the oldest change that no finished reconcile has answered.",
            sources.oldest(),
        )

    def _of_projects(self) -> Iterator[GaugeMetricFamily]:
        states = Counter(state for environments in self._states.values() for state in environments.values())
        yield _counts("environments", "Environments by state.", "state", states)
        reasons = Counter(self._reasons.values())
        yield _counts("projects", "Projects by the reason of Ready at their last reconcile.", "reason", reasons)
        yield _gauges(
            "applications",
            "Applications by what Argo CD says of them.",
            ("sync_status", "health_status"),
            self._sources.applications().items(),
        )

    def _of_clusters(self) -> Iterator[GaugeMetricFamily]:
        yield _gauges(
            "watch_idle_seconds",
            "Time since the last byte of the most silent watch.",
            ("cluster",),
            (((cluster,), seconds) for cluster, seconds in self._sources.idle().items()),
        )
        yield _gauges(
            "guard_missing",
            "Whether a cluster lacks the guard rails (1) or has them (0); none while that is not known.",
            ("cluster",),
            (
                ((name,), int(not cluster.guarded))
                for name, cluster in self._sources.clusters().items()
                if cluster.known and not cluster.guard_unknown
            ),
        )
        yield _counts(
            "orphaned_objects",
            "Objects of projects that do not exist; none while the caches of a cluster are not complete.",
            "cluster",
            {cluster: sum(counts.values()) for cluster, counts in self._sources.orphans().items()},
        )


def _of_platform(figures: PlatformFigures) -> Iterator[GaugeMetricFamily]:
    yield _counts("policies", "OnboardingPolicies by the reason of Ready.", "reason", figures.policies)
    yield _counts("targets", "HostingTargets by the reason of Ready.", "reason", figures.targets)
    yield _gauges(
        "sites",
        "Sites of usable targets, each with its present state.",
        ("target", "site", "state"),
        (((*place, state), 1) for place, state in figures.sites.items()),
    )
    expiring = {str(days): count for days, count in figures.expiring.items()}
    yield _counts("expiring_decisions", "Decisions that expire within so many days.", "days", expiring)
    yield _gauge("orphaned_decisions", "Decisions about projects that do not exist.", figures.orphans)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value)


def _counts(name: str, text: str, label: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    return _gauges(name, text, (label,), (((word,), count) for word, count in counts.items()))


def _gauges(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
    for words, value in sorted(values):
        family.add_metric(words, value)
    return family
