"""Cached form of a live object: proof of ownership, and the compared fields as compact bytes."""

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
"""Top-level fields that are never ours: identity, and fields that controllers write (Argo CD's ``operation``)."""


_OURS = f"{names.GROUP}/"
_ORIGIN = ("installation", "project", "uid", "environment")
_WORD = re.compile(r"[A-Za-z0-9.-]{1,253}")
_LONGEST_ORIGIN = 1024
"""Longest accepted annotation with an origin, in characters: ours is shorter, and messages show its values."""


class Origin(NamedTuple):
    """The environment that an object was detached from."""

    owner: Owner
    environment: str
    mark: str = ""
    """For a namespace: UID of the admission policy binding at the time of detachment."""
    former: bool = False
    """Whether the annotation has the former name."""
    stage: str = ""
    """For a namespace: the stage of the environment; the empty string if an earlier version detached it."""


class CachedObject(NamedTuple):
    """The cached form of an object in a cluster."""

    uid: str
    version: int
    owner: Owner | None
    environment: str
    deleting: bool
    cascades: bool
    """Whether it has Argo CD's cascade finalizer."""
    told: bytes
    """The cached part of its status, as canonical JSON; empty if none is cached."""
    content: bytes
    applied: str = ""
    """For an AppProject: the annotation with the applied digests of repository Secrets."""
    origin: Origin | None = None
    """For an object without owner: its origin by the annotation, which proves nothing by itself."""
    admitted: Admitted = Admitted()
    """For a namespace of ours: the admitted revision."""
    created: str = ""
    """For a namespace: the time of its creation, as the API server writes it."""

    @property
    def application(self) -> Application:
        """For an Application: its status by Argo CD."""
        return read_application(self._told())

    @property
    def used(self) -> dict[str, str]:
        """For a ResourceQuota: the used amounts, without zeros."""
        used: dict[str, str] = self._told().get("used", {})
        return used

    @property
    def full(self) -> dict[str, str]:
        """For a ResourceQuota: the exhausted resources with their limits."""
        full: dict[str, str] = self._told().get("full", {})
        return full

    @property
    def in_force(self) -> bool:
        """For a ResourceQuota: whether its status has the limits of its spec; before that it is not enforced."""
        return "pending" not in self._told()

    @property
    def confirmed(self) -> str:
        """For a namespace of ours: the annotation with the confirmed removal that it is part of."""
        annotations: dict[str, str] = orjson.loads(self.content)["metadata"]["annotations"]
        return annotations.get(names.ANNOTATION_CONFIRMED, "")

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = orjson.loads(self.told) if self.told else {}
        return told


def own_label(key: str) -> bool:
    """Return whether a label is ours on every kind."""
    return key == names.LABEL_MANAGED_BY or key.startswith(_OURS)


def key_of(cluster: str, kind: ChildKind, manifest: Manifest) -> ObjectKey:
    """Return the key of a manifest."""
    metadata = manifest["metadata"]
    return ObjectKey(cluster, kind, sys.intern(metadata.get("namespace", "")), metadata["name"])


def cached_object_of(kind: ChildKind, manifest: Manifest, known: CachedObject | None = None) -> CachedObject:
    """Return the cached form of a manifest from the API server.

    ``known`` is its former cached form: unchanged parts are not parsed again.
    """
    metadata = manifest["metadata"]
    labels: dict[str, str] = metadata.get("labels") or {}
    annotations: dict[str, str] = metadata.get("annotations") or {}
    owner = owner_of(labels)
    content = compact(dump(comparable(kind, manifest))) if owner else b""
    admitted = Admitted()
    if kind is NAMESPACE and owner:
        admitted = _admitted(content, annotations, known)
    return CachedObject(
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        owner=owner,
        environment=sys.intern(labels.get(names.LABEL_ENVIRONMENT, "")) if owner else "",
        deleting="deletionTimestamp" in metadata,
        cascades=any(item.startswith(names.CASCADE_FINALIZER) for item in metadata.get("finalizers") or ()),
        told=_told_of(kind, manifest) if owner else b"",
        content=content,
        applied=_applied(kind, annotations),
        origin=None if owner else origin_of(annotations),
        admitted=admitted,
        created=_created(kind, metadata),
    )


def _created(kind: ChildKind, metadata: Mapping[str, Any]) -> str:
    return metadata.get("creationTimestamp", "") if kind is NAMESPACE else ""


def _applied(kind: ChildKind, annotations: Mapping[str, str]) -> str:
    return annotations.get(names.ANNOTATION_CREDENTIALS, "") if kind is APP_PROJECT else ""


def _admitted(content: bytes, annotations: Mapping[str, str], known: CachedObject | None) -> Admitted:
    if known is not None and known.content == content:
        return known.admitted
    return read_admitted(annotations.get(names.ANNOTATION_ADMITTED, ""))


def told_of(
    kind: ChildKind, status: Mapping[str, Any], created: str = "", asked: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """Return the cached part of a status.

    ``created`` is the creation time of the object, ``asked`` the limits in the spec of a quota.
    """
    kept: dict[str, Any] = {}
    if kind is APPLICATION:
        kept = kept_of_application(status, created)
    elif kind is RESOURCE_QUOTA:
        kept = _kept_of_quota(status, asked)
    kept = {key: value for key, value in kept.items() if value or value == 0}
    return _shared(compact(dump(kept))) if kept else b""


def is_news(kind: ChildKind, before: CachedObject, after: CachedObject) -> bool:
    """Return whether an event calls for a reconcile of the project.

    Controllers write statuses all the time: only a change of the cached form counts, and every event of an object that
    is being deleted, because its status has the reason. The used amounts of a quota change with every pod: they count
    only if a resource becomes exhausted or available again, or the quota comes into force.
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
    """Return one copy for all objects with the same cached status."""
    return told


def owner_of(labels: dict[str, str]) -> Owner | None:
    """Return the owner in the labels; None unless all of them are set."""
    installation = labels.get(names.LABEL_INSTALLATION)
    project, uid = labels.get(names.LABEL_PROJECT), labels.get(names.LABEL_PROJECT_UID)
    if not (installation and project and uid):
        return None
    return _owner(installation, project, uid)


def origin_of(annotations: Mapping[str, str]) -> Origin | None:
    """Return the origin in the annotation of a detached object; None if it is missing or not in our form."""
    former = names.ANNOTATION_DETACHED not in annotations
    text = annotations.get(names.ANNOTATION_RELEASED if former else names.ANNOTATION_DETACHED, "")
    if not text or len(text) > _LONGEST_ORIGIN:
        return None
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        return None
    # The admission policy on the operator's account compares text, because CEL there parses no JSON.
    if orjson.dumps(told).decode() != text:
        return None
    parts = [part for name in _ORIGIN if (part := _word(told.get(name, "")))]
    if len(parts) != len(_ORIGIN):
        return None
    installation, project, uid, environment = parts
    return Origin(
        _owner(installation, project, uid),
        environment,
        _word(told.get("guard", "")),
        former,
        _word(told.get("stage", "")),
    )


def _word(given: str) -> str:
    return given if _WORD.fullmatch(given) else ""


@lru_cache(maxsize=4096)
def _owner(installation: str, project: str, uid: str) -> Owner:
    """Return one Owner for all objects of the same owner."""
    return Owner(installation, project, uid)


def comparable(kind: ChildKind, manifest: Manifest) -> dict[str, Any]:
    """Return the compared part of a manifest: our labels and annotations, and all fields except metadata and status.

    For a namespace: all labels, because they include the project's own, and no spec, because the API server owns it.
    """
    metadata = manifest["metadata"]
    labels: dict[str, str] = metadata.get("labels") or {}
    if kind is NAMESPACE:
        annotations: dict[str, str] = metadata.get("annotations") or {}
        ours = {key: value for key, value in annotations.items() if key.startswith(_OURS)}
        return {"metadata": {"labels": labels, "annotations": ours}}
    body = {key: value for key, value in manifest.items() if key not in NOT_COMPARED}
    return {"metadata": {"labels": {key: value for key, value in labels.items() if own_label(key)}}, **body}
