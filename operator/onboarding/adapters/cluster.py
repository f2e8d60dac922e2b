"""One cluster: informers that fill its cache, and guarded writes whose answers go into it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import structlog

from onboarding import names
from onboarding.adapters.client import MERGE_PATCH
from onboarding.adapters.foreign import ForeignGuards
from onboarding.adapters.guards import GuardProber
from onboarding.adapters.identity import PinnedClient
from onboarding.adapters.informer import Informer
from onboarding.adapters.store import Store
from onboarding.build.kinds import (
    APPLICATION,
    ARGO_KINDS,
    CHILD_KINDS,
    NAMESPACE,
    RESOURCE_QUOTA,
    ChildKind,
    Manifest,
    ObjectKey,
)
from onboarding.build.revision import Owner
from onboarding.errors import ApiError, UnreachableError, WentBackError
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.foreign import ForeignObject
from onboarding.reconcile.observed.ledgers import NamespaceLedger
from onboarding.reconcile.observed.snapshot import ClusterState

_RESTLESS_KINDS = (APPLICATION, RESOURCE_QUOTA)
"""Kinds whose version moves with every status write of Argo CD or the quota controller: changed by the UID alone."""
LOGIN_REFUSED = "its login is refused: renew its kubeconfig Secret"
log = structlog.get_logger(__name__)

_WRITE = {"fieldManager": names.MANAGER, "fieldValidation": "Strict"}


class KubeCluster:
    """A cluster that the operator may write to."""

    def __init__(
        self,
        name: str,
        client: PinnedClient,
        *,
        ledger: NamespaceLedger,
        idle_timeout: float,
        writes_in_flight: int,
        project_changed: Callable[[str], None],
        state_changed: Callable[[], None],
        on_write: Callable[[str, str, str], None],
    ) -> None:
        """Work for the ledger's installation; call ``on_write`` with cluster, kind and verb after each write."""
        self.name = name
        self.client = client
        self._ledger = ledger
        self._foreign = ForeignGuards(
            name,
            client,
            ledger.installation,
            idle_timeout=idle_timeout,
            project_changed=project_changed,
            state_changed=state_changed,
        )
        self._store = Store(name, project_changed, ledger, self._foreign)
        self.owners: Mapping[Owner, int] = self._store.owners
        """The number of cached objects by the owner that their labels name."""
        self._state_changed = state_changed
        self._on_write = on_write
        self._slots = asyncio.Semaphore(writes_in_flight)
        selector = {"labelSelector": f"{names.LABEL_INSTALLATION}={ledger.installation}"}
        watch = partial(Informer, client, idle_timeout=idle_timeout, changed=state_changed)
        self._informers = {
            kind: watch(self._store.feed(kind, {} if kind is NAMESPACE else selector)) for kind in CHILD_KINDS
        }
        self._guards = GuardProber(name, client, ledger.installation, idle_timeout=idle_timeout, changed=state_changed)
        self._tasks: list[asyncio.Task[None]] = []
        self._older: WentBackError | None = None
        """Set once the server has shown an older state than before."""
        self._went_back = asyncio.Event()

    def start(self) -> list[asyncio.Task[None]]:
        """Start the informers; a task ends if its watch dies, or the server goes back (WentBackError)."""
        watches = (part.run() for part in (*self._informers.values(), *self._guards.informers))
        work = (*watches, *self._foreign.work(), self._guards.run(), self._until_it_goes_back())
        self._tasks = [asyncio.create_task(part, name=f"watch {self.name}") for part in work]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        return self._tasks

    async def _until_it_goes_back(self) -> None:
        await self._went_back.wait()
        if self._older:
            raise self._older

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, WentBackError):
            self._leave(error)

    def _leave(self, older: WentBackError) -> None:
        """Write nothing more: the caches show a state of the cluster that does not exist any more."""
        if self._older is None:
            log.error("server went back", cluster=self.name, error=str(older))
            self._older = older
            self._went_back.set()
            self._state_changed()

    async def close(self) -> None:
        """Stop watching and close the connections."""
        self._ledger.remove_cluster(self.name)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    @property
    def state(self) -> ClusterState:
        """The present state of the cluster."""
        guards, problem, missing = self._guards.state, self._problem, self._missing
        return ClusterState(
            problem=problem or missing,
            starting=bool(missing) and not problem,
            guarded=not guards.problem,
            guard_problem=guards.problem,
            guard_unknown=guards.unknown,
            detach_mark=self._guards.detach_mark,
            former_detach_mark=self._guards.former_detach_mark,
            insiders_kept=self._guards.insiders_kept,
            argocd=all(self._informers[kind].served for kind in ARGO_KINDS),
        )

    @property
    def _problem(self) -> str:
        """Why the cluster cannot be used; the empty string if it can, or if it has only just been connected to."""
        if self._older:
            return str(self._older)
        if any(task.done() for task in self._tasks):
            return "one of its watches has died: restart the operator, and report this"
        broken = (informer.problem for informer in self._watching if informer.problem)
        return self.client.problem or next(broken, "")

    @property
    def _missing(self) -> str:
        """What has not been read yet since the start; the empty string if everything has."""
        if any(informer.served and not informer.warm for informer in self._watching):
            return "its first list is not complete yet"
        return "its admission policies have not been asked yet" if self._guards.warming else ""

    @property
    def reconnect_reason(self) -> str:
        """Why the operator has to reconnect; the empty string if it does not."""
        if self._older:
            return str(self._older)
        return LOGIN_REFUSED if self.client.login_refused else self.client.problem

    async def prove(self) -> None:
        """Make sure that this is the pinned cluster; else OnboardingError."""
        await self.client.prove()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last byte of the most silent watch."""
        now = time.monotonic()
        return max(now - informer.last_activity for informer in self._watching if informer.served)

    @property
    def _watching(self) -> tuple[Informer, ...]:
        return (*self._informers.values(), *self._foreign.informers, *self._guards.informers)

    def probe_projects(self, projects: Callable[[], Iterable[str]]) -> None:
        """Prove also the admission policy on ProjectOnboardings, by one of these: they are on this cluster."""
        self._guards.probe_projects(projects)

    def ask_guards(self) -> None:
        """Ask the admission policies that are due; call it when there are projects to ask by."""
        self._guards.wake()

    async def guards_answered(self) -> None:
        """Return when every admission policy that can be asked now has answered, or has had time enough to.

        That is at once but for the first project that there is: the policy on projects can be asked from then on.
        """
        await self._guards.first_answers()

    def cached(self, key: ObjectKey) -> CachedObject | None:
        """Return the cached object at a key; None if there is none."""
        return self._store.get(key)

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:
        """Return the cached object at a key, and notify a project of changes there."""
        return self._store.follow(key, project)

    def unfollow(self, project: str) -> None:
        """Stop to notify a project of objects that are not its own."""
        self._store.unfollow(project)

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:
        """Return the objects whose labels name this project."""
        return self._store.owned(project)

    def gone(self, project: str) -> Mapping[ObjectKey, GoneNamespace]:
        """Return the namespaces of a project that somebody else deleted."""
        return self._store.gone.of(project)

    def forget_gone(self, project: str, keys: Iterable[ObjectKey]) -> None:
        """Forget such namespaces of a project, because they are not to be rebuilt."""
        self._store.gone.forget(project, keys)

    def foreign(self, namespace: str) -> tuple[ForeignObject, ...]:
        """Return the guard rails of others in a namespace of ours."""
        return self._foreign.of(namespace)

    async def create(self, key: ObjectKey, manifest: Manifest) -> CachedObject:
        """POST an object and return the answer; if that is 404, read its namespace."""
        self._store.begin_write(key)
        with self._foreign.creating(key):
            async with self._slots:
                try:
                    made = await self.client.request("POST", key.kind.path(key.namespace), query=_WRITE, body=manifest)
                except ApiError as error:
                    if error.status == 404 and key.namespace:
                        await self.read(ObjectKey(key.cluster, NAMESPACE, "", key.namespace))
                    raise
                finally:
                    self._store.end_write(key)
            self._on_write(self.name, key.kind.kind, "create")
            return self._store.on_write(key.kind, made)

    async def change(self, key: ObjectKey, patch: Manifest, live: CachedObject) -> CachedObject:
        """Merge-patch an object of this UID and, unless controllers update its kind all the time, of this version."""
        guard = {"uid": live.uid}
        if key.kind not in _RESTLESS_KINDS:
            guard["resourceVersion"] = str(live.version)
        body = {**patch, "metadata": {**patch.get("metadata", {}), **guard}}
        path = key.kind.path(key.namespace, key.name)
        async with self._slots:
            try:
                changed = await self.client.request("PATCH", path, query=_WRITE, body=body, content_type=MERGE_PATCH)
            except ApiError as error:
                if error.status in (404, 409, 422):
                    await self.read(key)
                raise
        self._on_write(self.name, key.kind.kind, "patch")
        return self._store.on_write(key.kind, changed, must_be_known=True)

    async def delete(self, key: ObjectKey, live: CachedObject) -> bool:
        """Delete an object of this UID and version; return whether it is gone already."""
        guard = {"uid": live.uid, "resourceVersion": str(live.version)}
        body = {"preconditions": guard, "propagationPolicy": "Background"}
        path = key.kind.path(key.namespace, key.name)
        # Before the request: the event of the deletion may come before its answer.
        self._store.gone.begin_delete(key, live.uid)
        async with self._slots:
            try:
                answer = await self.client.request("DELETE", path, body=body)
            except ApiError as error:
                self._store.gone.end_delete(live.uid)
                if error.status == 409:
                    await self.read(key)
                if error.status != 404:
                    raise
                answer = {"kind": "Status"}
        self._on_write(self.name, key.kind.kind, "delete")
        if answer.get("kind") != key.kind.kind or "deletionTimestamp" not in answer["metadata"]:
            self._store.remove(key, live.uid)
            self._store.gone.end_delete(live.uid)
            return True
        self._store.on_write(key.kind, answer, must_be_known=True)
        return False

    async def read(self, key: ObjectKey) -> Manifest | None:
        """GET an object and renew the cache."""
        known = self._store.get(key)
        try:
            found = await self.client.request("GET", key.kind.path(key.namespace, key.name))
        except ApiError as error:
            if error.status != 404:
                raise
            self._store.on_not_found(key)
            return None
        version = int(found["metadata"]["resourceVersion"])
        if known is not None and version < known.version:
            self._leave(WentBackError(str(key), f"it is at version {version}, and {known.version} was seen before"))
            raise UnreachableError(self.reconnect_reason)
        self._store.on_write(key.kind, found)
        return found

    async def list_in(self, kind: ChildKind, namespace: str) -> Sequence[Manifest]:
        """GET all objects of a kind in a namespace."""
        page = await self.client.request("GET", kind.path(namespace))
        found: list[Manifest] = page["items"]
        return found
