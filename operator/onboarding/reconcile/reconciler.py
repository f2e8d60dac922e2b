"""Reconcile one project: snapshot, plan, diff, apply, status."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from onboarding import names
from onboarding.api.common import Mode
from onboarding.build.place import Place
from onboarding.errors import ApiError, StatusError
from onboarding.reconcile.admission.resolve import Taken
from onboarding.reconcile.apply.blockers import blockers
from onboarding.reconcile.apply.changes import DiffCache, find_changes
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.apply.execute import execute
from onboarding.reconcile.apply.finalizers import final_finalizers, left_behind, wanted_finalizers
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.preview import Preview, preview_changes
from onboarding.reconcile.apply.repairs import InPlace
from onboarding.reconcile.apply.repeated import ProjectWrites, RepeatedWrites
from onboarding.reconcile.apply.repository_secrets import RepositorySecretWriter, record_applied
from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.observer import Observer, named_after, owned_by
from onboarding.reconcile.observed.ports import Cluster, Prober, Projects, Secrets
from onboarding.reconcile.observed.project_sites import hidden_from_teardown
from onboarding.reconcile.observed.snapshot import Project, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.applications import workload_requests
from onboarding.reconcile.status.events import TORN_DOWN, events_of, loss_events
from onboarding.reconcile.status.overdue import OverdueApplications
from onboarding.reconcile.status.policy_outcome import PolicyOutcome, policy_outcome
from onboarding.reconcile.status.ready import ReadyState, ready_state
from onboarding.reconcile.status.refusals import Refusals, refuses_status
from onboarding.reconcile.status.repairs import RepairEvents
from onboarding.reconcile.status.status import report
from onboarding.reconcile.status.taken_domains import TakenDomains, taken_events

_ATTEMPTS = 2
_FOR_A_PERSON = frozenset({Result.CONFLICT, Result.FORMER, Result.ARGOCD_MISSING})
_SOON_CONFIRMED = timedelta(seconds=10)
"""Time for a quota to come into force before the status reports it: an earlier report would cost a write for every
quota, and be out of date before anybody reads it."""


class Retry(Enum):
    """Retry of a reconcile without an event."""

    NO = auto()
    SOON = auto()
    """Reconcile again after the shortest pause, because there is a next step; resets the back-off."""
    LATER = auto()
    """A change failed: reconcile again after the back-off."""
    FOR_A_PERSON = auto()
    """A change waits for a person, and no event tells when it may succeed: reconcile again after the back-off."""


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """The result of a reconcile."""

    ready: ReadyState | None = None
    """None if the project does not exist any more."""
    states: Mapping[str, str] = field(default_factory=dict)
    """The state of every environment, for the metrics."""
    changes: tuple[str, ...] = ()
    """The attempted changes, as text for the log."""
    retry: Retry = Retry.NO
    again_at: datetime | None = None
    """Time of the next reconcile without an event: a decision expires, a quota should be in force by then, or a write
    that does not last is due."""
    repaired: tuple[str, ...] = ()
    """The kinds of the objects that were repaired, one for each write."""
    taken: tuple[Taken, ...] = ()
    """The domains that the project lacks because another one has them, unless they were told before."""
    policy_outcome: PolicyOutcome | None = None
    """The outcome under the version of the policy; None if it is not known yet."""


class Reconciler:
    """Reconciles one project at a time."""

    def __init__(
        self,
        observer: Observer,
        clusters: Mapping[str, Cluster],
        projects: Projects,
        prober: Prober,
        ledgers: Ledgers,
        secrets: Secrets,
    ) -> None:
        self._observer = observer
        self._clusters = clusters
        self._projects = projects
        self._prober = prober
        self._ledgers = ledgers
        self._secrets = secrets
        self._secret_writer = RepositorySecretWriter(secrets)
        self._diffs = DiffCache()
        self._refusals = Refusals()
        self._writes = RepeatedWrites()
        self._repair_events = RepairEvents()
        self._overdue = OverdueApplications()
        self._taken = TakenDomains()
        self._unconfirmed: dict[str, datetime] = {}
        """Start times of projects that wait for a quota and nothing else."""

    async def reconcile(self, name: str) -> ReconcileResult:
        """Reconcile a project; if a cache was stale, retry once before the status reports it."""
        for _ in range(_ATTEMPTS):
            done = await self._reconcile_once(name, patient=True)
            if done is not None:
                return done
        return await self._reconcile_once(name, patient=False) or ReconcileResult(retry=Retry.LATER)

    async def _reconcile_once(self, name: str, *, patient: bool) -> ReconcileResult | None:
        """Reconcile a project from one snapshot; None, without a status, if a cache was stale and it is ``patient``."""
        snapshot = self._observer.observe(name)
        if snapshot is None or (snapshot.project.deleting and names.FINALIZER not in snapshot.project.finalizers):
            self._forget(name)
            return ReconcileResult()
        plan = make_plan(snapshot)
        self._forget_gone(name, plan.places)
        self._prober.follow(name, plan.requests | workload_requests(snapshot, plan.building), urgent=plan.urgent)
        # Reserved before the first await, so that no other project is admitted to the same capacity or domain.
        taken = {item.domain: item.holder for item in plan.taken}
        self._ledgers.reserve(name, plan.building, plan.full, taken)
        return await self._apply(snapshot, plan, patient=patient)

    def _forget(self, name: str) -> None:
        """Drop all state of a deleted project."""
        self._forget_gone(name, ())
        self._prober.forget(name)
        self._ledgers.reserve(name, (), (), {})
        self._taken.forget(name)
        self._diffs.forget(name)
        self._refusals.end(name)
        self._writes.forget(name)
        self._repair_events.forget(name)
        self._overdue.forget(name)
        self._unconfirmed.pop(name, None)
        self._unfollow(name)

    def _forget_gone(self, name: str, kept: Collection[Place]) -> None:
        """Forget the deleted namespaces that are not to be rebuilt: the project has removed their environments."""
        for cluster in self._clusters.values():
            if gone := cluster.gone(name):
                unwanted = (key for key, item in gone.items() if Place(item.environment, key.cluster) not in kept)
                cluster.forget_gone(name, unwanted)

    def _unfollow(self, name: str) -> None:
        for cluster in self._clusters.values():
            cluster.unfollow(name)

    async def _apply(self, snapshot: Snapshot, plan: ReconcilePlan, *, patient: bool) -> ReconcileResult | None:
        settled = self._diffs.settled(snapshot.project.name, plan.suspended)
        changes = find_changes(snapshot, plan, self._secrets.source, self._diffs)
        if await self._teardown_is_over(snapshot, plan, changes):
            return ReconcileResult()
        self._unfollow(snapshot.project.name)
        await self._hold_on_to(snapshot, plan, changes)
        in_place = InPlace.of(snapshot, plan, settled=settled) if changes else None
        writes = self._writes.of(snapshot.project.name, in_place, snapshot.now)
        outcomes = await self._execute(snapshot, changes, writes)
        outcomes += await self._execute(snapshot, record_applied(snapshot.owner, outcomes, self._clusters), writes)
        if not any(outcome.result in (Result.UNREACHABLE, Result.FAILED, Result.DRIFTED) for outcome in outcomes):
            # A write without a good answer may have succeeded: its capacity stays reserved until a later one is good.
            self._ledgers.unreserve(snapshot.project.name)
        if patient and any(outcome.result is Result.STALE for outcome in outcomes):
            return None
        if outcomes:
            live = owned_by(snapshot.owner, named_after(snapshot.project.name, self._clusters))
            snapshot = replace(snapshot, live=live)
        done = await self._report(snapshot, plan, outcomes, writes)
        events = self._repair_events.take(snapshot.project.name, writes.repairs, snapshot.now)
        await self._projects.post_events(snapshot.project, events)
        taken = self._taken.take(snapshot.project.name, plan.taken)
        if taken and snapshot.policy_version:
            await self._projects.post_policy_events(
                snapshot.policy_version.uid, taken_events(snapshot.project.name, taken)
            )
        return replace(done, repaired=tuple(change.key.kind.kind for change in writes.repairs), taken=taken)

    async def _execute(self, snapshot: Snapshot, changes: Sequence[Change], writes: ProjectWrites) -> list[Outcome]:
        deliver = self._secret_writer.deliver
        return await execute(snapshot.owner, changes, self._clusters, snapshot.clusters, deliver, writes)

    async def _report(
        self, snapshot: Snapshot, plan: ReconcilePlan, outcomes: Sequence[Outcome], writes: ProjectWrites
    ) -> ReconcileResult:
        overdue = self._overdue.look(snapshot, plan.building)
        snapshot = replace(snapshot, overdue=overdue.keys) if overdue.keys else snapshot
        reported = [*outcomes, *writes.contested(outcomes)]
        ready = ready_state(snapshot, plan, reported, await blockers(snapshot.live, self._clusters))
        status, states = report(snapshot, plan, reported, ready, await self._preview(snapshot))
        soon = self._soon_confirmed(snapshot, outcomes)
        if soon is None and status != snapshot.project.status:
            await self._write_status(snapshot.project, status)
            await self._projects.post_events(snapshot.project, events_of(snapshot.project.status, status))
        done = tuple(str(outcome.change) for outcome in outcomes)
        moments = (plan.again_at, soon, writes.again_at, overdue.again_at)
        again_at = min((moment for moment in moments if moment), default=None)
        judged = policy_outcome(snapshot, plan)
        return ReconcileResult(ready, states, done, _retry(plan, outcomes), again_at, policy_outcome=judged)

    async def _preview(self, snapshot: Snapshot) -> Preview | None:
        """Return what ``mode: Apply`` would do; None unless the mode is Plan."""
        if snapshot.project.spec is None or snapshot.project.spec.mode is not Mode.PLAN:
            return None
        plan = make_plan(snapshot.as_applied())
        changes = find_changes(snapshot, plan, self._secrets.source, to_the_end=True)
        return await preview_changes(snapshot.owner, plan, changes, self._clusters)

    def _soon_confirmed(self, snapshot: Snapshot, outcomes: Sequence[Outcome]) -> datetime | None:
        """Return the time by which quotas should be in force; None if they are late, or other outcomes are pending."""
        results = {outcome.result for outcome in outcomes} - {Result.DONE, Result.SKIPPED}
        if results != {Result.UNCONFIRMED}:
            self._unconfirmed.pop(snapshot.project.name, None)
            return None
        until = self._unconfirmed.setdefault(snapshot.project.name, snapshot.now) + _SOON_CONFIRMED
        return until if snapshot.now < until else None

    async def _write_status(self, project: Project, status: dict[str, Any]) -> None:
        """Write a status; StatusError and an Event if the API server refuses it."""
        try:
            await self._projects.write_status(project.name, status)
        except ApiError as error:
            if not refuses_status(error):
                raise
            await self._projects.post_events(project, self._refusals.take(project.name, error))
            raise StatusError(f"the status cannot be written: {error}") from error
        self._refusals.end(project.name)

    async def _hold_on_to(self, snapshot: Snapshot, plan: ReconcilePlan, changes: Sequence[Change]) -> None:
        """Set our finalizers before the first write, so that no object is left behind; drop those of empty sites."""
        wanted = wanted_finalizers(snapshot, plan, changes)
        if wanted != snapshot.project.finalizers:
            await self._write_finalizers(snapshot, wanted)

    async def _teardown_is_over(self, snapshot: Snapshot, plan: ReconcilePlan, changes: Sequence[Change]) -> bool:
        if not snapshot.project.deleting or changes or snapshot.live or plan.hold or plan.awaiting:
            return False
        if hidden_from_teardown(snapshot):
            return False
        await self._write_finalizers(snapshot, final_finalizers(snapshot))
        await self._projects.post_events(snapshot.project, [TORN_DOWN])
        return True

    async def _write_finalizers(self, snapshot: Snapshot, finalizers: tuple[str, ...]) -> None:
        """Write the finalizers; an Event tells what is left on a lost site."""
        dropped = [item for item in snapshot.project.finalizers if item not in finalizers]
        await self._projects.post_events(snapshot.project, loss_events(left_behind(snapshot, dropped)))
        await self._projects.write_finalizers(snapshot.project, finalizers)


def _retry(plan: ReconcilePlan, outcomes: Sequence[Outcome]) -> Retry:
    untold = {outcome.result for outcome in outcomes if not outcome.told} - {Result.DONE, Result.SKIPPED}
    if untold:
        return Retry.FOR_A_PERSON if untold <= _FOR_A_PERSON else Retry.LATER
    done = [outcome.change.action for outcome in outcomes if outcome.result is Result.DONE]
    # No event follows: our own deletions, detachments, reclaims and creates are in the cache already.
    went = any(action in (Action.DELETE, Action.DETACH, Action.RECLAIM) for action in done)
    return Retry.SOON if went or (done and (plan.arriving or plan.marking)) else Retry.NO
