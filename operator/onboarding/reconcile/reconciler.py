"""The pass: observe, judge, build, compare, apply, report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from onboarding import names
from onboarding.api.common import Mode
from onboarding.api.status import EnvironmentState
from onboarding.build.credentials import Sources
from onboarding.errors import ApiError, StatusError
from onboarding.reconcile.apply.blockers import blockers
from onboarding.reconcile.apply.compare import Action, Change
from onboarding.reconcile.apply.converge import converge
from onboarding.reconcile.apply.credentials import Courier, add_logins, settle_notes
from onboarding.reconcile.apply.mending import mend_all
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.removal import removals
from onboarding.reconcile.judge import Judgement, judge
from onboarding.reconcile.ledger import Ledger, claims_of
from onboarding.reconcile.memory import Memory
from onboarding.reconcile.observe import Observer
from onboarding.reconcile.ports import Cluster, Outside, Projects, Secrets
from onboarding.reconcile.report.news import news
from onboarding.reconcile.report.refusals import Refusals, refuses_status
from onboarding.reconcile.report.rollup import unexplained
from onboarding.reconcile.report.status import report
from onboarding.reconcile.report.verdict import Verdict, give_verdict
from onboarding.reconcile.world import Project, World

_LOOKS = 2
_SOON_CONFIRMED = timedelta(seconds=10)
"""How long a quota may take to come into force before the status tells of it: to say so at once would cost a write for
every quota, and be over before anybody reads it."""


class Retry(Enum):
    """Whether the same work has to be taken up again without an event that asks for it."""

    NO = auto()
    SOON = auto()
    """All that could be done was done, and there is a next step: what failed before counts no more."""
    LATER = auto()
    """Something failed: each time in a row it waits longer."""


@dataclass(frozen=True, slots=True)
class Pass:
    """How a pass ended."""

    verdict: Verdict | None = None
    """None where there was nothing to say: the project is gone."""
    states: Mapping[str, str] = field(default_factory=dict)
    """The state of every environment, for the metrics."""
    changes: tuple[str, ...] = ()
    """What was done, in words for the log."""
    retry: Retry = Retry.NO
    again_at: datetime | None = None
    """When to look again without an event: a decision expires, or a quota should be in force by then."""


class Reconciler:
    """Brings one project at a time to what it declares."""

    def __init__(
        self,
        observer: Observer,
        clusters: Mapping[str, Cluster],
        projects: Projects,
        outside: Outside,
        ledger: Ledger,
        secrets: Secrets,
    ) -> None:
        self._observer = observer
        self._clusters = clusters
        self._projects = projects
        self._outside = outside
        self._ledger = ledger
        self._secrets = secrets
        self._courier = Courier(secrets)
        self._memories: dict[str, Memory] = {}
        self._refusals = Refusals()
        self._unconfirmed: dict[str, datetime] = {}
        """Since when projects have waited for a quota and for nothing else."""

    async def reconcile(self, name: str) -> Pass:
        """Bring a project to what it declares; where the cache was behind, look again before saying so."""
        for _ in range(_LOOKS):
            done = await self._pass(name, patient=True)
            if done is not None:
                return done
        return await self._pass(name, patient=False) or Pass(retry=Retry.LATER)

    async def _pass(self, name: str, *, patient: bool) -> Pass | None:
        """Make one pass; None where it met a stale cache and is patient enough to say nothing of it."""
        world = self._observer.observe(name)
        if world is None or (world.project.deleting and names.FINALIZER not in world.project.finalizers):
            self._forget(name)
            return Pass()
        memory = self._memories[name] = Memory(self._memories.get(name))
        world = replace(world, memory=memory)
        judgement = judge(world)
        self._outside.follow(name, judgement.asked | unexplained(world, judgement.building), urgent=judgement.urgent)
        # Taken before the first await, so that no other project sees the same room free.
        self._ledger.reserve(name, claims_of(judgement.building), judgement.full)
        return await self._bring_about(world, judgement, patient=patient)

    def _forget(self, name: str) -> None:
        """Keep nothing of a project that is gone."""
        self._outside.forget(name)
        self._ledger.reserve(name, {})
        self._memories.pop(name, None)
        self._refusals.end(name)
        self._unconfirmed.pop(name, None)
        self._unfollow(name)

    def _unfollow(self, name: str) -> None:
        for cluster in self._clusters.values():
            cluster.unfollow(name)

    async def _bring_about(self, world: World, judgement: Judgement, *, patient: bool) -> Pass | None:
        changes = differences(world, judgement, self._secrets.source)
        if await self._teardown_is_over(world, judgement, changes):
            return Pass()
        self._unfollow(world.project.name)
        await self._hold_on_to(world, changes)
        outcomes = await self._converge(world, changes)
        outcomes += await self._converge(world, settle_notes(world.owner, outcomes, self._clusters))
        if not any(outcome.result in (Result.UNREACHABLE, Result.FAILED) for outcome in outcomes):
            # A write without a clear answer may have landed: its room stays taken until a later pass knows.
            self._ledger.release(world.project.name)
        if patient and any(outcome.result is Result.STALE for outcome in outcomes):
            return None
        after = self._observer.observe(world.project.name) if outcomes else None
        return await self._report(world, after or world, judgement, outcomes)

    async def _converge(self, world: World, changes: Sequence[Change]) -> list[Outcome]:
        return await converge(world.owner, changes, self._clusters, world.clusters, self._courier.deliver)

    async def _report(self, world: World, after: World, judgement: Judgement, outcomes: Sequence[Outcome]) -> Pass:
        planning = world.project.spec is not None and world.project.spec.mode is Mode.PLAN
        source = self._secrets.source
        plan = differences(world, judge(world.as_applied()), source, to_the_end=True) if planning else None
        seen = replace(world, live=after.live)
        verdict = give_verdict(seen, judgement, outcomes, await blockers(seen.live, self._clusters))
        status = report(seen, judgement, outcomes, verdict, plan)
        soon = self._soon_confirmed(world, outcomes)
        if soon is None and status != world.project.status:
            await self._write_status(world.project, status)
            await self._projects.announce(world.project, news(world.project.status, status))
        done = tuple(str(outcome.change) for outcome in outcomes)
        again_at = min((moment for moment in (judgement.again_at, soon) if moment), default=None)
        return Pass(verdict, _states(status), done, _retry(judgement, outcomes), again_at)

    def _soon_confirmed(self, world: World, outcomes: Sequence[Outcome]) -> datetime | None:
        """Return by when the quotas should be in force that alone keep this from its end; None where that is over."""
        results = {outcome.result for outcome in outcomes} - {Result.DONE, Result.SKIPPED}
        if results != {Result.UNCONFIRMED}:
            self._unconfirmed.pop(world.project.name, None)
            return None
        until = self._unconfirmed.setdefault(world.project.name, world.now) + _SOON_CONFIRMED
        return until if world.now < until else None

    async def _write_status(self, project: Project, status: dict[str, Any]) -> None:
        """Write a status; StatusError where the server will not have it, which an Event tells."""
        try:
            await self._projects.write_status(project.name, status)
        except ApiError as error:
            if not refuses_status(error):
                raise
            await self._projects.announce(project, self._refusals.take(project.name, error))
            raise StatusError(f"the status cannot be written: {error}") from error
        self._refusals.end(project.name)

    async def _hold_on_to(self, world: World, changes: Sequence[Change]) -> None:
        """Put our finalizer on before the first object is made, so that none is ever forgotten."""
        project = world.project
        holds = bool(world.live) or any(change.action is Action.CREATE for change in changes)
        if holds and not project.deleting and names.FINALIZER not in project.finalizers:
            await self._projects.write_finalizers(project, (*project.finalizers, names.FINALIZER))

    async def _teardown_is_over(self, world: World, judgement: Judgement, changes: Sequence[Change]) -> bool:
        if not world.project.deleting or changes or world.live or judgement.hold or judgement.awaiting:
            return False
        if not all(state.known for state in world.clusters.values()):
            return False
        kept = tuple(finalizer for finalizer in world.project.finalizers if finalizer != names.FINALIZER)
        await self._projects.write_finalizers(world.project, kept)
        return True


def differences(world: World, judgement: Judgement, sources: Sources, *, to_the_end: bool = False) -> list[Change]:
    """Return what is to be done: the plan and the work are the same list.

    The work takes a removal in steps, as the Applications go; ``to_the_end`` looks past them, for a plan.
    """
    if judgement.newer and judgement.newer.frozen:
        return []
    former = frozenset(label for revision in judgement.admitted.values() if revision for label in revision.labels)
    building = tuple(judgement.building)
    mending = world.memory.recall("", mend_all, world.owner, building, world.live, former, to_the_end)
    if mending.changes:
        # They hold whole manifests: too much to keep for all projects of a cluster that cannot be reached.
        world.memory.forget("", mend_all)
    changes = [*mending.changes, *removals(world, judgement, mending.unwanted, to_the_end=to_the_end)]
    return add_logins(world, judgement, mending.app_projects, changes, sources)


def _retry(judgement: Judgement, outcomes: Sequence[Outcome]) -> Retry:
    if any(outcome.result not in (Result.DONE, Result.SKIPPED) and not outcome.told for outcome in outcomes):
        return Retry.LATER
    done = [outcome.change.action for outcome in outcomes if outcome.result is Result.DONE]
    # What waits for something to go, to be ours again, or to be there, gets no event: all of that is our own work.
    went = any(action in (Action.DELETE, Action.RELEASE, Action.RECLAIM) for action in done)
    return Retry.SOON if went or (done and judgement.arriving) else Retry.NO


def _states(status: Mapping[str, Any]) -> dict[str, str]:
    """Return one state per environment: the first that is not Ready, or Held where it is nowhere yet."""
    states = {}
    for environment in status.get("environments", ()):
        found = [site["state"] for site in environment.get("sites", ())]
        worse = [state for state in found if state != EnvironmentState.READY]
        states[environment["name"]] = worse[0] if worse else found[0] if found else EnvironmentState.HELD.value
    return states
