"""The cache of one cluster: what is ours there, and the names of the namespaces that are not."""

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from onboarding.build.kinds import NAMESPACE, ChildKind, Manifest, ObjectKey
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of, is_news, key_of
from onboarding.reconcile.observed.capacity import CapacityLedger


class Store:
    """Live objects of one cluster by key, and the keys of each project."""

    def __init__(self, cluster: str, changed: Callable[[str], None], ledger: CapacityLedger) -> None:
        """Call ``changed`` with a project's name when something of it changed that we did not write ourselves."""
        self._cluster = cluster
        self._changed = changed
        self._ledger = ledger
        self._objects: dict[ObjectKey, CachedObject] = {}
        self._keys: defaultdict[str, set[ObjectKey]] = defaultdict(set)
        self._expected: set[ObjectKey] = set()
        self._followers: defaultdict[ObjectKey, set[str]] = defaultdict(set)
        self._followed: defaultdict[str, set[ObjectKey]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: ObjectKey) -> CachedObject | None:
        """Return what is known at a place."""
        return self._objects.get(key)

    def version(self, kind: ChildKind, manifest: Manifest) -> int:
        """Return the version that is known of an object; 0 where it is not known."""
        known = self._objects.get(key_of(self._cluster, kind, manifest))
        return known.version if known else 0

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:
        """Return the objects whose labels name this project."""
        return {key: self._objects[key] for key in self._keys.get(project, ())}

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:
        """Return what is known at a place, and tell a project of what changes there, though it is not its own."""
        self._followers[key].add(project)
        self._followed[project].add(key)
        return self._objects.get(key)

    def unfollow(self, project: str) -> None:
        """Tell a project no more of what is not its own."""
        for key in self._followed.pop(project, ()):
            self._followers[key].discard(project)
            if not self._followers[key]:
                del self._followers[key]

    def expect(self, key: ObjectKey) -> None:
        """Know that we are writing an object: its event may come before the answer, and is no news then."""
        self._expected.add(key)

    def answered(self, key: ObjectKey) -> None:
        """Know that a write has ended, well or not."""
        self._expected.discard(key)

    def wrote(self, kind: ChildKind, manifest: Manifest) -> None:
        """Take in the answer to our own write; its event will be no news, unless somebody wrote after us."""
        key = key_of(self._cluster, kind, manifest)
        known = self._objects.get(key)
        live = cached_object_of(kind, manifest, known)
        if known is None or known.version < live.version:
            self._put(key, live)
        elif known.version > live.version:
            self._tell(known, known)

    def heard(self, kind: ChildKind, manifest: Manifest) -> None:
        """Take in an event that an object was added or modified; older news is ignored."""
        key = key_of(self._cluster, kind, manifest)
        known = self._objects.get(key)
        if known is not None and known.version >= int(manifest["metadata"]["resourceVersion"]):
            return
        live = cached_object_of(kind, manifest, known)
        self._put(key, live)
        if (known is None or is_news(kind, known, live)) and key not in self._expected:
            self._tell(known, live)

    def lost(self, kind: ChildKind, manifest: Manifest) -> None:
        """Take in an event that an object is gone, or no longer carries our label."""
        key = key_of(self._cluster, kind, manifest)
        known = self._objects.get(key)
        if known is not None and known.version <= int(manifest["metadata"]["resourceVersion"]):
            self._drop(key)
            self._tell(known, None)

    def forget(self, key: ObjectKey, uid: str) -> None:
        """Forget an object that our own delete has removed."""
        known = self._objects.get(key)
        if known is not None and known.uid == uid:
            self._drop(key)

    def missing(self, key: ObjectKey) -> None:
        """Take in that a read found nothing: its event, which may come later, will find nothing to tell of."""
        known = self._objects.get(key)
        if known is not None:
            self._drop(key)
            self._tell(known, None)

    def complete(self, kind: ChildKind, listed: AbstractSet[tuple[str, str]], version: int) -> None:
        """Take in that a list was complete: what is not in it (namespace and name) and not newer than it is gone."""
        for key in [key for key in self._objects if key.kind is kind and (key.namespace, key.name) not in listed]:
            known = self._objects[key]
            if known.version <= version:
                self._drop(key)
                self._tell(known, None)

    def _put(self, key: ObjectKey, live: CachedObject) -> None:
        known = self._objects.get(key)
        if known is not None and known.owner != live.owner:
            self._drop(key)
        self._objects[key] = live
        if key in self._followers and (known is None or is_news(key.kind, known, live)):
            self._tell_followers(key)
        if key.kind is NAMESPACE:
            self._ledger.heard(key, live)
        if live.owner:
            self._keys[live.owner.project].add(key)

    def _drop(self, key: ObjectKey) -> None:
        live = self._objects.pop(key)
        self._tell_followers(key)
        if key.kind is NAMESPACE:
            self._ledger.forgot(key)
        if live.owner:
            keys = self._keys[live.owner.project]
            keys.discard(key)
            if not keys:
                del self._keys[live.owner.project]

    def _tell_followers(self, key: ObjectKey) -> None:
        for project in self._followers.get(key, ()):
            self._changed(project)

    def _tell(self, before: CachedObject | None, after: CachedObject | None) -> None:
        for project in {item.owner.project for item in (before, after) if item and item.owner}:
            self._changed(project)
