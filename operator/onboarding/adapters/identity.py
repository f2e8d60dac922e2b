"""Cluster identities: each connection is pinned to the cluster that it led to at first.

The UID of the namespace kube-system identifies a cluster as long as it lives. An address, a DNS name or a Secret may
lead to another cluster one day, and the operator would create everything there again.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from onboarding import names
from onboarding.adapters.client import MERGE_PATCH, METADATA_ONLY, Client
from onboarding.build.kinds import HUB, NAMESPACE
from onboarding.errors import ApiError, OnboardingError, UnreachableError

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration

_KUBE_SYSTEM: Final = NAMESPACE.path(name="kube-system")
_LOST_OUR_PLACE: Final = (410, 504)
"""How a server answers to a version that it has forgotten, or never had: it may be another one."""


class PinnedClient(Client):
    """A client that sends requests only to the pinned cluster.

    The identity is checked before the first request, and again after every interruption.
    """

    def __init__(
        self,
        configuration: "Configuration",
        *,
        request_timeout: float,
        confirm: Callable[[str], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        """``confirm`` refuses a UID by an OnboardingError; ``changed`` is called when that, or the login, changes."""
        super().__init__(configuration, request_timeout=request_timeout)
        self._confirm = confirm
        self._changed = changed
        self._interruptions = 0
        self._proven = -1
        self._proving = asyncio.Lock()
        self.login_refused = False
        """Whether the server does not accept our login any more."""
        self.problem = ""
        """Why the cluster that answers is not the pinned one; the empty string if it is."""

    async def request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send one request to the pinned cluster, and to no other."""
        await self.prove()
        with self._listening():
            return await super().request(method, path, **options)

    @asynccontextmanager
    async def watch(self, path: str, **options: Any) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Open a watch on the pinned cluster, and on no other."""
        await self.prove()
        with self._listening():
            async with super().watch(path, **options) as lines:
                yield lines

    async def prove(self) -> None:
        """Check the identity of the cluster if there was an interruption; OnboardingError if it is another one."""
        if self._proven == self._interruptions:
            return
        async with self._proving:
            interruptions = self._interruptions
            if self._proven == interruptions:
                return
            with self._listening():
                found = await super().request("GET", _KUBE_SYSTEM, accept=METADATA_ONLY.format(list=""))
            await self._compare(found["metadata"]["uid"])
            self._proven = interruptions

    async def _compare(self, uid: str) -> None:
        try:
            await self._confirm(uid)
        except OnboardingError as error:
            news, self.problem = self.problem != str(error), str(error)
            if news:
                self._changed()
            raise
        if self.problem:
            self.problem = ""
            self._changed()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Note interruptions and refused logins."""
        try:
            yield
        except UnreachableError:
            self._interruptions += 1
            raise
        except ApiError as error:
            if error.status in _LOST_OUR_PLACE:
                self._interruptions += 1
            elif error.status == 401 and not self.login_refused:
                self.login_refused = True
                self._changed()
            raise
        self.login_refused = False


class ClusterIdentities:
    """The UID behind each connection, in a ConfigMap of the operator's namespace: part of the backup."""

    def __init__(self, hub: Client, namespace: str) -> None:
        """Keep them in a ConfigMap of this namespace on the hub."""
        self._hub = hub
        self._collection = f"/api/v1/namespaces/{namespace}/configmaps"
        self._name = f"ConfigMap {namespace}/{names.CLUSTERS_CONFIGMAP}"
        self.connections: Collection[str] = (HUB,)
        """Those in use: two of them may not lead to one cluster."""
        self._known: dict[str, str] = {}
        self._comparing = asyncio.Lock()

    async def confirm(self, cluster: str, uid: str) -> None:
        """Return if a connection leads to its pinned cluster; a new connection is pinned now.

        Raises UnreachableError if it leads to another cluster, or to the same one as another connection.
        """
        if self._known.get(cluster) == uid:
            return
        async with self._comparing:
            try:
                await self._compare(cluster, uid)
            except ApiError as error:
                raise UnreachableError(f"{self._name} cannot be read or written: {error.reason}") from error
            self._known[cluster] = uid

    async def _compare(self, cluster: str, uid: str) -> None:
        found = await self._read()
        pins = (found or {}).get("data") or {}
        pinned = pins.get(_key(cluster))
        if pinned is None:
            self._refuse_twin(cluster, uid, pins)
            await self._write(found, {**dict.fromkeys(_keys_of(pins, uid)), _key(cluster): uid})
        elif pinned != uid:
            raise UnreachableError(
                f"another cluster than before is behind it (UID of its kube-system: {uid}, before: {pinned}): nothing "
                f"is written to it. If this is meant, remove the key {_key(cluster)} from {self._name}"
            )

    def _refuse_twin(self, cluster: str, uid: str, pins: Mapping[str, str]) -> None:
        """Two names for one cluster would be two owners for each of its namespaces."""
        for other in sorted(self.connections):
            if other != cluster and pins.get(_key(other)) == uid:
                remedy = "leave kubeconfigSecret out" if other == HUB else "name that Secret in every target"
                raise UnreachableError(f"it leads to the same cluster as {other}: {remedy}")

    async def _read(self) -> dict[str, Any] | None:
        try:
            return await self._hub.request("GET", f"{self._collection}/{names.CLUSTERS_CONFIGMAP}")
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def _write(self, found: Mapping[str, Any] | None, pins: Mapping[str, str | None]) -> None:
        """Write a pin, unless somebody has written since it was found missing; None removes one that is not used."""
        metadata = {"name": names.CLUSTERS_CONFIGMAP}
        if found is None:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(pins)}
            await self._hub.request("POST", self._collection, body=body)
            return
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        path = f"{self._collection}/{names.CLUSTERS_CONFIGMAP}"
        body = {"metadata": version, "data": dict(pins)}
        await self._hub.request("PATCH", path, body=body, content_type=MERGE_PATCH)


def _key(cluster: str) -> str:
    """Return the key of a connection; the name of a Secret holds no underscore."""
    return cluster.replace("/", "_", 1)


def _keys_of(pins: Mapping[str, str], uid: str) -> list[str]:
    return [key for key, pinned in pins.items() if pinned == uid]
