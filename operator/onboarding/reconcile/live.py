"""What we keep of a live object: proof of ownership, and as compact bytes only what a comparison needs."""

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from onboarding import names
from onboarding.build.kinds import APPLICATION, NAMESPACE, RESOURCE_QUOTA, ChildKind, Manifest, ObjectKey
from onboarding.build.revision import Owner

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

    @property
    def health(self) -> str:
        """Of an Application: the health that Argo CD reports, '' while it reports none."""
        health: str = self._told().get("health", "")
        return health

    @property
    def used(self) -> dict[str, str]:
        """Of a ResourceQuota: how much of it is used, without what is not used at all."""
        used: dict[str, str] = self._told().get("used", {})
        return used

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
        told=told_of(kind, manifest.get("status") or {}) if owner else b"",
        content=compact(dump(comparable(kind, manifest))) if owner else b"",
    )


def told_of(kind: ChildKind, status: Mapping[str, Any]) -> bytes:
    """Return what is kept of a status."""
    keep = _KEPT_OF_STATUS.get(kind)
    kept = {key: value for key, value in keep(status).items() if value} if keep else {}
    return _shared(dump(kept)) if kept else b""


def is_news(kind: ChildKind, before: Live, after: Live) -> bool:
    """Return whether an event tells a project anything.

    Controllers write statuses all the time: only what we keep of an object is news, and of one that is being deleted
    what its status says of the reason. How much of a quota is used moves with every pod and is no news.
    """
    told = after.told if kind is RESOURCE_QUOTA else before.told
    return after.deleting or before._replace(version=after.version, told=told) != after


def _kept_of_application(status: Mapping[str, Any]) -> dict[str, Any]:
    return {"health": (status.get("health") or {}).get("status")}


def _kept_of_quota(status: Mapping[str, Any]) -> dict[str, Any]:
    return {"used": {key: amount for key, amount in (status.get("used") or {}).items() if amount != "0"}}


_KEPT_OF_STATUS: Final[Mapping[ChildKind, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    APPLICATION: _kept_of_application,
    RESOURCE_QUOTA: _kept_of_quota,
}


@lru_cache(maxsize=256)
def _shared(told: bytes) -> bytes:
    """Return one compact copy for the many objects that are told the same."""
    return compact(told)


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


def dump(content: dict[str, Any]) -> bytes:
    """Return canonical JSON."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def compact(content: bytes) -> bytes:
    """Return a copy that takes no more than its length: orjson's answer keeps the whole buffer that it wrote into."""
    return bytes(memoryview(content))
