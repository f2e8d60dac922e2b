"""Foreign edits and deletions of managed objects, one kind after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from onboarding.adapters.client import JSON_PATCH, MERGE_PATCH, Client
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.names import LABEL_STAGE
from tests.bench.load import all_keys, place_of

_INTRUDER = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "intruder"}
_EDITS: Final[dict[str, tuple[str, Any]]] = {
    "ResourceQuota": (MERGE_PATCH, {"spec": {"hard": {"pods": "9999"}}}),
    "LimitRange": (JSON_PATCH, [{"op": "replace", "path": "/spec/limits/0/default/cpu", "value": "1"}]),
    "NetworkPolicy": (MERGE_PATCH, {"spec": {"policyTypes": ["Ingress"], "ingress": [{}]}}),
    "RoleBinding": (JSON_PATCH, [{"op": "add", "path": "/subjects/-", "value": _INTRUDER}]),
    "ServiceAccount": (MERGE_PATCH, {"automountServiceAccountToken": True}),
    "AppProject": (MERGE_PATCH, {"spec": {"sourceRepos": ["*"]}}),
    "Application": (MERGE_PATCH, {"spec": {"source": {"path": "elsewhere"}}}),
    "Namespace": (MERGE_PATCH, {"metadata": {"labels": {LABEL_STAGE: "elsewhere"}}}),
}
"""What is done to an object of each kind; every one of them is a difference that the operator answers for."""


@dataclass(frozen=True, slots=True)
class Tampering:
    """One foreign write."""

    key: ObjectKey
    deletes: bool

    @property
    def name(self) -> str:
        """What it is, without whom it meets."""
        return f"{'delete' if self.deletes else 'edit'} {self.key.kind.kind}"

    @property
    def place(self) -> tuple[str, str, str]:
        """The object as the audit log names it."""
        return place_of(self.key)

    async def carry_out(self, client: Client) -> None:
        """Do it."""
        path = self.key.kind.path(self.key.namespace, self.key.name)
        if self.deletes:
            await client.request("DELETE", path)
        else:
            content_type, patch = _EDITS[self.key.kind.kind]
            await client.request("PATCH", path, body=patch, content_type=content_type)


def tamperings(projects: int, limit: int) -> list[Tampering]:
    """Return foreign writes on as many objects, no object twice, all kinds and both verbs in turn."""
    free: dict[str, Iterator[ObjectKey]] = {kind: _keys(projects, kind) for kind in _EDITS}
    ways = [(kind, False) for kind in _EDITS] + [(kind, True) for kind in _EDITS if kind != NAMESPACE.kind]
    found: list[Tampering] = []
    while ways and len(found) < limit:
        for way in list(ways):
            key = next(free[way[0]], None)
            if key is None:
                ways.remove(way)
            elif len(found) < limit:
                found.append(Tampering(key, way[1]))
    return found


def namespaces(projects: int, limit: int) -> list[Tampering]:
    """Return deletions of whole namespaces, one in each of the last projects."""
    last = list(all_keys(projects).values())[-limit:]
    return [Tampering(next(key for key in keys if key.kind is NAMESPACE), deletes=True) for keys in last]


def _keys(projects: int, kind: str) -> Iterator[ObjectKey]:
    """Yield the objects of a kind: one of each project before the second of any, and each kind begins elsewhere."""
    by_project = [[key for key in keys if key.kind.kind == kind] for keys in all_keys(projects).values()]
    begin = list(_EDITS).index(kind) * projects // len(_EDITS)
    by_project = by_project[begin:] + by_project[:begin]
    for position in range(max(len(keys) for keys in by_project)):
        for keys in by_project:
            if position < len(keys):
                yield keys[position]
