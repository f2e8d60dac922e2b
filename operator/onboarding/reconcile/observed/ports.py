"""Protocols for the clusters, probes and Secrets that a reconcile uses; the adapters implement them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from onboarding.build.credentials import Source
from onboarding.build.kinds import ChildKind, Manifest, ObjectKey
from onboarding.checks.probe import Request
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.foreign import ForeignObject
from onboarding.reconcile.observed.snapshot import ClusterState, Project


class Event(NamedTuple):
    """An Event to post."""

    reason: str
    """One word, such as GateOpened, Conflict or DriftRepaired."""
    note: str
    warning: bool = False


class Cluster(Protocol):
    """One cluster: a cache of our objects, and guarded writes whose answers update that cache."""

    @property
    def state(self) -> ClusterState:
        """The current state of the cluster."""

    def cached(self, key: ObjectKey) -> CachedObject | None:
        """Return the cached object of a key, of any owner; of objects that are not ours only namespaces are watched."""

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:
        """Return the cached object of a key, and enqueue a project on each of its events, whoever owns it."""

    def unfollow(self, project: str) -> None:
        """Stop enqueueing a project on events of objects that it does not own."""

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:
        """Return the objects in the cache whose labels name this project."""

    def gone(self, project: str) -> Mapping[ObjectKey, GoneNamespace]:
        """Return the namespaces of a project that somebody else deleted, or is deleting, since they were cached."""

    def forget_gone(self, project: str, keys: Iterable[ObjectKey]) -> None:
        """Forget such namespaces of a project, because they are not to be rebuilt."""

    def foreign(self, namespace: str) -> tuple[ForeignObject, ...]:
        """Return the guard rails of others in a namespace of this installation."""

    async def create(self, key: ObjectKey, manifest: Manifest) -> CachedObject:
        """POST an object and return the answer; ApiError 409 if it exists."""

    async def change(self, key: ObjectKey, patch: Manifest, live: CachedObject) -> CachedObject:
        """Merge-patch an object of this UID and, except for Applications and quotas, this resource version.

        Return the answer.
        """

    async def delete(self, key: ObjectKey, live: CachedObject) -> bool:
        """DELETE an object of this UID and resource version; return whether it is gone already."""

    async def read(self, key: ObjectKey) -> Manifest | None:
        """GET an object and update the cache; None if it does not exist."""

    async def list_in(self, kind: ChildKind, namespace: str) -> Sequence[Manifest]:
        """GET all objects of a kind in a namespace, of any owner; the cache is not updated."""


class Projects(Protocol):
    """Writes on the ProjectOnboarding objects themselves."""

    async def write_status(self, name: str, status: dict[str, Any]) -> None:
        """Server-side apply the whole status."""

    async def post_events(self, project: Project, events: Sequence[Event]) -> None:
        """POST Events; one that cannot be posted is logged, and nothing waits for it."""

    async def post_policy_events(self, uid: str, events: Sequence[Event]) -> None:
        """POST Events about the OnboardingPolicy in force, for the platform alone; as ``post_events``."""

    async def write_finalizers(self, project: Project, finalizers: tuple[str, ...]) -> None:
        """Replace the finalizers of exactly the object that was observed."""


class Prober(Protocol):
    """The prober, which sends probe requests independently of the reconciles."""

    def follow(self, project: str, requests: Collection[Request[Any]], *, urgent: bool) -> None:
        """Keep the results of these requests up to date for a project, and of no others."""

    def forget(self, project: str) -> None:
        """Stop all probe requests of a project."""


class Secrets(Protocol):
    """Secrets: those in the operator's own namespace are read, those in an Argo CD's namespace only written."""

    def source(self, name: str) -> Source | None:
        """Return the newest known state of a Secret in the operator's namespace; None if it has not been read yet."""

    async def read(self, name: str) -> Mapping[str, bytes]:
        """Return the data of a Secret in the operator's namespace; SecretError if it cannot be read."""

    async def create(self, key: ObjectKey, manifest: Manifest) -> bool:
        """POST a Secret; return whether it was created: False if the name is taken."""

    async def overwrite(self, key: ObjectKey, manifest: Manifest) -> str:
        """Replace the labels, and the data if given, of a Secret that already has the same labels of ours.

        Return its UID, or the empty string if somebody else owns it; ApiError 404 if it does not exist.
        """

    async def delete(self, key: ObjectKey, uid: str) -> None:
        """DELETE a Secret of this UID."""
