"""What we keep of a live object: proof of ownership, and as compact bytes only what a comparison needs."""

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from onboarding import names
from onboarding.api.quantities import milli
from onboarding.build.canonical import compact, dump
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE, RESOURCE_QUOTA, ChildKind, Manifest, ObjectKey
from onboarding.build.revision import Owner
from onboarding.reconcile.observed.admitted import Admitted, read_admitted
from onboarding.reconcile.observed.argocd_status import Application, kept_of_application, read_application

NOT_COMPARED = frozenset({"apiVersion", "kind", "metadata", "status", "operation"})
"""Top-level fields that are never ours: identity, and what controllers write (Argo CD's ``operation`` is a request)."""


_OURS = f"{names.GROUP}/"
_ORIGIN = ("installation", "project", "uid", "environment")
_WORD = re.compile(r"[A-Za-z0-9.-]{1,253}")
_LONGEST_ORIGIN = 1024
"""Characters of the annotation that says where an object came from: ours is shorter, and what it says is shown."""


class Origin(NamedTuple):
    """Where a released object came from."""

    owner: Owner
    environment: str
    mark: str = ""
    """Of a namespace: the binding of the admission policy under which that was written, by its UID."""


class CachedObject(NamedTuple):
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
    applied: str = ""
    """Of an AppProject: our note of the repository Secrets beside it."""
    origin: Origin | None = None
    """Of an object that is nobody's: where it says that it came from, which proves nothing by itself."""
    admitted: Admitted = Admitted()
    """Of a namespace of ours: its admitted revision."""

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

    @property
    def in_force(self) -> bool:
        """Of a ResourceQuota: whether its status holds what its spec asks; before that the API server enforces none."""
        return "pending" not in self._told()

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = orjson.loads(self.told) if self.told else {}
        return told


def own_label(key: str) -> bool:
    """Return whether a label is ours on every kind."""
    return key == names.LABEL_MANAGED_BY or key.startswith(_OURS)


def key_of(cluster: str, kind: ChildKind, manifest: Manifest) -> ObjectKey:
    """Return where an object lives."""
    metadata = manifest["metadata"]
    return ObjectKey(cluster, kind, sys.intern(metadata.get("namespace", "")), metadata["name"])


def cached_object_of(kind: ChildKind, manifest: Manifest, known: CachedObject | None = None) -> CachedObject:
    """Return the cached form of an object that the API server gave us.

    ``known`` is its cached form so far: parts that have not changed are not parsed again.
    """
    metadata = manifest["metadata"]
    labels: dict[str, str] = metadata.get("labels") or {}
    annotations: dict[str, str] = metadata.get("annotations") or {}
    owner = owner_of(labels)
    content = compact(dump(comparable(kind, manifest))) if owner else b""
    admitted = Admitted()
    if kind is NAMESPACE and owner:
        same = known is not None and known.content == content
        admitted = known.admitted if known and same else read_admitted(annotations.get(names.ANNOTATION_ADMITTED, ""))
    return CachedObject(
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        owner=owner,
        environment=sys.intern(labels.get(names.LABEL_ENVIRONMENT, "")) if owner else "",
        deleting="deletionTimestamp" in metadata,
        cascades=any(item.startswith(names.CASCADE_FINALIZER) for item in metadata.get("finalizers") or ()),
        told=_told_of(kind, manifest) if owner else b"",
        content=content,
        applied=annotations.get(names.ANNOTATION_CREDENTIALS, "") if kind is APP_PROJECT else "",
        origin=None if owner else origin_of(annotations),
        admitted=admitted,
    )


def told_of(
    kind: ChildKind, status: Mapping[str, Any], created: str = "", asked: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """Return what is kept of a status, of an object that was created then; of a quota that asks for this."""
    kept: dict[str, Any] = {}
    if kind is APPLICATION:
        kept = kept_of_application(status, created)
    elif kind is RESOURCE_QUOTA:
        kept = _kept_of_quota(status, asked)
    kept = {key: value for key, value in kept.items() if value or value == 0}
    return _shared(compact(dump(kept))) if kept else b""


def is_news(kind: ChildKind, before: CachedObject, after: CachedObject) -> bool:
    """Return whether an event tells a project anything.

    Controllers write statuses all the time: only what we keep of an object is news, and of one that is being deleted
    what its status says of the reason. How much of a quota is used moves with every pod and is no news, unless all of
    something is used now, or not any more, or it comes into force.
    """
    same = kind is RESOURCE_QUOTA and (before.full, before.in_force) == (after.full, after.in_force)
    told = after.told if same else before.told
    return after.deleting or before._replace(version=after.version, told=told) != after


def _told_of(kind: ChildKind, manifest: Manifest) -> bytes:
    asked = (manifest.get("spec") or {}).get("hard") or {} if kind is RESOURCE_QUOTA else {}
    return told_of(kind, manifest.get("status") or {}, manifest["metadata"].get("creationTimestamp", ""), asked)


def _kept_of_quota(status: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    used = {key: amount for key, amount in (status.get("used") or {}).items() if amount != "0"}
    hard: Mapping[str, str] = status.get("hard") or {}
    full = {key: hard[key] for key, amount in used.items() if key in hard and milli(amount) >= milli(hard[key])}
    pending = any(key not in hard or milli(hard[key]) != milli(amount) for key, amount in asked.items())
    return {"used": used, "full": full, **({"pending": True} if pending else {})}


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


def origin_of(annotations: Mapping[str, str]) -> Origin | None:
    """Return where an object says that it was released from; None where it does not, or not as we write it."""
    text = annotations.get(names.ANNOTATION_RELEASED, "")
    if not text or len(text) > _LONGEST_ORIGIN:
        return None
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        return None
    # As the admission policy on the operator's account reads it, which knows no JSON.
    if orjson.dumps(told).decode() != text:
        return None
    parts = [part for name in _ORIGIN if (part := _word(told.get(name, "")))]
    if len(parts) != len(_ORIGIN):
        return None
    installation, project, uid, environment = parts
    return Origin(_owner(installation, project, uid), environment, _word(told.get("guard", "")))


def _word(given: str) -> str:
    return given if _WORD.fullmatch(given) else ""


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
        ours = {key: value for key, value in annotations.items() if key.startswith(_OURS)}
        return {"metadata": {"labels": labels, "annotations": ours}}
    body = {key: value for key, value in manifest.items() if key not in NOT_COMPARED}
    return {"metadata": {"labels": {key: value for key, value in labels.items() if own_label(key)}}, **body}
