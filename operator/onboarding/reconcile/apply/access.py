"""Which changes give access and which take it away, and whether what restricts an environment is in force; pure.

Access comes last: whoever may start pods finds the quota, the limits and the network policies in force. Access that is
there stays where a restriction is repaired, and what is taken away and not given anew is taken away at once.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import orjson

from onboarding.build.kinds import (
    APPLICATION,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    Manifest,
    ObjectKey,
    Wanted,
)
from onboarding.reconcile.apply.diff import Action, Change, diff_object, paths
from onboarding.reconcile.observed.cached_object import CachedObject

_ACCESS: Final = frozenset({ROLE_BINDING, SERVICE_ACCOUNT, APPLICATION})
"""Kinds that let people, or Argo CD on their behalf, put something into a namespace."""
_RESTRICTIONS: Final = frozenset({NAMESPACE, RESOURCE_QUOTA, LIMIT_RANGE, NETWORK_POLICY})
_CAPS: Final = frozenset({RESOURCE_QUOTA, LIMIT_RANGE})


def gives(change: Change) -> bool:
    """Return whether a change gives access, or takes a cap away: it waits until all that restricts is in force."""
    if change.key.kind in _CAPS:
        return change.action is Action.DELETE
    giving = change.action in (Action.CREATE, Action.CHANGE, Action.REPLACE)
    return change.key.kind in _ACCESS and giving and not change.after and not takes(change)


def takes(change: Change) -> bool:
    """Return whether a change of access gives nothing to anybody and nothing replaces it: it waits for nothing."""
    if change.key.kind not in _ACCESS or change.after:
        return False
    if change.action is Action.DELETE:
        return True
    if change.key.kind is not ROLE_BINDING or change.action is not Action.CHANGE:
        return False
    had = subjects_of(change.live)
    return all(subject in had for subject in subjects(change.body))


def only_taking(change: Change) -> Change | None:
    """Return the part of a change that takes access away, for while the whole has to wait; None where there is none."""
    if change.key.kind is not ROLE_BINDING or change.after:
        return None
    if change.action is Action.REPLACE:
        return replace(change, action=Action.DELETE, body=None)
    if change.action is not Action.CHANGE or "subjects" not in (change.body or {}):
        return None
    had, wanted = subjects_of(change.live), subjects(change.body)
    kept = [subject for subject in had if subject in wanted]
    return replace(change, body={**(change.body or {}), "subjects": kept}) if len(kept) < len(had) else None


def not_in_force(environment: str, owned: Iterable[tuple[ObjectKey, CachedObject]]) -> str:
    """Return what the quotas of an environment on one cluster wait for; the empty string where they are in force."""
    quotas = [(key, live) for key, live in owned if key.kind is RESOURCE_QUOTA and live.environment == environment]
    pending = [str(key) for key, live in quotas if not live.in_force or live.deleting]
    if quotas and not pending:
        return ""
    what = ", ".join(sorted(pending)) or f"the ResourceQuota of environment {environment}"
    return (
        f"{what} is not in force: the quota controller has not confirmed it, and nobody gets access before it has. "
        f"If it stays like this, see whether kube-controller-manager runs there"
    )


def stored_otherwise(change: Change, live: CachedObject | None) -> str:
    """Return why what restricts an environment is not in force though it was written; the empty string where it is.

    An admission webhook may have changed it. ``live`` is what the API server answered, or what is known by now.
    """
    if change.key.kind not in _RESTRICTIONS or change.body is None or live is None:
        return ""
    fields: tuple[str, ...]
    if change.action not in (Action.CREATE, Action.CHANGE):
        return ""
    if live.owner is None:
        fields = ("metadata.labels",)
    elif change.action is Action.CREATE:
        difference = diff_object(Wanted(change.key, change.body, change.cluster), live)
        fields = difference.fields if difference else ()
    else:
        fields = tuple(paths(_missing(change.body, orjson.loads(live.content))))
    if not fields:
        return ""
    return (
        f"{change.key} was written and stored otherwise ({', '.join(fields)}): a mutating admission webhook of the "
        f"cluster changes it, and nobody gets access before it is as it shall be. Exempt it from that webhook"
    )


def _missing(patch: Manifest, have: Manifest) -> Manifest:
    """Return the part of a merge patch that is not true of an object."""
    found: Manifest = {}
    for key, value in patch.items():
        present = have.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            if inner := _missing(value, present):
                found[key] = inner
        elif present != value:
            found[key] = value
    return found


def subjects(manifest: Manifest | None) -> list[dict[str, Any]]:
    """Return whom a RoleBinding, or a patch of one, lets in."""
    return (manifest or {}).get("subjects") or []


def subjects_of(live: CachedObject | None) -> list[dict[str, Any]]:
    """Return whom a live RoleBinding lets in."""
    return subjects(orjson.loads(live.content)) if live and live.content else []
