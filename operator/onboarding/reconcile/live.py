"""What we keep of a live object: proof of ownership, and as compact bytes only what a comparison needs."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from onboarding import names
from onboarding.api.quantities import milli
from onboarding.build.canonical import compact, dump
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE, RESOURCE_QUOTA, ChildKind, Manifest, ObjectKey
from onboarding.build.revision import Owner
from onboarding.reconcile.argocd import Application, kept_of_application, read_application

NOT_COMPARED = frozenset({"apiVersion", "kind", "metadata", "status", "operation"})
"""Top-level fields that are never ours: identity, and what controllers write (Argo CD's ``operation`` is a request)."""


class Live(NamedTuple):
    """An object in a cluster, as far as we care."""

    uid: str
    version: int
    owner: Owner | None
    environment: str
    deleting: bool
    cascades: bool
    """Whether Argo CD's cascade finalizer is on it."""
    told: bytes
    """What controllers say of it in its status, as canonical JSON; empty where nothing of that is kept."""
    content: bytes
    noted: str = ""
    """Of an AppProject: our note of the repository Secrets beside it."""

    @property
    def application(self) -> Application:
        """Of an Application: what Argo CD says of it."""
        return read_application(self._told())

    @property
    def used(self) -> dict[str, str]:
        """Of a ResourceQuota: how much of it is used, without what is not used at all."""
        used: dict[str, str] = self._told().get("used", {})
        return used

    @property
    def full(self) -> dict[str, str]:
        """Of a ResourceQuota: what all of is used, with the amount."""
        full: dict[str, str] = self._told().get("full", {})
        return full

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = orjson.loads(self.told) if self.told else {}
        return told


def own_label(key: str) -> bool:
    """Return whether a label is ours on every kind."""
    return key == names.LABEL_MANAGED_BY or key.startswith(f"{names.GROUP}/")


def key_of(cluster: str, kind: ChildKind, manifest: Manifest) -> ObjectKey:
    """Return where an object lives."""
    metadata = manifest["metadata"]
    return ObjectKey(cluster, kind, sys.intern(metadata.get("namespace", "")), metadata["name"])


def live_of(kind: ChildKind, manifest: Manifest) -> Live:
    """Return what we keep of an object that the API server gave us."""
    metadata = manifest["metadata"]
    labels: dict[str, str] = metadata.get("labels") or {}
    owner = owner_of(labels)
    return Live(
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        owner=owner,
        environment=sys.intern(labels.get(names.LABEL_ENVIRONMENT, "")) if owner else "",
        deleting="deletionTimestamp" in metadata,
        cascades=any(item.startswith(names.CASCADE_FINALIZER) for item in metadata.get("finalizers") or ()),
        told=told_of(kind, manifest.get("status") or {}, metadata.get("creationTimestamp", "")) if owner else b"",
        content=compact(dump(comparable(kind, manifest))) if owner else b"",
        noted=(metadata.get("annotations") or {}).get(names.ANNOTATION_CREDENTIALS, "") if kind is APP_PROJECT else "",
    )


def told_of(kind: ChildKind, status: Mapping[str, Any], created: str = "") -> bytes:
    """Return what is kept of a status, of an object that was created then."""
    kept: dict[str, Any] = {}
    if kind is APPLICATION:
        kept = kept_of_application(status, created)
    elif kind is RESOURCE_QUOTA:
        kept = _kept_of_quota(status)
    kept = {key: value for key, value in kept.items() if value or value == 0}
    return _shared(compact(dump(kept))) if kept else b""


def is_news(kind: ChildKind, before: Live, after: Live) -> bool:
    """Return whether an event tells a project anything.

    Controllers write statuses all the time: only what we keep of an object is news, and of one that is being deleted
    what its status says of the reason. How much of a quota is used moves with every pod and is no news, unless all of
    something is used now, or not any more.
    """
    told = after.told if kind is RESOURCE_QUOTA and before.full == after.full else before.told
    return after.deleting or before._replace(version=after.version, told=told) != after


def _kept_of_quota(status: Mapping[str, Any]) -> dict[str, Any]:
    used = {key: amount for key, amount in (status.get("used") or {}).items() if amount != "0"}
    hard: Mapping[str, str] = status.get("hard") or {}
    full = {key: hard[key] for key, amount in used.items() if key in hard and milli(amount) >= milli(hard[key])}
    return {"used": used, "full": full}


@lru_cache(maxsize=256)
def _shared(told: bytes) -> bytes:
    """Return one copy for the many objects that are told the same."""
    return told


def owner_of(labels: dict[str, str]) -> Owner | None:
    """Return whom the labels name as owner; None unless all of them are there."""
    installation = labels.get(names.LABEL_INSTALLATION)
    project, uid = labels.get(names.LABEL_PROJECT), labels.get(names.LABEL_PROJECT_UID)
    if not (installation and project and uid):
        return None
    return _owner(installation, project, uid)


@lru_cache(maxsize=4096)
def _owner(installation: str, project: str, uid: str) -> Owner:
    """Return one object for the many that belong to the same owner."""
    return Owner(installation, project, uid)


def comparable(kind: ChildKind, manifest: Manifest) -> dict[str, Any]:
    """Return the part of an object that is compared: our labels and annotations, and everything that is not metadata.

    Of a namespace all labels are kept, because a project's own labels are among them, but no spec: that is the
    server's.
    """
    metadata = manifest["metadata"]
    labels: dict[str, str] = metadata.get("labels") or {}
    if kind is NAMESPACE:
        annotations: dict[str, str] = metadata.get("annotations") or {}
        ours = {key: value for key, value in annotations.items() if key.startswith(f"{names.GROUP}/")}
        return {"metadata": {"labels": labels, "annotations": ours}}
    body = {key: value for key, value in manifest.items() if key not in NOT_COMPARED}
    return {"metadata": {"labels": {key: value for key, value in labels.items() if own_label(key)}}, **body}
