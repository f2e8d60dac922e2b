"""Prometheus metrics, named as Prometheus and controller-runtime name theirs (docs/monitoring.md lists them)."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from onboarding.runtime.gauges import PREFIX, Gauges, MetricSources

_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
_UNTIL_DEPLOYED: Final = (5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


class Metrics:
    """Counters and histograms that the runtime updates, and gauges that read its state."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.states: dict[str, Mapping[str, str]] = {}
        """The state of every environment, by project."""
        self.reasons: dict[str, str] = {}
        """The reason of Ready at the last reconcile, by project."""
        self._reconciles = self._counter("reconcile", "Reconciles of a project, by the reason of Ready.", "result")
        self._reconcile_time = self._histogram("reconcile_time_seconds", "Duration of a reconcile.", "result")
        self._queue_duration = self._histogram(
            "workqueue_queue_duration_seconds", "Time that a project waited for a worker."
        )
        self._writes = self._counter("writes", "Writes to clusters.", "cluster", "kind", "verb")
        self._repairs = self._counter("repairs", "Writes that repaired drift, by the kind of the object.", "kind")
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
        build = Info(f"{PREFIX}_build", "Versions of the operator and of Python.", registry=self.registry)
        build.info({"version": version("project-onboarding-operator"), "python": platform.python_version()})

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

    def count_repair(self, kind: str) -> None:
        """Count a write that repaired an object of a kind."""
        self._repairs.labels(kind).inc()

    def forget(self, project: str) -> None:
        """Drop a project that is gone."""
        self.states.pop(project, None)
        self.reasons.pop(project, None)

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
        self.registry.register(Gauges(self.states, self.reasons, sources))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        # The library adds _total.
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)
