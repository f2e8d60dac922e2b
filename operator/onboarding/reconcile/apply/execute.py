"""Apply the changes of a reconcile rank by rank; a failure stops its own environment only.

A change that grants access waits until the restrictions of its environment are written and confirmed. The reconcile
does not wait: it ends, and the event that confirms a quota starts the next one. Access that another write replaces is
revoked after that write.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from itertools import groupby

from onboarding.build.credentials import SECRET
from onboarding.build.kinds import ARGO_KINDS, NETWORK_POLICY, ROLE_BINDING, ChildKind, ObjectKey
from onboarding.build.place import Place
from onboarding.build.revision import Owner
from onboarding.errors import ApiError, UnreachableError
from onboarding.reconcile.apply.access import gives, not_in_force, only_taking, takes
from onboarding.reconcile.apply.diff import Action, Change, Rank
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.perform import outcome_of_error, perform
from onboarding.reconcile.apply.repeated import ProjectWrites
from onboarding.reconcile.apply.replacement import replacements_first
from onboarding.reconcile.observed.ports import Cluster
from onboarding.reconcile.observed.snapshot import ClusterState

Deliver = Callable[[Owner, Change], Awaitable[Outcome]]
"""Applies a change of a repository Secret, which is written without being read."""

_UNSEEN = ClusterState(problem="it was not connected yet when the plan was made")


async def execute(
    owner: Owner,
    changes: Iterable[Change],
    clusters: Mapping[str, Cluster],
    seen: Mapping[str, ClusterState],
    deliver: Deliver,
    writes: ProjectWrites,
) -> list[Outcome]:
    """Apply the changes and return their outcomes.

    ``seen`` are the cluster states of the snapshot: a cluster whose caches were incomplete then is not written to, even
    if they are complete by now. ``writes`` slows down those that do not last.
    """
    outcomes: list[Outcome] = []
    troubles: dict[Place, set[ChildKind]] = {}
    missing: set[ObjectKey] = set()
    planned = {name: seen.get(name, _UNSEEN) for name in clusters}
    states = {name: cluster.state if planned[name].known else planned[name] for name, cluster in clusters.items()}
    for _, group in groupby(sorted(replacements_first(changes), key=_rank), key=_rank):
        batch = [_as_it_is_now(owner, change, clusters) for change in group]
        pending = _pending(owner, batch, clusters)
        waiting = [_replaced_later(change, missing) or _waits(change, troubles, pending) for change in batch]
        work = (
            _carry_out(owner, *item, clusters, states, deliver, writes) for item in zip(batch, waiting, strict=True)
        )
        results = await asyncio.gather(*work)
        missing |= {outcome.change.key for outcome in results if _keeps_the_former(outcome)}
        for outcome in filter(_stops_others, results):
            troubles.setdefault(_place_of(outcome.change), set()).add(outcome.change.key.kind)
        outcomes += results
    return outcomes


def _stops_others(outcome: Outcome) -> bool:
    """Return whether later changes of the environment wait; an unwritten Secret stops only its repository."""
    change = outcome.change
    undelivered = change.key.kind is SECRET and change.action is not Action.DELETE
    return outcome.result is not Result.DONE and not undelivered and _rank(change) is not Rank.REVOCATIONS


def _keeps_the_former(outcome: Outcome) -> bool:
    """Return whether the access that a change replaces stays.

    It is revoked if a RoleBinding that is not ours has the name of the new one: its author could block a revocation
    that way.
    """
    strangers = outcome.result is Result.CONFLICT and outcome.change.key.kind is ROLE_BINDING
    return outcome.result is not Result.DONE and not strangers


def _as_it_is_now(owner: Owner, change: Change, clusters: Mapping[str, Cluster]) -> Change:
    """Return the second part of a change with the live object that the first part wrote."""
    if not change.after or change.live is None or change.key.cluster not in clusters:
        return change
    live = clusters[change.key.cluster].cached(change.key)
    same = live is not None and (live.uid, live.owner) == (change.live.uid, owner)
    return replace(change, live=live) if same else change


def _replaced_later(change: Change, missing: set[ObjectKey]) -> Outcome | None:
    """Return the outcome of a revocation whose replacement is not written yet; None if it need not wait."""
    if not change.after & missing:
        return None
    what = ", ".join(sorted(str(key) for key in change.after & missing))
    return Outcome(change, Result.SKIPPED, f"{change.key} stays until it is replaced by {what}")


def _rank(change: Change) -> Rank:
    """Return the rank of a change: access of people is revoked before all other changes."""
    return Rank.REVOCATIONS if change.key.kind is ROLE_BINDING and takes(change) else change.rank


def _place_of(change: Change) -> Place:
    return Place(change.environment, change.cluster)


def _pending(owner: Owner, batch: Iterable[Change], clusters: Mapping[str, Cluster]) -> dict[Place, str]:
    """Return the quotas that are not in force yet, for each place to which a change grants access.

    The cache is read again for each rank, because a quota may be confirmed during the writes of the rank before.
    """
    places = {_place_of(change) for change in batch if gives(change)}
    return {place: _not_in_force(owner, place, clusters) for place in places}


def _not_in_force(owner: Owner, place: Place, clusters: Mapping[str, Cluster]) -> str:
    owned = clusters[place.cluster].owned(owner.project) if place.cluster in clusters else {}
    return not_in_force(place.environment, ((key, live) for key, live in owned.items() if live.owner == owner))


def _waits(change: Change, troubles: Mapping[Place, set[ChildKind]], pending: Mapping[Place, str]) -> Outcome | None:
    """Return the outcome of a change that has to wait; None if it need not, as a revocation of access never does."""
    if takes(change) or change.after:
        return None
    kinds = troubles.get(_place_of(change), set())
    if change.action is Action.DELETE and change.key.kind is NETWORK_POLICY:
        # An allow rule is deleted at once, but not while the default-deny policy may be missing.
        kinds = kinds & {NETWORK_POLICY}
    if kinds or (change.rank is Rank.APPLICATIONS and Place("", change.key.cluster) in troubles):
        return Outcome(change, Result.SKIPPED, f"{change.key} waits for what comes before it")
    if gives(change) and (why := pending.get(_place_of(change), "")):
        return Outcome(change, Result.UNCONFIRMED, why, told=True)
    return None


async def _carry_out(
    owner: Owner,
    change: Change,
    waiting: Outcome | None,
    clusters: Mapping[str, Cluster],
    states: Mapping[str, ClusterState],
    deliver: Deliver,
    writes: ProjectWrites,
) -> Outcome:
    """Apply a change; if it waits, only the part that revokes access."""
    refusal = _refusal(change, states) or writes.held(change)
    if refusal:
        return refusal
    due = only_taking(change) if waiting else change
    if due is None and waiting:
        return waiting
    try:
        if change.key.kind is SECRET:
            return writes.note(change, await deliver(owner, change))
        done = await perform(owner, due or change, clusters[change.key.cluster])
    except UnreachableError as error:
        return Outcome(change, Result.UNREACHABLE, f"{change.key.cluster} gives no answer: {error}")
    except ApiError as error:
        done = outcome_of_error(owner, change, error, clusters[change.key.cluster])
    done = writes.note(change, done)
    return waiting if waiting and done.result is Result.DONE else done


def _refusal(change: Change, states: Mapping[str, ClusterState]) -> Outcome | None:
    state = states.get(change.key.cluster)
    if state is None:
        return Outcome(change, Result.UNREACHABLE, f"there is no connection {change.key.cluster}", told=True)
    if state.problem:
        return Outcome(change, Result.UNREACHABLE, f"cluster {change.key.cluster}: {state.problem}", told=True)
    if not state.guarded:
        result = Result.UNREACHABLE if state.guard_unknown else Result.GUARD_MISSING
        return Outcome(change, result, f"cluster {change.key.cluster}: {state.guard_problem}", told=True)
    if change.key.kind in ARGO_KINDS and not state.argocd:
        message = f"cluster {change.key.cluster} does not serve Argo CD's kinds: install Argo CD there"
        return Outcome(change, Result.ARGOCD_MISSING, message, told=True)
    return None
