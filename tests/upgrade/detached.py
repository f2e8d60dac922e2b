"""Environments as former versions detached them: without our labels, and with the word of where they came from."""

import json
from collections.abc import Sequence
from typing import Any, Final

from onboarding import names
from onboarding.build.kinds import Manifest
from onboarding.reconcile.observed.cached_object import own_label

GUARD: Final = "guard_v1.yaml"
"""Policy and binding of the version after the recorded one: the first that guarded the annotation."""
_KINDS: Final = ("LimitRange", "Namespace", "NetworkPolicy", "ResourceQuota", "RoleBinding")


def detached(left: Sequence[Manifest], project: str, environment: str, as_: str, guard: str = "") -> list[Manifest]:
    """Return a recorded environment as another that was detached, with the UID of a binding; the namespace first."""
    space = f"{project}-{environment}"
    found = [item for item in left if item["kind"] in _KINDS and space in _places(item)]
    namespace = next(item for item in found if item["kind"] == "Namespace")
    origin = _origin(namespace["metadata"]["labels"], as_)
    found.sort(key=lambda item: item is not namespace)
    renamed = json.loads(json.dumps(found).replace(f'"{space}"', f'"{project}-{as_}"'))
    marked = {**origin, "guard": guard} if guard else origin
    return [_let_go(item, marked if item["kind"] == "Namespace" else origin) for item in renamed]


def _places(item: Manifest) -> tuple[str, ...]:
    """Return the namespace of an object that is detached with it; the sync account's binding is deleted instead."""
    metadata = item["metadata"]
    if metadata["name"].startswith("sync:"):
        return ()
    return (metadata["name"],) if item["kind"] == "Namespace" else (metadata["namespace"],)


def _origin(labels: Manifest, environment: str) -> dict[str, str]:
    return {
        "project": labels[names.LABEL_PROJECT],
        "uid": labels[names.LABEL_PROJECT_UID],
        "environment": environment,
        "installation": labels[names.LABEL_INSTALLATION],
        "at": "2026-11-29T20:10:00+00:00",
    }


def _let_go(item: Manifest, origin: dict[str, Any]) -> Manifest:
    metadata = item["metadata"]
    labels = {key: value for key, value in metadata["labels"].items() if not own_label(key)}
    annotations = {names.ANNOTATION_RELEASED: json.dumps(origin, separators=(",", ":"))}
    return {**item, "metadata": {**metadata, "labels": labels, "annotations": annotations}}
