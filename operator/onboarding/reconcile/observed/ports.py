"""What a pass needs from outside, as protocols; the adapters implement them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from onboarding.build.credentials import Source
from onboarding.build.kinds import ChildKind, Manifest, ObjectKey
from onboarding.checks.probe import Request
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.snapshot import ClusterState, Project


class Event(NamedTuple):
    """An Event to post."""

    reason: str
    """GateOpened, GateHeld or StatusNotWritten."""
    note: str
    warning: bool = False


class Cluster(Protocol):
    """One cluster: a cache of what is ours there, and guarded writes whose answers go into that cache."""

    @property
    def state(self) -> ClusterState:
        """What we know of the cluster now."""

    def cached(self, key: ObjectKey) -> CachedObject | None:
        """Return what the cache knows at a place, ours or a stranger's; of strangers only namespaces are watched."""

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:
        """Return what the cache knows at a place, and tell a project of what changes there, whoever's it is."""

    def unfollow(self, project: str) -> None:
        """Tell a project no more of what is not its own."""

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:
        """Return the objects in the cache whose labels name this project."""

    async def create(self, key: ObjectKey, manifest: Manifest) -> None:
        """POST an object; ApiError 409 where one exists."""

    async def change(self, key: ObjectKey, patch: Manifest, live: CachedObject) -> None:
        """Merge-patch an object of this UID and, except for Applications and quotas, this version."""

    async def delete(self, key: ObjectKey, live: CachedObject) -> bool:
        """Delete an object of this UID and version; return whether it is gone already."""

    async def read(self, key: ObjectKey) -> Manifest | None:
        """GET an object and renew the cache; None where there is none."""

    async def list_in(self, kind: ChildKind, namespace: str) -> Sequence[Manifest]:
        """GET all objects of a kind in a namespace, whoever's they are; the cache is not renewed."""


class Projects(Protocol):
    """Writes on the ProjectOnboarding objects themselves."""

    async def write_status(self, name: str, status: dict[str, Any]) -> None:
        """Server-side apply the whole status."""

    async def post_events(self, project: Project, events: Sequence[Event]) -> None:
        """Post an Event for each announcement; one that cannot be posted is logged, and nothing waits for it."""

    async def write_finalizers(self, project: Project, finalizers: tuple[str, ...]) -> None:
        """Replace the finalizers of exactly the object that was observed."""


class Prober(Protocol):
    """The outside world, asked beside the passes."""

    def follow(self, project: str, requests: Collection[Request[Any]], *, urgent: bool) -> None:
        """Keep answers to what a project's checks ask now, and to nothing else of it."""

    def forget(self, project: str) -> None:
        """Ask nothing for a project any more."""


class Secrets(Protocol):
    """Secrets: those of the operator's own namespace are read, those beside an Argo CD written and never read."""

    def source(self, name: str) -> Source | None:
        """Return the newest known state of a Secret in the operator's namespace; None while nobody has looked."""

    async def read(self, name: str) -> Mapping[str, bytes]:
        """Return the content of a Secret in the operator's namespace; SecretError if it cannot be read."""

    async def create(self, key: ObjectKey, manifest: Manifest) -> bool:
        """POST a Secret; return whether that made one: False where the name is taken."""

    async def overwrite(self, key: ObjectKey, manifest: Manifest) -> str:
        """Replace labels, and data if there are any, of a Secret that bears the same labels of ours.

        Return its UID, or the empty string where it is somebody else's; ApiError 404 where there is none.
        """

    async def delete(self, key: ObjectKey, uid: str) -> None:
        """Delete a Secret of this UID."""
