"""Changes that grant or revoke access, and the restrictions that have to be in force before a grant; pure.

Access is granted last: whoever may start pods finds the quota, the limits and the network policies in force. Existing
access stays while a restriction is repaired, and access that is revoked without a replacement is revoked at once.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import orjson

from onboarding.build.kinds import (
    APPLICATION,
    LIMIT_RANGE,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    Manifest,
    ObjectKey,
)
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.observed.cached_object import CachedObject

_ACCESS: Final = frozenset({ROLE_BINDING, SERVICE_ACCOUNT, APPLICATION})
"""Kinds that let people, or Argo CD on their behalf, create objects in a namespace."""
_CAPS: Final = frozenset({RESOURCE_QUOTA, LIMIT_RANGE})


def gives(change: Change) -> bool:
    """Return whether a change grants access or lifts a cap: it waits until all restrictions are in force."""
    if change.key.kind in _CAPS:
        return change.action is Action.DELETE
    giving = change.action in (Action.CREATE, Action.CHANGE, Action.REPLACE)
    return change.key.kind in _ACCESS and giving and not change.after and not takes(change)


def takes(change: Change) -> bool:
    """Return whether a change only revokes access and nothing replaces it: it waits for nothing."""
    if change.key.kind not in _ACCESS or change.after:
        return False
    if change.action is Action.DELETE:
        return True
    if change.key.kind is not ROLE_BINDING or change.action is not Action.CHANGE:
        return False
    had = subjects_of(change.live)
    return all(subject in had for subject in subjects(change.body))


def only_taking(change: Change) -> Change | None:
    """Return the part of a waiting change that revokes access, which does not wait; None if there is none."""
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
    """Return why the quotas of an environment on one cluster are not in force; the empty string if they are."""
    quotas = [(key, live) for key, live in owned if key.kind is RESOURCE_QUOTA and live.environment == environment]
    pending = [str(key) for key, live in quotas if not live.in_force or live.deleting]
    if quotas and not pending:
        return ""
    names = ", ".join(sorted(pending)) or f"the ResourceQuota of environment {environment}"
    return (
        f"{names} is not in force: the quota controller has not confirmed it, and access is granted only after that. "
        f"If this persists, check that kube-controller-manager runs on the cluster"
    )


def subjects(manifest: Manifest | None) -> list[dict[str, Any]]:
    """Return the subjects of a RoleBinding, or of a patch of one."""
    return (manifest or {}).get("subjects") or []


def subjects_of(live: CachedObject | None) -> list[dict[str, Any]]:
    """Return the subjects of a live RoleBinding."""
    return subjects(orjson.loads(live.content)) if live and live.content else []
