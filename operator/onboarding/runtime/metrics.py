"""Prometheus metrics, named as Prometheus and controller-runtime name theirs (docs/monitoring.md lists them)."""

from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from onboarding.reconcile.observed.snapshot import ClusterState

_PREFIX: Final = "onboarding"
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
_UNTIL_DEPLOYED: Final = (5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


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


class Metrics:
    """Counters and histograms that the runtime updates, and gauges that read its state."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.states: dict[str, Mapping[str, str]] = {}
        """The state of every environment, by project."""
        self._reconciles = self._counter("reconcile", "Reconciles of a project, by the reason of Ready.", "result")
        self._reconcile_time = self._histogram("reconcile_time_seconds", "Duration of a reconcile.", "result")
        self._queue_duration = self._histogram(
            "workqueue_queue_duration_seconds", "Time that a project waited for a worker."
        )
        self._writes = self._counter("writes", "Writes to clusters.", "cluster", "kind", "verb")
        self._probe_duration = self._histogram(
            "probe_duration_seconds", "Duration of a probe, by its kind and its result.", "kind", "result"
        )
        self._first_sync = self._histogram(
            "application_first_sync_seconds",
            "Time from the creation of an Application to the end of its first successful sync.",
            buckets=_UNTIL_DEPLOYED,
        )
        self._deployments = self._counter(
            "deployments",
            "Deployments that ended, by the stage of their environment and how they ended.",
            "stage",
            "phase",
        )

    def count_reconcile(self, result: str, seconds: float) -> None:
        """Count a reconcile that has ended."""
        self._reconciles.labels(result).inc()
        self._reconcile_time.labels(result).observe(seconds)

    def count_wait(self, seconds: float) -> None:
        """Count a project that a worker has taken out of the work queue."""
        self._queue_duration.observe(seconds)

    def count_write(self, cluster: str, kind: str, verb: str) -> None:
        """Count a write to a cluster."""
        self._writes.labels(cluster, kind, verb).inc()

    def count_probe(self, kind: str, result: str, seconds: float) -> None:
        """Count a probe that has ended."""
        self._probe_duration.labels(kind, result).observe(seconds)

    def count_first_sync(self, seconds: float) -> None:
        """Count the first successful sync of an Application."""
        self._first_sync.observe(seconds)

    def count_deployment(self, stage: str, phase: str) -> None:
        """Count a deployment that has ended."""
        self._deployments.labels(stage, phase).inc()

    def read_from(self, sources: MetricSources) -> None:
        """Add the gauges that are read when Prometheus asks."""
        self.registry.register(_Gauges(self.states, sources))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        # The library adds _total.
        return Counter(f"{_PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)


class _Gauges(Collector):
    def __init__(self, states: Mapping[str, Mapping[str, str]], sources: MetricSources) -> None:
        self._states = states
        self._sources = sources

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the gauges."""
        sources = self._sources
        yield _gauge("ready", "Whether /readyz says ok (1) or not (0).", int(sources.ready()))
        yield _gauge("workqueue_depth", "Projects that wait for a worker.", sources.depth())
        yield _gauge(
            "workqueue_oldest_unfinished_seconds",
            "Age of the oldest change that no finished reconcile has answered.",
            sources.oldest(),
        )
        states = Count(state for environments in self._states.values() for state in environments.values())
        yield _gauges(
            "environments", "Environments by state.", ("state",), (((state,), n) for state, n in states.items())
        )
        yield _gauges(
            "applications",
            "Applications by what Argo CD says of them.",
            ("sync_status", "health_status"),
            sources.applications().items(),
        )
        yield _gauges(
            "watch_idle_seconds",
            "Time since the last byte of the most silent watch.",
            ("cluster",),
            (((cluster,), seconds) for cluster, seconds in sources.idle().items()),
        )
        yield _gauges(
            "guard_missing",
            "Whether a cluster lacks the guard rails (1) or has them (0); none while that is not known.",
            ("cluster",),
            (
                ((name,), int(not cluster.guarded))
                for name, cluster in sources.clusters().items()
                if cluster.known and not cluster.guard_unknown
            ),
        )


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", text, value)


def _gauges(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=labels)
    for words, value in sorted(values):
        family.add_metric(words, value)
    return family
