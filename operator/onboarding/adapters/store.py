"""Cache of one cluster: the objects with our labels, and the names of all other namespaces."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from onboarding.adapters.gone import GoneNamespaces
from onboarding.adapters.informer import Feed
from onboarding.build.kinds import NAMESPACE, ChildKind, Manifest, ObjectKey
from onboarding.build.revision import Owner
from onboarding.freshness import Freshness, freshness, outlives
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of, is_news, key_of
from onboarding.reconcile.observed.ledgers import NamespaceLedger


class Namespaces(Protocol):
    """Follows which namespaces a cluster has."""

    def on_namespace(self, name: str, live: CachedObject | None) -> None:
        """Take in a namespace as it is now; None if it is gone."""

    def namespaces_listed(self) -> None:
        """Take in that every namespace has been told."""


class Store:
    """Cached objects of one cluster by key, and the keys of each project."""

    def __init__(
        self,
        cluster: str,
        changed: Callable[[str], None],
        ledger: NamespaceLedger,
        namespaces: Namespaces | None = None,
    ) -> None:
        """Call ``changed`` with the name of a project if one of its objects is changed by anybody but the operator.

        Tell ``namespaces`` of each namespace that is cached or dropped.
        """
        self._cluster = cluster
        self._changed = changed
        self._ledger = ledger
        self.gone = GoneNamespaces(ledger.installation)
        self._namespaces = namespaces
        self._objects: dict[ObjectKey, CachedObject] = {}
        self._keys: defaultdict[str, set[ObjectKey]] = defaultdict(set)
        self.owners: Counter[Owner] = Counter()
        """The number of cached objects by owner; none is zero."""
        self._expected: set[ObjectKey] = set()
        self._followers: defaultdict[ObjectKey, set[str]] = defaultdict(set)
        self._followed: defaultdict[str, set[ObjectKey]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: ObjectKey) -> CachedObject | None:
        """Return the cached object at a key; None if there is none."""
        return self._objects.get(key)

    def version(self, kind: ChildKind, manifest: Manifest) -> int:
        """Return the cached version of an object; 0 if it is not cached."""
        known = self._objects.get(key_of(self._cluster, kind, manifest))
        return known.version if known else 0

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:
        """Return the objects whose labels name this project."""
        return {key: self._objects[key] for key in self._keys.get(project, ())}

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:
        """Return the cached object at a key, and notify a project of changes, though the object is not its own."""
        self._followers[key].add(project)
        self._followed[project].add(key)
        return self._objects.get(key)

    def unfollow(self, project: str) -> None:
        """Stop to notify a project of objects that are not its own."""
        for key in self._followed.pop(project, ()):
            self._followers[key].discard(project)
            if not self._followers[key]:
                del self._followers[key]

    def begin_write(self, key: ObjectKey) -> None:
        """Expect the event of our own write, which may come before the answer: it does not cause a reconcile."""
        self._expected.add(key)

    def end_write(self, key: ObjectKey) -> None:
        """Expect no event any more: the write has ended, with or without success."""
        self._expected.discard(key)

    def on_write(self, kind: ChildKind, manifest: Manifest, *, must_be_known: bool = False) -> CachedObject:
        """Cache the answer to our own write or read, and return it as it is cached.

        Its event will cause no reconcile, unless somebody wrote later.

        ``must_be_known`` is for changes and deletions: an object that is gone by now does not come back.
        """
        key = key_of(self._cluster, kind, manifest)
        known = self._objects.get(key)
        live = cached_object_of(kind, manifest, known)
        match freshness(live.version, known and known.version, must_be_known=must_be_known):
            case Freshness.NEWER:
                self._put(key, live)
            case Freshness.OLDER:
                self._tell(known, known)
        return live

    def on_update(self, kind: ChildKind, manifest: Manifest) -> None:
        """Cache an object that was listed, added or modified, if it is newer than the cached one."""
        key = key_of(self._cluster, kind, manifest)
        known = self._objects.get(key)
        if freshness(_version(manifest), known and known.version) is not Freshness.NEWER:
            return
        live = cached_object_of(kind, manifest, known)
        self._put(key, live)
        if (known is None or is_news(kind, known, live)) and key not in self._expected:
            self._tell(known, live)

    def on_delete(self, kind: ChildKind, manifest: Manifest) -> None:
        """Drop an object after a DELETED event, which is also sent when it loses our label."""
        key = key_of(self._cluster, kind, manifest)
        known = self._objects.get(key)
        if known is not None and not outlives(_version(manifest), known.version):
            self._lose(key, known)

    def remove(self, key: ObjectKey, uid: str) -> None:
        """Drop an object that our own DELETE has removed, if it is the one of this UID."""
        known = self._objects.get(key)
        if known is not None and known.uid == uid:
            self._drop(key)

    def on_not_found(self, key: ObjectKey) -> None:
        """Drop an object that a GET did not find; its later DELETED event is then ignored."""
        known = self._objects.get(key)
        if known is not None:
            self._lose(key, known)

    def on_list(self, kind: ChildKind, listed: AbstractSet[tuple[str, str]], version: int) -> None:
        """Drop each object that a complete list lacks (by namespace and name), unless it is newer than the list."""
        for key in [key for key in self._objects if key.kind is kind and (key.namespace, key.name) not in listed]:
            known = self._objects[key]
            if not outlives(version, known.version):
                self._lose(key, known)
        if kind is NAMESPACE and self._namespaces:
            self._namespaces.namespaces_listed()

    def feed(self, kind: ChildKind, query: Mapping[str, str]) -> Feed:
        """Return the feed that fills this cache with the objects of a kind."""
        return Feed(
            cluster=self._cluster,
            kind=kind.kind,
            path=kind.path(),
            query=query,
            metadata_only=kind is NAMESPACE,
            on_update=lambda item: self.on_update(kind, item),
            on_list=lambda listed, version: self.on_list(kind, listed, version),
            on_delete=lambda item: self.on_delete(kind, item),
            known=lambda item: self.version(kind, item),
        )

    def _put(self, key: ObjectKey, live: CachedObject) -> None:
        known = self._objects.get(key)
        if known is not None and known.owner != live.owner:
            self._drop(key)
        self._objects[key] = live
        if key in self._followers and (known is None or is_news(key.kind, known, live)):
            self._tell_followers(key)
        if key.kind is NAMESPACE:
            self._ledger.on_update(key, live)
            self.gone.on_update(key, known, live)
            if self._namespaces:
                self._namespaces.on_namespace(key.name, live)
        if live.owner and key not in self._keys[live.owner.project]:
            self._keys[live.owner.project].add(key)
            self.owners[live.owner] += 1

    def _lose(self, key: ObjectKey, known: CachedObject) -> None:
        """Drop an object that is not there any more, and remember a namespace that somebody else deleted."""
        self._drop(key)
        if key.kind is NAMESPACE:
            self.gone.on_delete(key, known)
        self._tell(known, None)

    def _drop(self, key: ObjectKey) -> None:
        live = self._objects.pop(key)
        self._tell_followers(key)
        if key.kind is NAMESPACE:
            self._ledger.remove(key)
            if self._namespaces:
                self._namespaces.on_namespace(key.name, None)
        if live.owner:
            keys = self._keys[live.owner.project]
            keys.discard(key)
            if not keys:
                del self._keys[live.owner.project]
            self.owners[live.owner] -= 1
            if not self.owners[live.owner]:
                del self.owners[live.owner]

    def _tell_followers(self, key: ObjectKey) -> None:
        for project in self._followers.get(key, ()):
            self._changed(project)

    def _tell(self, before: CachedObject | None, after: CachedObject | None) -> None:
        for project in {item.owner.project for item in (before, after) if item and item.owner}:
            self._changed(project)


def _version(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])
