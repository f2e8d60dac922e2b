"""What the operator tells Prometheus."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from onboarding.reconcile.world import ClusterState

_PREFIX: Final = "onboarding"
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
_UNTIL_DEPLOYED: Final = (5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


class Metrics:
    """Counters and histograms that the runtime feeds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.passes = Counter(
            f"{_PREFIX}_passes", "Passes over a project, by the reason of Ready.", ["outcome"], registry=self.registry
        )
        self.duration = Histogram(
            f"{_PREFIX}_pass_seconds", "Duration of a pass.", ["outcome"], buckets=_SECONDS, registry=self.registry
        )
        self.wait = Histogram(
            f"{_PREFIX}_queue_wait_seconds",
            "Time that a project waited for a worker.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.writes = Counter(
            f"{_PREFIX}_writes", "Writes to clusters.", ["cluster", "kind", "verb"], registry=self.registry
        )
        self.probes = Histogram(
            f"{_PREFIX}_probe_seconds",
            "Duration of a question to the outside world, by its kind and how it ended.",
            ["kind", "outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.first_sync = Histogram(
            f"{_PREFIX}_application_first_sync_seconds",
            "Time from the creation of an Application to the end of its first successful sync.",
            buckets=_UNTIL_DEPLOYED,
            registry=self.registry,
        )
        self.deployments = Counter(
            f"{_PREFIX}_deployments",
            "Deployments that ended, by the stage of their environment and how they ended.",
            ["stage", "phase"],
            registry=self.registry,
        )
        self.states: dict[str, Mapping[str, str]] = {}
        """The state of every environment, by project."""

    def asked(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a question to the outside world."""
        self.probes.labels(kind, outcome).observe(seconds)

    def watch(
        self,
        *,
        ready: Callable[[], bool],
        depth: Callable[[], int],
        oldest: Callable[[], float],
        idle_timeout: Callable[[], Mapping[str, float]],
        clusters: Callable[[], Mapping[str, ClusterState]],
        applications: Callable[[], Mapping[tuple[str, str], int]],
    ) -> None:
        """Add the gauges that are read when Prometheus asks."""
        self.registry.register(_Gauges(self.states, ready, depth, oldest, idle_timeout, clusters, applications))


class _Gauges(Collector):
    def __init__(
        self,
        states: Mapping[str, Mapping[str, str]],
        ready: Callable[[], bool],
        depth: Callable[[], int],
        oldest: Callable[[], float],
        idle_timeout: Callable[[], Mapping[str, float]],
        clusters: Callable[[], Mapping[str, ClusterState]],
        applications: Callable[[], Mapping[tuple[str, str], int]],
    ) -> None:
        self._states = states
        self._ready = ready
        self._depth = depth
        self._oldest = oldest
        self._idle_timeout = silence
        self._clusters = clusters
        self._applications = applications

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the gauges."""
        yield GaugeMetricFamily(f"{_PREFIX}_ready", "Whether /readyz says ok (1) or not (0).", int(self._ready()))
        yield GaugeMetricFamily(f"{_PREFIX}_queue_depth", "Projects that wait for a worker.", self._depth())
        yield GaugeMetricFamily(
            f"{_PREFIX}_oldest_unreconciled_seconds", "Age of the oldest unreconciled change.", self._oldest()
        )
        environments = GaugeMetricFamily(f"{_PREFIX}_environments", "Environments by state.", labels=["state"])
        for state, count in sorted(self._count().items()):
            environments.add_metric([state], count)
        yield environments
        applications = GaugeMetricFamily(
            f"{_PREFIX}_applications", "Applications by what Argo CD says of them.", labels=["sync", "health"]
        )
        for words, count in sorted(self._applications().items()):
            applications.add_metric(words, count)
        yield applications
        ages = GaugeMetricFamily(
            f"{_PREFIX}_watch_age_seconds", "Time since the most silent watch was heard.", labels=["cluster"]
        )
        for cluster, age in sorted(self._idle_timeout().items()):
            ages.add_metric([cluster], age)
        yield ages
        unguarded = GaugeMetricFamily(
            f"{_PREFIX}_guard_missing",
            "Whether a cluster lacks the guard rails (1) or has them (0); none while that is not known.",
            labels=["cluster"],
        )
        told = self._clusters().items()
        seen = {cluster: found for cluster, found in told if found.known and not found.guard_unknown}
        for cluster, found in sorted(seen.items()):
            unguarded.add_metric([cluster], int(not found.guarded))
        yield unguarded

    def _count(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for states in self._states.values():
            for state in states.values():
                counts[state] = counts.get(state, 0) + 1
        return counts
