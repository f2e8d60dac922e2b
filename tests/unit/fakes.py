"""A cluster in memory, which behaves as the API server does where the pass relies on it."""

from collections.abc import Iterable
from typing import Any

from onboarding import names
from onboarding.build.credentials import Source
from onboarding.build.kinds import RESOURCE_QUOTA, ChildKind, Manifest, ObjectKey
from onboarding.errors import ApiError, OnboardingError, SecretError
from onboarding.reconcile.apply.execute import Deliver
from onboarding.reconcile.apply.repairs import InPlace
from onboarding.reconcile.apply.repeated import ProjectWrites, RepeatedWrites
from onboarding.reconcile.apply.repository_secrets import RepositorySecretWriter
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of
from onboarding.reconcile.observed.foreign import ForeignObject
from onboarding.reconcile.observed.snapshot import ClusterState
from tests.unit.snapshots import NOW, STATE


def merged(target: Any, patch: Any) -> Any:
    """Apply a merge patch as RFC 7386 says."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


class FakeCluster:
    """Implements ``reconcile.observed.ports.Cluster``; ``log`` holds what was asked of it."""

    def __init__(self, state: ClusterState | None = None) -> None:
        self.state = state or STATE
        self.objects: dict[ObjectKey, Manifest] = {}
        self.log: list[tuple[str, ObjectKey]] = []
        self.broken: dict[tuple[str, str], OnboardingError] = {}
        """What it answers instead, by verb and kind."""
        self.blind = False
        """Whether the cache knows nothing."""
        self.counting = True
        """Whether its quota controller is there."""
        self.lost: dict[ObjectKey, GoneNamespace] = {}
        """The namespaces that somebody deleted."""
        self.strangers: dict[str, tuple[ForeignObject, ...]] = {}
        self.followed: dict[ObjectKey, set[str]] = {}
        self._version = 0

    def put(self, key: ObjectKey, manifest: Manifest) -> Manifest:
        """Let an object be there."""
        self._version += 1
        made = {"uid": f"uid-{key.name}", "resourceVersion": str(self._version)}
        self.objects[key] = {**manifest, "metadata": {**made, **manifest["metadata"]}}
        self.count()
        return self.objects[key]

    def count(self) -> None:
        """Play the quota controller: confirm every quota."""
        for key, item in self.objects.items():
            if self.counting and key.kind is RESOURCE_QUOTA and "spec" in item:
                self.objects[key] = {**item, "status": {"hard": item["spec"]["hard"]}}

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:
        """Note who wants to know, and return what is there."""
        self.followed.setdefault(key, set()).add(project)
        return self.cached(key)

    def unfollow(self, project: str) -> None:
        """Forget who wanted to know."""
        for projects in self.followed.values():
            projects.discard(project)

    def cached(self, key: ObjectKey) -> CachedObject | None:
        """Return what is there, unless the cache is blind."""
        found = None if self.blind else self.objects.get(key)
        return cached_object_of(key.kind, found) if found else None

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:
        """Return what carries the project's label."""
        return {
            key: cached_object_of(key.kind, manifest)
            for key, manifest in self.objects.items()
            if manifest["metadata"].get("labels", {}).get(names.LABEL_PROJECT) == project
        }

    def gone(self, project: str) -> dict[ObjectKey, GoneNamespace]:
        """Return the namespaces that somebody deleted."""
        return {key: item for key, item in self.lost.items() if item.owner.project == project}

    def forget_gone(self, project: str, keys: Iterable[ObjectKey]) -> None:
        """Forget some of them."""
        for key in tuple(keys):
            assert self.lost.pop(key).owner.project == project

    def foreign(self, namespace: str) -> tuple[ForeignObject, ...]:
        """Return what a test puts into a namespace beside our own."""
        return self.strangers.get(namespace, ())

    def admit(self, key: ObjectKey) -> CachedObject:
        """Let admission change what was written, as far as a test says so, and return the answer to the write."""
        return cached_object_of(key.kind, self.objects[key])

    async def create(self, key: ObjectKey, manifest: Manifest) -> CachedObject:
        """Make an object unless one is there."""
        self._meet("create", key)
        if key in self.objects:
            raise ApiError(409, "AlreadyExists", f"{key.name} already exists")
        self.put(key, manifest)
        return self.admit(key)

    async def change(self, key: ObjectKey, patch: Manifest, live: CachedObject) -> CachedObject:
        """Merge-patch the object of this UID, and of the version that the patch names."""
        self._meet("change", key)
        found = self._found(key, live)
        if patch.get("metadata", {}).get("resourceVersion") not in (None, found["metadata"]["resourceVersion"]):
            raise ApiError(409, "Conflict", "the object has been modified")
        self._version += 1
        changed = merged(found, patch)
        self.objects[key] = merged(changed, {"metadata": {"resourceVersion": str(self._version)}})
        self.count()
        return self.admit(key)

    async def delete(self, key: ObjectKey, live: CachedObject) -> bool:
        """Delete the object of this UID and version; one with finalizers stays for now."""
        self._meet("delete", key)
        found = self._found(key, live)
        if found["metadata"]["resourceVersion"] != str(live.version):
            raise ApiError(409, "Conflict", "the resourceVersion in the precondition does not match")
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "now"
            return False
        del self.objects[key]
        return True

    async def read(self, key: ObjectKey) -> Manifest | None:
        """Return what is there."""
        self._meet("read", key)
        return self.objects.get(key)

    async def list_in(self, kind: ChildKind, namespace: str) -> list[Manifest]:
        """Return what is in a namespace."""
        return [item for key, item in self.objects.items() if (key.kind, key.namespace) == (kind, namespace)]

    def _meet(self, verb: str, key: ObjectKey) -> None:
        self.log.append((verb, key))
        if (verb, key.kind.kind) in self.broken:
            raise self.broken[verb, key.kind.kind]

    def _found(self, key: ObjectKey, live: CachedObject) -> Manifest:
        found = self.objects.get(key)
        if found is None:
            raise ApiError(404, "NotFound", f"{key.name} not found")
        if found["metadata"]["uid"] != live.uid:
            raise ApiError(409, "Conflict", "the UID in the precondition does not match")
        return found


class FakeSecrets:
    """Implements ``reconcile.observed.ports.Secrets``; what is beside an Argo CD has no way out but the tests' own."""

    def __init__(self) -> None:
        self.own: dict[str, dict[str, bytes]] = {}
        """The Secrets of the operator's namespace."""
        self.versions: dict[str, Source] = {}
        """Their states, as far as somebody has looked."""
        self.objects: dict[ObjectKey, Manifest] = {}
        self.log: list[tuple[str, ObjectKey]] = []
        self.broken: dict[str, OnboardingError] = {}
        """What it answers instead, by verb."""

    def put(self, name: str, version: str, **content: bytes) -> None:
        """Let a Secret be in the operator's namespace."""
        self.own[name] = content
        self.versions[name] = Source(f"uid-{name}", version)

    def source(self, name: str) -> Source | None:
        """Return the state of a Secret of the operator's namespace."""
        return self.versions.get(name)

    async def read(self, name: str) -> dict[str, bytes]:
        """Return the content of a Secret of the operator's namespace."""
        if name not in self.own:
            raise SecretError(f"Secret own/{name} cannot be read: NotFound")
        return self.own[name]

    async def create(self, key: ObjectKey, manifest: Manifest) -> bool:
        """Make a Secret unless one is there."""
        self._meet("create", key)
        if key in self.objects:
            return False
        self.objects[key] = manifest
        return True

    async def overwrite(self, key: ObjectKey, manifest: Manifest) -> str:
        """Replace labels and data where all labels stay what they were, as the admission policy demands."""
        self._meet("overwrite", key)
        found = self.objects.get(key)
        if found is None:
            raise ApiError(404, "NotFound", f"{key.name} not found")
        if found["metadata"].get("labels") != manifest["metadata"]["labels"]:
            return ""
        self.objects[key] = {**found, "data": manifest.get("data", found["data"])}
        return f"uid-{key.name}"

    async def delete(self, key: ObjectKey, uid: str) -> None:
        """Delete the Secret of this UID."""
        self._meet("delete", key)
        assert uid == f"uid-{key.name}"
        del self.objects[key]

    def _meet(self, verb: str, key: ObjectKey) -> None:
        self.log.append((verb, key))
        if verb in self.broken:
            raise self.broken[verb]


def plainly() -> tuple[Deliver, ProjectWrites]:
    """Return the last arguments of ``execute`` for a project without Secrets, whose writes have all lasted."""
    return RepositorySecretWriter(FakeSecrets()).deliver, RepeatedWrites().of("shop", InPlace(), NOW)
