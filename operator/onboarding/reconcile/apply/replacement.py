"""Access that another write of the same reconcile replaces: it is revoked only after that write succeeded; pure.

A RoleBinding of another role is another object, and so is the Application of a renamed repository. If the old one were
deleted at once, a team would be locked out for as long as the new one waits or is refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from onboarding.build.kinds import APPLICATION, ROLE_BINDING, SERVICE_ACCOUNT
from onboarding.build.place import Place
from onboarding.reconcile.apply.access import subjects, subjects_of
from onboarding.reconcile.apply.diff import Action, Change, Rank

_GIVING: Final = (Action.CREATE, Action.CHANGE, Action.REPLACE)
Subject = dict[str, Any]
"""A subject of a RoleBinding."""


def replacements_first(changes: Iterable[Change]) -> list[Change]:
    """Put the revocation of replaced access after its replacement; all other changes stay as they are."""
    ordered = list(changes)
    places: dict[Place, list[Change]] = {}
    for change in ordered:
        if change.action in _GIVING:
            places.setdefault(_place_of(change), []).append(change)
    return [part for change in ordered for part in _parts(change, places.get(_place_of(change), ()))]


def _place_of(change: Change) -> Place:
    """Return the environment with the cluster of the object, which for an Application may be another one."""
    return Place(change.environment, change.key.cluster)


def _parts(change: Change, giving: Sequence[Change]) -> list[Change]:
    others = [other for other in giving if other.key.kind is change.key.kind and other.key != change.key]
    if change.key.kind is ROLE_BINDING and change.action in (Action.DELETE, Action.CHANGE):
        return _parts_of_binding(change, others)
    if change.key.kind in (APPLICATION, SERVICE_ACCOUNT) and change.action is Action.DELETE:
        after = frozenset(other.key for other in others if other.action is Action.CREATE)
        return [replace(change, after=after)]
    return [change]


def _parts_of_binding(change: Change, others: Sequence[Change]) -> list[Change]:
    """Return the part to do at once, if there is one, and the part to do after others grant the same subjects."""
    body, had = change.body or {}, subjects_of(change.live)
    wanted = _wanted(change)
    granting = {other.key: _shared(_without(had, wanted), _given(other)) for other in others}
    after = frozenset(key for key, moving in granting.items() if moving)
    if not after:
        return [change]
    moving = [*chain.from_iterable(granting.values())]
    now = [*_shared(had, [*wanted, *moving]), *_without(wanted, had)]
    parts = []
    if now != had or body.keys() - {"subjects"}:
        parts = [replace(change, action=Action.CHANGE, body={**body, "subjects": now}, fields=("subjects",))]
    if change.action is Action.DELETE:
        return [*parts, replace(change, after=after)]
    # Without the first part in ``after``, this part of a change that grants and revokes would grant as well.
    last = replace(change, body={"subjects": wanted}, rank=Rank.REMOVALS, after=after | {change.key})
    return [*parts, last]


def _wanted(change: Change) -> list[Subject]:
    """Return the subjects of a RoleBinding after a change."""
    body = change.body or {}
    return subjects_of(change.live) if change.action is Action.CHANGE and "subjects" not in body else subjects(body)


def _shared(these: Sequence[Subject], those: Sequence[Subject]) -> list[Subject]:
    return [subject for subject in these if subject in those]


def _without(these: Sequence[Subject], those: Sequence[Subject]) -> list[Subject]:
    return [subject for subject in these if subject not in those]


def _given(change: Change) -> list[Subject]:
    """Return the subjects that a change adds to a RoleBinding."""
    had = subjects_of(change.live) if change.action is Action.CHANGE else []
    return _without(subjects(change.body), had)
