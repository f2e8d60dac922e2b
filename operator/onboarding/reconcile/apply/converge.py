"""Do the work: write the differences rank by rank; a failure stops its own environment only."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from onboarding import names
from onboarding.build.credentials import SECRET
from onboarding.build.kinds import APPLICATION, ARGO_KINDS, Manifest, ObjectKey, Wanted
from onboarding.build.revision import Owner
from onboarding.errors import ApiError, UnreachableError
from onboarding.reconcile.apply.compare import Action, Change, Rank, mend
from onboarding.reconcile.live import Live, live_of, owner_of
from onboarding.reconcile.ports import Cluster
from onboarding.reconcile.world import ClusterState


class Result(StrEnum):
    """How a change ended."""

    DONE = "done"
    WAITING = "waiting"
    CONFLICT = "conflict"
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "stale"
    """The cache was behind; it knows better now."""
    UNREACHABLE = "unreachable"
    GUARD_MISSING = "guard missing"
    ARGOCD_MISSING = "Argo CD missing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A change and how it ended, with words for the reader where it did not end well."""

    change: Change
    result: Result
    message: str = ""


Deliver = Callable[[Owner, Change], Awaitable[Outcome]]
"""Carries out a change of a repository Secret, which is written without being read."""

_UNSEEN = ClusterState(problem="it was not known yet when this was judged")


async def converge(
    owner: Owner,
    changes: Iterable[Change],
    clusters: Mapping[str, Cluster],
    seen: Mapping[str, ClusterState],
    deliver: Deliver,
) -> list[Outcome]:
    """Carry out the changes and return how each of them ended.

    ``seen`` are the states that the changes were judged by: a cluster whose caches were not warm then is not written
    to, even where it is known by now.
    """
    outcomes: list[Outcome] = []
    blocked: set[tuple[str, str]] = set()
    judged = {name: seen.get(name, _UNSEEN) for name in clusters}
    states = {name: cluster.state if judged[name].known else judged[name] for name, cluster in clusters.items()}
    ordered = sorted(changes, key=lambda change: change.rank)
    for _rank, group in groupby(ordered, key=lambda change: change.rank):
        batch = list(group)
        work = (_carry_out(owner, change, clusters, states, blocked, deliver) for change in batch)
        results = await asyncio.gather(*work)
        blocked |= {_scope(outcome.change) for outcome in results if _stops_others(outcome)}
        outcomes += results
    return outcomes


def _stops_others(outcome: Outcome) -> bool:
    """Return whether later work of the same scope waits; a login that cannot be delivered stops its repository only."""
    undelivered = outcome.change.key.kind is SECRET and outcome.change.action is not Action.DELETE
    return outcome.result is not Result.DONE and not undelivered


def _scope(change: Change) -> tuple[str, str]:
    return change.site, change.environment


async def _carry_out(
    owner: Owner,
    change: Change,
    clusters: Mapping[str, Cluster],
    states: Mapping[str, ClusterState],
    blocked: set[tuple[str, str]],
    deliver: Deliver,
) -> Outcome:
    refusal = _refusal(change, states)
    if refusal:
        return refusal
    if _scope(change) in blocked or (change.rank is Rank.APPLICATIONS and (change.key.cluster, "") in blocked):
        return Outcome(change, Result.SKIPPED, f"{change.key} waits for what comes before it")
    try:
        if change.key.kind is SECRET:
            return await deliver(owner, change)
        return await _perform(owner, change, clusters[change.key.cluster])
    except UnreachableError as error:
        return Outcome(change, Result.UNREACHABLE, f"{change.key.cluster} gives no answer: {error}")
    except ApiError as error:
        return _judge_error(change, error)


def _refusal(change: Change, states: Mapping[str, ClusterState]) -> Outcome | None:
    state = states.get(change.key.cluster)
    if state is None:
        return Outcome(change, Result.UNREACHABLE, f"there is no connection {change.key.cluster}")
    if state.problem:
        return Outcome(change, Result.UNREACHABLE, f"cluster {change.key.cluster}: {state.problem}")
    if not state.guarded:
        result = Result.UNREACHABLE if state.guard_unknown else Result.GUARD_MISSING
        return Outcome(change, result, f"cluster {change.key.cluster}: {state.guard_problem}")
    if change.key.kind in ARGO_KINDS and not state.argocd:
        message = f"cluster {change.key.cluster} does not serve Argo CD's kinds: install Argo CD there"
        return Outcome(change, Result.ARGOCD_MISSING, message)
    return None


async def _perform(owner: Owner, change: Change, cluster: Cluster) -> Outcome:
    match change.action:
        case Action.CREATE:
            return await _create(owner, change, cluster)
        case Action.CHANGE | Action.RELEASE:
            await cluster.change(change.key, _body(change), _live(change))
        case Action.REPLACE:
            await cluster.delete(change.key, _live(change))
            await cluster.create(change.key, _body(change))
        case Action.DELETE if change.key.kind is APPLICATION:
            return await _delete_application(change, cluster)
        case Action.DELETE:
            return await _delete(change, cluster, _live(change))
    return Outcome(change, Result.DONE)


async def _create(owner: Owner, change: Change, cluster: Cluster) -> Outcome:
    """POST; where something is there already it is ours and mended, or somebody else's and left alone."""
    stranger = cluster.cached(change.key)
    if stranger is None:
        try:
            await cluster.create(change.key, _body(change))
        except ApiError as error:
            if error.status != 409:
                raise
        else:
            return Outcome(change, Result.DONE)
    return await _meet(owner, change, cluster)


async def _meet(owner: Owner, change: Change, cluster: Cluster) -> Outcome:
    found = await cluster.read(change.key)
    if found is None:
        return Outcome(change, Result.STALE, f"{change.key} came and went: trying again")
    live = live_of(change.key.kind, found)
    if live.owner != owner:
        return Outcome(change, Result.CONFLICT, conflict(change.key, found))
    if live.deleting:
        return Outcome(change, Result.WAITING, f"{change.key} is being deleted: waiting until it is gone")
    difference = mend(Wanted(change.key, _body(change), change.site), live)
    if difference:
        await cluster.change(change.key, _body(difference), live)
    return Outcome(change, Result.DONE)


async def _delete(change: Change, cluster: Cluster, live: Live) -> Outcome:
    if await cluster.delete(change.key, live):
        return Outcome(change, Result.DONE)
    return Outcome(change, Result.WAITING, f"{change.key} is being deleted: waiting until it is gone")


async def _delete_application(change: Change, cluster: Cluster) -> Outcome:
    """Delete an Application as it is now: its finalizers decide whether what runs goes along, and may be unheard of."""
    found = await cluster.read(change.key)
    if found is None:
        return Outcome(change, Result.DONE)
    live, judged = live_of(change.key.kind, found), _live(change)
    if (live.uid, live.owner) != (judged.uid, judged.owner):
        return Outcome(change, Result.STALE, f"{change.key} is another one than before: trying again")
    if live.cascades != change.cascade:
        version = found["metadata"]["resourceVersion"]
        patch = {"metadata": {"finalizers": _finalizers(found, change.cascade), "resourceVersion": version}}
        await cluster.change(change.key, patch, live)
        live = cluster.cached(change.key) or live
    return await _delete(change, cluster, live)


def _finalizers(application: Manifest, cascade: bool) -> list[str]:
    """Return the finalizers with Argo CD's cascade put on, or taken off in all its variants."""
    present: list[str] = application["metadata"].get("finalizers") or []
    others = [finalizer for finalizer in present if not finalizer.startswith(names.CASCADE_FINALIZER)]
    return [*others, names.CASCADE_FINALIZER] if cascade else others


def conflict(key: ObjectKey, found: Manifest) -> str:
    """Return whose object stands at a place that we want, and what can be done."""
    labels = found["metadata"].get("labels") or {}
    annotations = found["metadata"].get("annotations") or {}
    other = owner_of(labels)
    if other:
        whose = f"belongs to project {other.project} (UID {other.uid}, installation {other.installation})"
    elif names.ANNOTATION_RELEASED in annotations:
        whose = f"was released from {annotations[names.ANNOTATION_RELEASED]}"
    else:
        whose = "carries no label of ours"
    return f"{key} exists and {whose}: it is left alone. Rename the environment, or have its owner remove it"


def _judge_error(change: Change, error: ApiError) -> Outcome:
    if "NamespaceTerminating" in error.causes:
        message = f"namespace {change.key.namespace} is being deleted: waiting until it is gone"
        return Outcome(change, Result.WAITING, message)
    if error.status == 404 and change.action in (Action.DELETE, Action.RELEASE):
        return Outcome(change, Result.DONE)
    if error.status == 404 and change.action is Action.CREATE and change.key.kind in ARGO_KINDS:
        message = f"cluster {change.key.cluster} has no Argo CD in namespace {change.key.namespace}: install it there"
        return Outcome(change, Result.ARGOCD_MISSING, message)
    message = f"{change.action} of {change.key} was refused: {error}"
    stale = error.status in (404, 409) or (error.status == 422 and "metadata.uid" in error.message)
    return Outcome(change, Result.STALE if stale else Result.FAILED, message)


def _body(change: Change) -> Manifest:
    if change.body is None:
        raise ValueError(f"{change} has no body")
    return change.body


def _live(change: Change) -> Live:
    if change.live is None:
        raise ValueError(f"{change} has no live object")
    return change.live
