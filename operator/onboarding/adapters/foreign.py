"""Guard rails of others on one cluster: watched everywhere, and kept for namespaces of this installation only.

The watches begin when the namespaces are known, so that a start costs no request per namespace. A namespace that
becomes ours later, other than by our own create, is read once, beside the reconciles.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import structlog

from onboarding import names
from onboarding.adapters.client import Client
from onboarding.adapters.informer import Feed, Informer
from onboarding.backoff import Backoff
from onboarding.build.kinds import NAMESPACE, ChildKind, Manifest, ObjectKey
from onboarding.errors import OnboardingError
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.foreign import GUARD_KINDS, ForeignObject, digest_of

_NOT_OURS = {"labelSelector": f"!{names.LABEL_INSTALLATION}"}
_RETRY_FIRST, _RETRY_LAST = 1.0, 60.0

log = structlog.get_logger(__name__)


class ForeignGuards:
    """The guard rails of others in the namespaces of this installation on one cluster."""

    def __init__(
        self,
        cluster: str,
        client: Client,
        installation: str,
        *,
        idle_timeout: float,
        project_changed: Callable[[str], None],
        state_changed: Callable[[], None],
    ) -> None:
        """Call ``project_changed`` with the project of a namespace in which something is news."""
        self._cluster = cluster
        self._client = client
        self._installation = installation
        self._project_changed = project_changed
        self._managed: dict[str, str] = {}
        """The project of each namespace of ours; the empty string while we create it."""
        self._found: dict[str, dict[tuple[ChildKind, str], int]] = {}
        """The digest of each object, by namespace."""
        self._listed = asyncio.Event()
        self._unread: set[str] = set()
        """Namespaces that became ours and have not been read since."""
        self._wake = asyncio.Event()
        self._gone: set[tuple[ChildKind, str]] = set()
        """What went from the namespace that is being read."""
        self.informers = tuple(
            Informer(client, self._feed(kind), idle_timeout=idle_timeout, changed=state_changed) for kind in GUARD_KINDS
        )

    def work(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Return the tasks to run for as long as the cluster is connected."""
        return (*(self._watch(informer) for informer in self.informers), self.read_new())

    def of(self, namespace: str) -> tuple[ForeignObject, ...]:
        """Return what is known of a namespace, sorted by kind and name."""
        found = self._found.get(namespace)
        if not found:
            return ()
        items = (ForeignObject(kind, name, digest) for (kind, name), digest in found.items())
        return tuple(sorted(items, key=lambda item: (item.kind.kind, item.name)))

    def namespaces_listed(self) -> None:
        """Begin to watch: every namespace of ours is known."""
        self._listed.set()

    @contextlib.contextmanager
    def creating(self, key: ObjectKey) -> Iterator[None]:
        """Keep what comes into a namespace that is being created: its events may come before the answer."""
        if key.kind is NAMESPACE:
            self._managed.setdefault(key.name, "")
        try:
            yield
        except BaseException:
            if key.kind is NAMESPACE and self._managed.get(key.name) == "":
                self._forget(key.name)
            raise

    def on_namespace(self, name: str, live: CachedObject | None) -> None:
        """Follow which namespaces are ours; ``live`` is None if a namespace is gone."""
        owner = live.owner if live else None
        former = self._managed.get(name)
        if owner is None or owner.installation != self._installation:
            if former:
                self._forget(name)
            return
        self._managed[name] = owner.project
        if former is None and self._listed.is_set():
            self._unread.add(name)
            self._wake.set()
        if former != owner.project and name in self._found:
            self._project_changed(owner.project)

    def on_update(self, kind: ChildKind, item: Manifest) -> None:
        """Keep an object that was listed, added or modified, if its namespace is ours."""
        namespace = item["metadata"]["namespace"]
        if namespace not in self._managed:
            return
        found, key = self._found.setdefault(namespace, {}), (kind, sys.intern(item["metadata"]["name"]))
        digest = digest_of(item)
        if found.get(key) != digest:
            found[key] = digest
            self._tell(namespace)

    def on_delete(self, kind: ChildKind, item: Manifest) -> None:
        """Drop an object that is gone, or became ours."""
        self._drop(kind, item["metadata"]["namespace"], item["metadata"]["name"])

    def on_list(self, kind: ChildKind, listed: AbstractSet[tuple[str, str]]) -> None:
        """Drop each object that a complete list lacks."""
        known = [(space, name) for space, found in self._found.items() for of_kind, name in found if of_kind is kind]
        for namespace, name in known:
            if (namespace, name) not in listed:
                self._drop(kind, namespace, name)

    def _drop(self, kind: ChildKind, namespace: str, name: str) -> None:
        self._gone.add((kind, name))
        found = self._found.get(namespace, {})
        if found.pop((kind, name), None) is not None:
            if not found:
                del self._found[namespace]
            self._tell(namespace)

    def _tell(self, namespace: str) -> None:
        if project := self._managed.get(namespace):
            self._project_changed(project)

    def _forget(self, namespace: str) -> None:
        self._managed.pop(namespace, None)
        self._found.pop(namespace, None)
        self._unread.discard(namespace)

    async def _watch(self, informer: Informer) -> None:
        await self._listed.wait()
        await informer.run()

    async def read_new(self) -> None:
        """Read each namespace that became ours; again after a pause if the cluster does not answer."""
        backoff = Backoff(_RETRY_FIRST, _RETRY_LAST)
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._unread:
                    await self._read(next(iter(self._unread)))
                backoff.reset()
            except OnboardingError as error:
                log.warning("namespace unreadable", cluster=self._cluster, error=str(error))
                await asyncio.sleep(backoff.next())
                self._wake.set()

    async def _read(self, namespace: str) -> None:
        for kind in GUARD_KINDS:
            self._gone.clear()
            page = await self._client.request("GET", kind.path(namespace), query=_NOT_OURS)
            for item in page["items"] or ():
                if (kind, item["metadata"]["name"]) not in self._gone:
                    self.on_update(kind, item)
        self._unread.discard(namespace)

    def _feed(self, kind: ChildKind) -> Feed:
        return Feed(
            cluster=self._cluster,
            kind=f"{kind.kind} of others",
            path=kind.path(),
            query=_NOT_OURS,
            metadata_only=False,
            on_update=lambda item: self.on_update(kind, item),
            on_list=lambda listed, _version: self.on_list(kind, listed),
            on_delete=lambda item: self.on_delete(kind, item),
        )
