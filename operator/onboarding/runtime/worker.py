"""Worker: reconciles the projects that the work queue hands out, and counts how that ends."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from onboarding.adapters.cluster import KubeCluster
from onboarding.build.kinds import HUB
from onboarding.errors import ApiError, OnboardingError
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.reconciler import Reconciler, ReconcileResult, Retry
from onboarding.repeats import Repeats
from onboarding.runtime.clusters import Clusters
from onboarding.runtime.deployments import Deployments
from onboarding.runtime.metrics import Metrics
from onboarding.runtime.platform import Platform
from onboarding.runtime.queue import Requeue

_REQUEUE: Final = {
    Retry.NO: Requeue.NO,
    Retry.SOON: Requeue.SOON,
    Retry.LATER: Requeue.BACK_OFF,
    Retry.FOR_A_PERSON: Requeue.FOR_A_PERSON,
}

_NAMED: Final = 5
"""Decisions that a log line names at most."""

log = structlog.get_logger(__name__)


class Worker:
    """Reconciles one project at a time; its failure never stops another's."""

    def __init__(
        self,
        reconciler: Reconciler,
        declared: ProjectCache,
        platform: Platform,
        clusters: Clusters,
        metrics: Metrics,
        *,
        clusters_changed: Callable[[], None],
        add_later: Callable[[str, float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call ``clusters_changed`` if the hub is found in another state; ``add_later`` asks for a later reconcile."""
        self._reconciler = reconciler
        self._declared = declared
        self._definitions = platform.definitions
        self._clusters = clusters
        self._metrics = metrics
        self._policy_changes = platform.policy_changes
        self._clusters_changed = clusters_changed
        self._add_later = add_later
        self._repeats = Repeats(clock)
        self._deployments = Deployments(metrics)
        self.applications = self._deployments.states
        """Returns the number of Applications by sync status and health status."""

    async def reconcile(self, project: str) -> Requeue:
        """Reconcile a project; return whether it has to be reconciled again."""
        await self._look_at_hub(self._clusters.hub)
        started = time.monotonic()
        result, requeue = await self._attempt(project)
        self._metrics.count_reconcile(result, time.monotonic() - started)
        if self._clusters.outdated:
            self._clusters_changed()
        return requeue

    async def _look_at_hub(self, hub: KubeCluster) -> None:
        await hub.guards_answered()
        if hub.state != self._clusters.states.get(HUB):
            # A later change is compared with the state that this reconcile sees, or it would be no news.
            self._clusters_changed()

    async def _attempt(self, project: str) -> tuple[str, Requeue]:
        """Return the result to count, and whether to requeue."""
        try:
            if await self._definitions.confirm():
                return "OldDefinitions", Requeue.NO
            done = await self._reconciler.reconcile(project)
        except OnboardingError as error:
            if isinstance(error, ApiError) and error.status == 404:
                # Refusals of children are reported in the status: the project itself is missing, unseen by Kopf.
                self._declared.drop_project(project)
            if self._repeats.due(project, str(error)):
                log.warning("reconcile failed", project=project, error=str(error))
            return error.outcome, Requeue.BACK_OFF
        except Exception:
            log.exception("reconcile panicked", project=project)
            return "Panic", Requeue.BACK_OFF
        self._repeats.end(project)
        return self._finish(project, done), _REQUEUE[done.retry]

    def _finish(self, project: str, done: ReconcileResult) -> str:
        """Keep what a reconcile has found for the metrics; return its result."""
        if done.ready is None:
            self._metrics.forget(project)
            self._deployments.forget(project)
            self._policy_changes.forget(project)
            if orphans := list(self._declared.orphans(project)):
                log.info("decisions outlive project", project=project, decision=orphans[:_NAMED])
            return "Gone"
        self._policy_changes.take(project, done.policy_outcome)
        self._metrics.states[project] = done.states
        self._metrics.reasons[project] = done.ready.reason.value
        for kind in done.repaired:
            self._metrics.count_repair(kind)
        self._deployments.look(self._declared.project(project), self._clusters.pool.connected())
        for item in done.taken:
            log.info(
                "domain taken", project=project, environment=item.environment, domain=item.domain, holder=item.holder
            )
        if done.again_at:
            self._add_later(project, max(0.0, (done.again_at - datetime.now(UTC)).total_seconds()))
        reason = done.ready.reason.value
        say = log.info if done.changes else log.debug
        say("reconciled", project=project, reason=reason, changes=len(done.changes), first=done.changes[:3])
        return reason
