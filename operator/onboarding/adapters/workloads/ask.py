"""What runs in the namespace of an environment, and what scales, protects, watches, certifies and saves it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, Protocol, TypeVar, runtime_checkable

from onboarding.adapters.client import Client
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.adapters.workloads.listing import Bounds, list_some
from onboarding.adapters.workloads.reading import (
    Scaling,
    backs_up,
    certificate_facts,
    read_name,
    read_scaling,
    read_selector,
    read_workload,
)
from onboarding.adapters.workloads.selector import selects
from onboarding.build.kinds import ChildKind, Manifest
from onboarding.checks.probe import Workload, WorkloadsFacts, WorkloadsRequest

CRON_JOB: Final = ChildKind("batch", "v1", "CronJob", "cronjobs")
DAEMON_SET: Final = ChildKind("apps", "v1", "DaemonSet", "daemonsets")
DEPLOYMENT: Final = ChildKind("apps", "v1", "Deployment", "deployments")
STATEFUL_SET: Final = ChildKind("apps", "v1", "StatefulSet", "statefulsets")
AUTOSCALER: Final = ChildKind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
DISRUPTION_BUDGET: Final = ChildKind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
SERVICE_MONITOR: Final = ChildKind("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors")
POD_MONITOR: Final = ChildKind("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors")
CERTIFICATE: Final = ChildKind("cert-manager.io", "v1", "Certificate", "certificates")
SCHEDULE: Final = ChildKind("velero.io", "v1", "Schedule", "schedules")

WORKLOAD_KINDS: Final = (CRON_JOB, DAEMON_SET, DEPLOYMENT, STATEFUL_SET)
COMPANION_KINDS: Final = (AUTOSCALER, DISRUPTION_BUDGET, SERVICE_MONITOR, POD_MONITOR, CERTIFICATE, SCHEDULE)

_VELERO = "velero"
"""The namespace that Velero reads its Schedules from, unless it is installed otherwise."""
_OF_TENANT = Bounds(page=5, most=200)
"""An object that a tenant made may have 1.5 MiB, and many times that as Python objects."""
_OF_PLATFORM = Bounds(page=100, most=2000)
_NAMED = 20

KeptT = TypeVar("KeptT")


@runtime_checkable
class Connected(Protocol):
    """A cluster that there is a connection to."""

    client: Client


async def ask_workloads(clusters: Mapping[str, object], request: WorkloadsRequest) -> WorkloadsFacts:
    """Return what runs in a namespace; ProbeProblem where the cluster does not say.

    Everything is listed in that namespace alone, except for the Schedules of Velero: those are looked for in the
    namespace ``velero``, where a project has no access.
    """
    cluster = clusters.get(request.cluster)
    if not isinstance(cluster, Connected):
        raise ProbeProblem("the operator is not connected to the cluster")
    look = _Look(cluster.client, request.namespace)
    workloads, omitted = await look.workloads()
    scalings = await look.companions(AUTOSCALER, read_scaling)
    budgets = await look.companions(DISRUPTION_BUDGET, partial(_protected, workloads))
    service_monitors = await look.companions(SERVICE_MONITOR, read_name)
    pod_monitors = await look.companions(POD_MONITOR, read_name)
    certificates = await look.companions(CERTIFICATE, certificate_facts)
    schedules = await look.schedules()
    monitors = [f"ServiceMonitor/{name}" for name in service_monitors] + [f"PodMonitor/{name}" for name in pod_monitors]
    return WorkloadsFacts(
        workloads=tuple(_scaled(workload, scalings) for workload in workloads),
        omitted=omitted,
        not_served=tuple(sorted(look.not_served)),
        protected=tuple(sorted(set().union(*budgets))),
        monitors=tuple(sorted(monitors)[:_NAMED]),
        certificates=dict(certificates),
        schedules=tuple(sorted(schedules)[:_NAMED]),
    )


class _Look:
    """One look at a namespace."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self.not_served: list[str] = []

    async def workloads(self) -> tuple[list[Workload], int]:
        """Return the workloads sorted by kind and name, and how many more there are or are too large."""
        kept: list[Workload | None] = []
        omitted = 0
        for kind in WORKLOAD_KINDS:
            bounds = replace(_OF_TENANT, most=_OF_TENANT.most - len(kept))
            listed = await list_some(self._client, kind, self._namespace, partial(read_workload, kind.kind), bounds)
            if listed is None:
                raise ProbeProblem(f"the cluster does not serve {kind.plural}.{kind.group}")
            kept += listed.kept
            omitted += listed.beyond
        whole = [workload for workload in kept if workload is not None]
        return whole, omitted + len(kept) - len(whole)

    async def companions(self, kind: ChildKind, keep: Callable[[Manifest], KeptT]) -> list[KeptT]:
        """Return what ``keep`` makes of each object of a kind in the namespace; of a kind that is not served none."""
        return await self._all(kind, self._namespace, keep, _OF_TENANT)

    async def schedules(self) -> list[str]:
        """Return the names of Velero's Schedules that include the namespace."""
        there = await self._all(
            SCHEDULE, _VELERO, lambda item: read_name(item) if backs_up(item, self._namespace) else "", _OF_PLATFORM
        )
        return [name for name in there if name]

    async def _all(
        self, kind: ChildKind, namespace: str, keep: Callable[[Manifest], KeptT], bounds: Bounds
    ) -> list[KeptT]:
        listed = await list_some(self._client, kind, namespace, keep, bounds)
        if listed is None:
            self.not_served.append(kind.kind)
            return []
        if listed.beyond:
            raise ProbeProblem(
                f"namespace {namespace} holds more than {bounds.most} {kind.plural}: too many to look at"
            )
        return listed.kept


def _place(workload: Workload) -> str:
    return f"{workload.kind}/{workload.name}"


def _protected(workloads: list[Workload], item: Manifest) -> set[str]:
    """Return the workloads whose pods a PodDisruptionBudget selects."""
    selector = read_selector(item)
    return {_place(workload) for workload in workloads if selects(selector, workload.labels)}


def _scaled(workload: Workload, scalings: list[Scaling]) -> Workload:
    """Return a workload with the replicas that are kept in any case; one that is scaled to none stays there."""
    least = min((item.least for item in scalings if item.target == _place(workload)), default=workload.replicas)
    return replace(workload, replicas=least) if workload.replicas else workload
