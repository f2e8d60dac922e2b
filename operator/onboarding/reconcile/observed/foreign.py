"""Guard rails of others: objects in our namespaces that restrict or grant beside ours."""

import hashlib
from typing import Any, Final, NamedTuple

from onboarding.build.canonical import dump
from onboarding.build.kinds import (
    LIMIT_RANGE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    ChildKind,
    Manifest,
)
from onboarding.reconcile.observed.cached_object import NOT_COMPARED

GUARD_KINDS: Final = (RESOURCE_QUOTA, LIMIT_RANGE, NETWORK_POLICY, ROLE_BINDING)
"""Kinds that restrict or grant in a namespace: an object of somebody else changes the effect of ours."""


class ForeignObject(NamedTuple):
    """An object in a namespace of ours that is not ours."""

    kind: ChildKind
    name: str
    digest: int
    """Short digest of its content, so that a change is news."""


def digest_of(manifest: Manifest) -> int:
    """Return a short digest of the content of an object, without metadata and status."""
    content: dict[str, Any] = {key: value for key, value in manifest.items() if key not in NOT_COMPARED}
    return int.from_bytes(hashlib.blake2b(dump(content), digest_size=4).digest())
