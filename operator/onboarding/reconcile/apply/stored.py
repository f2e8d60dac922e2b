"""Compare the answer to a write with the object that was wanted; pure.

A 2xx does not say that an object is stored as it was written: a mutating policy or webhook may have changed it.
"""

from typing import Any, Final

import orjson

from onboarding import names
from onboarding.build.canonical import dump
from onboarding.build.kinds import APP_PROJECT, NAMESPACE, Manifest, ObjectKey
from onboarding.reconcile.apply.diff import Action, Change, merge_patch, paths
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.cached_object import CachedObject, comparable, own_label

_NOTED: Final = f"metadata.annotations.{names.ANNOTATION_CREDENTIALS}"


def outcome_of_answer(change: Change, answer: CachedObject) -> Outcome:
    """Return the outcome of a write by the answer of the API server.

    A field of the write that is stored otherwise was changed by an admission policy. Any other field may have been
    changed by somebody else since it was cached: it is part of the next write, whose answer tells.
    """
    if change.action is Action.DETACH:
        return drifted(change, ("metadata.labels",)) if answer.owner else Outcome(change, Result.DONE)
    if answer.owner is None:
        return drifted(change, ("metadata.labels",))
    different = _differences(change, answer)
    if written := _written(change, different):
        return drifted(change, written)
    if different:
        why = f"{change.key} was changed meanwhile ({', '.join(different)}): trying again"
        return Outcome(change, Result.STALE, why)
    return Outcome(change, Result.DONE)


def drifted(change: Change, fields: tuple[str, ...]) -> Outcome:
    """Return the outcome of a write that an admission policy changed, with object, fields and remedy."""
    return Outcome(change, Result.DRIFTED, _changed_by_policy(change.key, fields))


def wanted_content(change: Change) -> dict[str, Any]:
    """Return the compared part of an object as it should be after a create or change."""
    body = change.body or {}
    if change.live is None or change.action is not Action.CHANGE:
        return _ours(change, comparable(change.key.kind, body))
    return _ours(change, _merged(orjson.loads(change.live.content), _compared(change)))


def fingerprint(change: Change) -> int:
    """Return a number that differs if the wanted object does."""
    return hash((change.action is Action.DELETE, change.cascade, dump(wanted_content(change)) if change.body else b""))


def _changed_by_policy(key: ObjectKey, fields: tuple[str, ...]) -> str:
    return (
        f"{key} is not stored as it was written: {', '.join(fields)} changed by an admission policy of the cluster. "
        f"The platform exempts objects with label {names.LABEL_INSTALLATION} from that policy or webhook; until then "
        f"the operator tries again, ever more rarely"
    )


def _differences(change: Change, answer: CachedObject) -> list[str]:
    found = paths(merge_patch(_ours(change, orjson.loads(answer.content)), wanted_content(change)))
    annotations = (change.body or {}).get("metadata", {}).get("annotations", {})
    if change.key.kind is APP_PROJECT and names.ANNOTATION_CREDENTIALS in annotations:
        wanted = annotations[names.ANNOTATION_CREDENTIALS] or ""
        found += [_NOTED] if wanted != answer.applied else []
    return found


def _written(change: Change, different: list[str]) -> tuple[str, ...]:
    """Return which of these fields were in the write; a create writes all of them."""
    if change.action is not Action.CHANGE:
        return tuple(different)
    sent = [_NOTED, *paths(_compared(change))]
    return tuple(path for path in different if any(_overlap(path, other) for other in sent))


def _compared(change: Change) -> Manifest:
    """Return the part of a merge patch that is compared."""
    body = change.body or {}
    kept = ("labels", "annotations") if change.key.kind is NAMESPACE else ("labels",)
    metadata = {name: value for name, value in body.get("metadata", {}).items() if name in kept}
    return {**{name: value for name, value in body.items() if name != "metadata"}, "metadata": metadata}


def _ours(change: Change, content: dict[str, Any]) -> dict[str, Any]:
    """Return the content without the labels of others, which only namespaces have in their compared part."""
    if change.key.kind is not NAMESPACE:
        return content
    written = (change.body or {}).get("metadata", {}).get("labels", {})
    labels = {
        key: value
        for key, value in content["metadata"]["labels"].items()
        if key in written or own_label(key) or key.startswith(names.POD_SECURITY_PREFIX)
    }
    return {**content, "metadata": {**content["metadata"], "labels": labels}}


def _merged(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Apply a JSON merge patch (RFC 7386)."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = _merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result


def _overlap(one: str, other: str) -> bool:
    """Return whether one field path is the other, or lies within it."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
