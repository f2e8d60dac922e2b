"""Diff of the desired against the live objects: creates and patches, for the preview, drift and apply alike; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

import orjson

from onboarding import names
from onboarding.build.canonical import dump
from onboarding.build.credentials import RepositoryLogin
from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    ChildKind,
    Manifest,
    ObjectKey,
    Wanted,
)
from onboarding.reconcile.observed.cached_object import CachedObject, comparable, own_label


class Action(StrEnum):
    """The action of a change on an object."""

    CREATE = "create"
    CHANGE = "change"
    REPLACE = "replace"
    DELETE = "delete"
    DETACH = "detach"
    RECLAIM = "take back"
    """A create that found the object detached from the same environment, and made it ours again."""


class Rank(IntEnum):
    """The order of the changes: a rank begins when the rank before it has ended, so that access is granted last."""

    REVOCATIONS = 0
    NAMESPACES = 1
    RESTRICTIONS = 2
    ACCESS = 3
    LOGINS = 4
    APPLICATIONS = 5
    REMOVALS = 6
    DETACHMENTS = 7
    LAST = 8


_RANKS: Final[dict[ChildKind, Rank]] = {
    NAMESPACE: Rank.NAMESPACES,
    RESOURCE_QUOTA: Rank.RESTRICTIONS,
    LIMIT_RANGE: Rank.RESTRICTIONS,
    NETWORK_POLICY: Rank.RESTRICTIONS,
    SERVICE_ACCOUNT: Rank.ACCESS,
    ROLE_BINDING: Rank.ACCESS,
    APP_PROJECT: Rank.ACCESS,
    APPLICATION: Rank.APPLICATIONS,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between desired and live objects, with the write that removes it."""

    action: Action
    key: ObjectKey
    rank: Rank
    environment: str = ""
    cluster: str = ""
    """The cluster of its environment."""
    body: Manifest | None = None
    """The manifest to create, or the merge patch."""
    live: CachedObject | None = None
    fields: tuple[str, ...] = ()
    cascade: bool = False
    """For the deletion of an Application: whether Argo CD deletes its resources too."""
    login: RepositoryLogin | None = None
    """For a repository Secret: the login to write; None to delete the Secret."""
    after: frozenset[ObjectKey] = frozenset()
    """Objects to write first, because they replace the access that this change revokes."""

    def __str__(self) -> str:
        detail = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.action} {self.key}{detail}"


def diff_objects(
    wanted: Iterable[Wanted], live: Mapping[ObjectKey, CachedObject], former_labels: frozenset[str] = frozenset()
) -> list[Change]:
    """Return the changes that create or patch the desired objects.

    ``live`` holds the objects that are ours. ``former_labels`` are the label keys of the project that its admitted
    revisions put on namespaces: a label that the project no longer declares is removed.
    """
    changes = []
    for item in wanted:
        found = live.get(item.key)
        change = _create(item) if found is None or found.deleting else diff_object(item, found, former_labels)
        if change:
            changes.append(change)
    return changes


def diff_object(item: Wanted, live: CachedObject, former_labels: frozenset[str] = frozenset()) -> Change | None:
    """Return the change that makes a live object equal to the desired one; None if they are equal."""
    key, manifest, cluster = item
    want = comparable(key.kind, manifest)
    if live.content == dump(want):
        return None
    have = orjson.loads(live.content)
    if key.kind is NAMESPACE:
        have["metadata"]["labels"] = _relevant(have["metadata"]["labels"], want["metadata"]["labels"], former_labels)
    patch = merge_patch(have, want)
    if not patch:
        return None
    action = Action.REPLACE if "roleRef" in patch else Action.CHANGE
    body = manifest if action is Action.REPLACE else patch
    return Change(action, key, rank_of(key.kind), _environment(manifest), cluster, body, live, tuple(paths(patch)))


def merge_patch(have: dict[str, Any], want: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that turns one object into another."""
    patch: dict[str, Any] = {key: None for key in have if key not in want}
    for key, value in want.items():
        if key not in have or not isinstance(value, dict) or not isinstance(have[key], dict):
            if have.get(key) != value or key not in have:
                patch[key] = value
        elif inner := merge_patch(have[key], value):
            patch[key] = inner
    return patch


def paths(patch: dict[str, Any], prefix: str = "") -> list[str]:
    """Return the field paths that a patch changes, sorted."""
    found = []
    for key, value in sorted(patch.items()):
        path = f"{prefix}.{key}" if prefix else key
        found += paths(value, path) if isinstance(value, dict) and value else [path]
    return found


def rank_of(kind: ChildKind) -> Rank:
    """Return the rank in which objects of a kind are created or patched."""
    return _RANKS[kind]


def _create(item: Wanted) -> Change:
    key, manifest, cluster = item
    return Change(Action.CREATE, key, rank_of(key.kind), _environment(manifest), cluster, manifest)


def _environment(manifest: Manifest) -> str:
    environment: str = manifest["metadata"]["labels"].get(names.LABEL_ENVIRONMENT, "")
    return environment


def _relevant(labels: dict[str, str], wanted: dict[str, str], former: frozenset[str]) -> dict[str, str]:
    """Return the labels of a namespace that we own; all others belong to somebody else."""
    return {
        key: value
        for key, value in labels.items()
        if key in wanted or key in former or own_label(key) or key.startswith(names.POD_SECURITY_PREFIX)
    }
