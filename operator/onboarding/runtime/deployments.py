"""Deployments by Argo CD, counted for Prometheus: each once, when it ends."""

from collections.abc import Iterable, Mapping

from onboarding.build.kinds import APPLICATION, ObjectKey
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.ports import Cluster
from onboarding.reconcile.observed.snapshot import Project
from onboarding.runtime.metrics import Metrics

_BAD_ENDS = ("Failed", "Error")


class Deployments:
    """Compares each Application with its state at the last reconcile.

    An Application that is seen for the first time is not compared: a restart counts no deployment twice, and misses
    those that ended while the operator was down.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seen: dict[str, dict[ObjectKey, CachedObject]] = {}

    def look(self, project: Project | None, clusters: Iterable[Cluster]) -> None:
        """Count the deployments of a project that have ended since the last call."""
        if project is None or project.spec is None:
            return
        before = self._seen.get(project.name, {})
        stages = {environment.name: environment.stage for environment in project.spec.environments}
        owned = (item for cluster in clusters for item in cluster.owned(project.name).items())
        now = {key: item for key, item in owned if key.kind is APPLICATION}
        for key, item in now.items():
            former = before.get(key)
            if former is not None and former.uid == item.uid and former.told != item.told:
                self._count(former, item, stages.get(item.environment, ""))
        self._seen[project.name] = now

    def forget(self, project: str) -> None:
        """Drop a project that is gone."""
        self._seen.pop(project, None)

    def states(self) -> Mapping[tuple[str, str], int]:
        """Return the number of Applications by sync status and health status; Unknown if Argo CD reports none."""
        counts: dict[tuple[str, str], int] = {}
        for applications in self._seen.values():
            for item in applications.values():
                told = item.application
                state = told.sync or "Unknown", told.health or "Unknown"
                counts[state] = counts.get(state, 0) + 1
        return counts

    def _count(self, former: CachedObject, item: CachedObject, stage: str) -> None:
        before, now = former.application, item.application
        if now.deployed_at and now.deployed_at != before.deployed_at:
            self._metrics.count_deployment(stage, "Succeeded")
            if not before.deployed_at and now.first_sync is not None:
                self._metrics.count_first_sync(now.first_sync)
        if now.phase in _BAD_ENDS and now.phase != before.phase:
            self._metrics.count_deployment(stage, now.phase)
