"""Every metric that the operator exports, as Prometheus sees it."""

from typing import NamedTuple

from prometheus_client.core import Metric

from onboarding.reconcile.observed.figures import PlatformFigures
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.runtime.gauges import MetricSources
from onboarding.runtime.metrics import Metrics


class Exported(NamedTuple):
    """One metric."""

    name: str
    """Without the suffix that samples of its type get."""
    type: str
    help: str
    labels: tuple[str, ...]

    @property
    def sample(self) -> str:
        """The name that queries use: of a histogram the common part."""
        return self.name + {"counter": "_total", "info": "_info"}.get(self.type, "")


def exported_metrics() -> list[Exported]:
    """Return the operator's own metrics after something of each kind has been counted."""
    metrics = Metrics()
    metrics.count_reconcile("Ready", 0.1)
    metrics.count_wait(0.1)
    metrics.count_write("hub", "Namespace", "create")
    metrics.count_probe("Dns", "answered", 0.1)
    metrics.count_first_sync(1)
    metrics.count_deployment("dev", "Succeeded")
    metrics.count_repair("NetworkPolicy")
    metrics.states["shop"] = {"dev": "Ready"}
    metrics.reasons["shop"] = "Ready"
    metrics.read_from(
        MetricSources(
            ready=lambda: True,
            depth=lambda: 0,
            oldest=lambda: 0,
            idle=lambda: {"hub": 1},
            clusters=lambda: {"hub": ClusterState()},
            applications=lambda: {("Synced", "Healthy"): 1},
            platform=lambda: PlatformFigures({"Accepted": 1}, {"Accepted": 1}, {("main", "a"): "Ready"}, {7: 0}, 0),
            orphans=lambda: {"hub": {}},
        )
    )
    return [_exported(family) for family in metrics.registry.collect() if not family.name.startswith("process_")]


def _exported(family: Metric) -> Exported:
    assert family.samples, f"{family.name} has no sample: count one in exported_metrics"
    labels = [label for label in family.samples[0].labels if label != "le"]
    return Exported(family.name, family.type, family.documentation, tuple(labels))
