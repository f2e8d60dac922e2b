"""Apply one change, and translate the answer of the API server into an outcome."""

import re
from dataclasses import replace
from typing import Final

from onboarding import names
from onboarding.api.text import cut_middle
from onboarding.build.kinds import APPLICATION, ARGO_KINDS, NAMESPACE, Manifest, ObjectKey, Wanted
from onboarding.build.revision import Owner
from onboarding.errors import ApiError
from onboarding.reconcile.apply.diff import Action, Change, diff_object
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.ownership import (
    Whose,
    conflict,
    former,
    is_proven,
    is_watched,
    restaged,
    take_back,
    unproven,
    whose,
)
from onboarding.reconcile.apply.stored import drifted, outcome_of_answer
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of
from onboarding.reconcile.observed.ports import Cluster

_WEBHOOK_DOWN: Final = re.compile(r'failed calling webhook "(?P<name>[^"]+)": (?:failed to call webhook: )?(?P<why>.+)')
_OUR_RULE: Final = re.compile(
    r"ValidatingAdmissionPolicy 'project-onboarding-[^']+' .*?denied request: (?P<why>.+)", re.DOTALL
)
_SENTENCE: Final = 280
"""Most bytes of the sentence of a rule of ours in a message."""
_WEBHOOK_DENIES: Final = re.compile(r'admission webhook "(?P<name>[^"]+)" denied the request: (?P<why>.+)', re.DOTALL)


async def perform(owner: Owner, change: Change, cluster: Cluster) -> Outcome:
    """Apply a change; ApiError if the API server refuses it."""
    match change.action:
        case Action.CREATE:
            return await _create(owner, change, cluster)
        case Action.CHANGE | Action.DETACH:
            answer = await cluster.change(change.key, _body(change), _live(change))
        case Action.REPLACE:
            await cluster.delete(change.key, _live(change))
            answer = await cluster.create(change.key, _body(change))
        case Action.DELETE if change.key.kind is APPLICATION:
            return await _delete_application(change, cluster)
        case _:
            return await _delete(change, cluster, _live(change))
    return outcome_of_answer(change, answer)


async def _create(owner: Owner, change: Change, cluster: Cluster) -> Outcome:
    """POST an object; if it exists, patch it if it is ours and leave it alone if it is not."""
    known = cluster.cached(change.key)
    if known is not None and is_watched(owner, change.key, known):
        return await _meet(owner, change, cluster, known)
    try:
        answer = await cluster.create(change.key, _body(change))
    except ApiError as error:
        if error.status != 409:
            raise
    else:
        return outcome_of_answer(change, answer)
    found = await cluster.read(change.key)
    if found is None:
        return Outcome(change, Result.STALE, f"{change.key} came and went: trying again")
    return await _meet(owner, change, cluster, cached_object_of(change.key.kind, found))


async def _meet(owner: Owner, change: Change, cluster: Cluster, live: CachedObject) -> Outcome:
    """Patch an existing object that is ours, take back one that was detached from us, leave all others alone."""
    told = is_watched(owner, change.key, live)
    if told:
        live = cluster.follow(change.key, owner.project) or live
    who = whose(owner, change.environment, live)
    if who in (Whose.OURS, Whose.LEFT) and live.deleting:
        return _being_deleted(change, told=told)
    if who is Whose.OURS:
        return await _mend(owner, change, cluster, live)
    if who is Whose.LEFT:
        return await _take_back(owner, change, cluster, live, told=told)
    if who is Whose.FORMER:
        return Outcome(change, Result.FORMER, former(change.key, live), told=told)
    return Outcome(change, Result.CONFLICT, conflict(change.key, live), told=told)


async def _take_back(owner: Owner, change: Change, cluster: Cluster, live: CachedObject, *, told: bool) -> Outcome:
    if not is_proven(owner, change.environment, change.key, live, cluster):
        why = unproven(change.key) if change.key.kind is NAMESPACE else conflict(change.key, live)
        return Outcome(change, Result.CONFLICT, why, told=told)
    if change.key.kind is NAMESPACE and (why := restaged(change.key, _body(change), live)):
        return Outcome(change, Result.CONFLICT, why, told=told)
    await take_back(change.key, _body(change), live, cluster)
    mine = cluster.cached(change.key)
    if mine is None or mine.owner != owner:
        return Outcome(change, Result.STALE, f"{change.key} was changed meanwhile: trying again")
    mended = await _mend(owner, change, cluster, mine)
    return replace(mended, change=replace(change, action=Action.RECLAIM))


async def _mend(owner: Owner, change: Change, cluster: Cluster, live: CachedObject) -> Outcome:
    difference = diff_object(Wanted(change.key, _body(change), change.cluster), live)
    return await perform(owner, difference, cluster) if difference else Outcome(change, Result.DONE)


def _being_deleted(change: Change, *, told: bool = True) -> Outcome:
    return Outcome(change, Result.WAITING, f"{change.key} is being deleted: waiting until it is gone", told=told)


async def _delete(change: Change, cluster: Cluster, live: CachedObject) -> Outcome:
    gone = await cluster.delete(change.key, live)
    return Outcome(change, Result.DONE) if gone else _being_deleted(change)


async def _delete_application(change: Change, cluster: Cluster) -> Outcome:
    """GET an Application, set its cascade finalizer as planned, and DELETE it; the cached finalizers may be stale."""
    found = await cluster.read(change.key)
    if found is None:
        return Outcome(change, Result.DONE)
    live, judged = cached_object_of(change.key.kind, found), _live(change)
    if (live.uid, live.owner) != (judged.uid, judged.owner):
        return Outcome(change, Result.STALE, f"{change.key} is another one than before: trying again")
    if live.cascades != change.cascade:
        version = found["metadata"]["resourceVersion"]
        patch = {"metadata": {"finalizers": _finalizers(found, change.cascade), "resourceVersion": version}}
        live = await cluster.change(change.key, patch, live)
    if live.cascades != change.cascade:
        # Deleted now, it would take its workload along, or leave it behind, against the deletion policy.
        return drifted(change, ("metadata.finalizers",))
    return await _delete(change, cluster, live)


def _finalizers(application: Manifest, cascade: bool) -> list[str]:
    """Return the finalizers with Argo CD's cascade finalizer added, or removed in all its variants."""
    present: list[str] = application["metadata"].get("finalizers") or []
    others = [finalizer for finalizer in present if not finalizer.startswith(names.CASCADE_FINALIZER)]
    return [*others, names.CASCADE_FINALIZER] if cascade else others


def outcome_of_error(owner: Owner, change: Change, error: ApiError, cluster: Cluster) -> Outcome:
    """Return the outcome of a change that the API server refused."""
    around = ObjectKey(change.key.cluster, NAMESPACE, "", change.key.namespace)
    if "NamespaceTerminating" in error.causes:
        message = f"namespace {change.key.namespace} is being deleted: waiting until it is gone"
        told = cluster.follow(around, owner.project) is not None
        return Outcome(change, Result.WAITING, message, told=told)
    if error.status == 404 and change.action in (Action.DELETE, Action.DETACH):
        return Outcome(change, Result.DONE)
    if error.status == 404 and change.action is Action.CREATE and change.key.kind in ARGO_KINDS:
        message = f"cluster {change.key.cluster} has no Argo CD in namespace {change.key.namespace}: install it there"
        told = cluster.follow(around, owner.project) is None
        return Outcome(change, Result.ARGOCD_MISSING, message, told=told)
    stale = error.status in (404, 409) or (error.status == 422 and "metadata.uid" in error.message)
    return Outcome(change, Result.STALE if stale else Result.FAILED, _refused(change, error))


def _refused(change: Change, error: ApiError) -> str:
    """Return why a write was refused; begins with the admission webhook if one refused it."""
    if down := _WEBHOOK_DOWN.search(error.message):
        return (
            f"admission webhook {down['name']} gives no answer, so that the {change.action} of {change.key} is "
            f"refused: {down['why']}. The platform mends the webhook; this is tried again by itself"
        )
    if ours := _OUR_RULE.search(error.message):
        # Its sentence names the object, and the remedy stands at its end.
        return cut_middle(ours["why"], _SENTENCE)
    if denied := _WEBHOOK_DENIES.search(error.message):
        return f"admission webhook {denied['name']} refuses the {change.action} of {change.key}: {denied['why']}"
    return f"{change.action} of {change.key} was refused: {error}"


def _body(change: Change) -> Manifest:
    if change.body is None:
        raise ValueError(f"{change} has no body")
    return change.body


def _live(change: Change) -> CachedObject:
    if change.live is None:
        raise ValueError(f"{change} has no live object")
    return change.live
