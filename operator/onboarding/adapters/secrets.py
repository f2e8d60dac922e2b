"""Secrets: those of the operator's own namespace are read by name, those beside an Argo CD written and never read."""

import asyncio
import base64
import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import Final

import structlog

from onboarding import names
from onboarding.adapters.client import JSON_PATCH, METADATA_ONLY, Client
from onboarding.adapters.cluster import KubeCluster
from onboarding.build.credentials import SECRET, Source
from onboarding.build.kinds import Manifest, ObjectKey
from onboarding.errors import ApiError, OnboardingError, SecretError, UnreachableError
from onboarding.repeats import Repeats

_PAUSE: Final = 30.0
"""Seconds between two looks at the Secrets that the policy names: a new token is handed on within this time."""
_WRITE: Final = {"fieldManager": names.MANAGER, "fieldValidation": "Strict"}
_HEAD: Final = METADATA_ONLY.format(list="")
"""What is asked for in answers, so that no content travels where none is needed."""
_POLICY: Final = f"ValidatingAdmissionPolicy '{names.GUARD_POLICIES[0]}'"
"""How the API server begins to tell that the guard rails refuse something."""

log = structlog.get_logger(__name__)


class KubeSecrets:
    """Implements ``reconcile.observed.ports.Secrets``; ``run`` looks at what ``follow`` names."""

    def __init__(
        self,
        hub: Client,
        namespace: str,
        clusters: Mapping[str, object],
        *,
        changed: Callable[[], None],
        on_write: Callable[[str, str, str], None],
        pause: float = _PAUSE,
    ) -> None:
        """Read in this namespace of the hub; call ``changed`` when a Secret there is another than before."""
        self._hub = hub
        self._namespace = namespace
        self._clusters = clusters
        self._changed = changed
        self._on_write = on_write
        self._pause = pause
        self._followed: frozenset[str] = frozenset()
        self._sources: dict[str, Source] = {}
        self._wake = asyncio.Event()
        self._repeats = Repeats()

    def source(self, name: str) -> Source | None:
        """Return the newest known state of a Secret; None while nobody has looked."""
        return self._sources.get(name)

    def follow(self, secrets: Collection[str]) -> None:
        """Look at these Secrets from now on, and at no others; at new ones at once."""
        followed = frozenset(secrets)
        if followed != self._followed:
            self._followed = followed
            self._sources = {name: source for name, source in self._sources.items() if name in followed}
            self._wake.set()

    async def run(self) -> None:
        """Look at the Secrets again and again; there is no right to watch them."""
        while True:
            moved = [await self._look(name) for name in sorted(self._followed)]
            if any(moved):
                self._changed()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause)
            self._wake.clear()

    async def _look(self, name: str) -> bool:
        """Learn the state of a Secret; return whether it is news."""
        try:
            path = SECRET.path(self._namespace, name)
            metadata = (await self._hub.request("GET", path, accept=_HEAD))["metadata"]
            found = Source(metadata["uid"], metadata["resourceVersion"])
        except OnboardingError as error:
            if not isinstance(error, ApiError) or error.status != 404:
                if self._repeats.due(name, str(error)):
                    log.warning("credential unreadable", secret=name, error=str(error))
                return False
            found = Source()
        self._repeats.end(name)
        former = self._sources.get(name)
        if name in self._followed:
            self._sources[name] = found
        return found != former

    async def read(self, name: str) -> Mapping[str, bytes]:
        """Return the content of a Secret; SecretError if it cannot be read."""
        return await read_secret(self._hub, self._namespace, name)

    async def create(self, key: ObjectKey, manifest: Manifest) -> bool:
        """POST a Secret; return whether that made one."""
        path = SECRET.path(key.namespace)
        try:
            await self._client(key.cluster).request("POST", path, query=_WRITE, body=manifest, accept=_HEAD)
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        self._on_write(key.cluster, SECRET.kind, "create")
        return True

    async def overwrite(self, key: ObjectKey, manifest: Manifest) -> str:
        """Replace labels and data as a whole, so that nothing stays of what was there; the policy sees whose it was."""
        patch = [{"op": "add", "path": "/metadata/labels", "value": manifest["metadata"]["labels"]}]
        if "data" in manifest:
            patch.append({"op": "add", "path": "/data", "value": manifest["data"]})
        client, path = self._client(key.cluster), SECRET.path(key.namespace, key.name)
        try:
            answer = await client.request(
                "PATCH", path, query=_WRITE, body=patch, content_type=JSON_PATCH, accept=_HEAD
            )
        except ApiError as error:
            if _refused_by_policy(error):
                return ""
            raise
        self._on_write(key.cluster, SECRET.kind, "patch")
        uid: str = answer["metadata"]["uid"]
        return uid

    async def delete(self, key: ObjectKey, uid: str) -> None:
        """Delete a Secret of this UID; it may be gone already."""
        body = {"preconditions": {"uid": uid}}
        try:
            path = SECRET.path(key.namespace, key.name)
            await self._client(key.cluster).request("DELETE", path, body=body, accept=_HEAD)
        except ApiError as error:
            if error.status != 404:
                raise
        self._on_write(key.cluster, SECRET.kind, "delete")

    def _client(self, name: str) -> Client:
        cluster = self._clusters.get(name)
        if not isinstance(cluster, KubeCluster):
            raise UnreachableError("the operator is not connected to it")
        return cluster.client


async def read_secret(hub: Client, namespace: str, name: str) -> dict[str, bytes]:
    """Return the content of a Secret of the operator's namespace; SecretError if it cannot be read."""
    try:
        secret = await hub.request("GET", SECRET.path(namespace, name))
    except ApiError as error:
        raise SecretError(f"Secret {namespace}/{name} cannot be read: {error.reason}") from error
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


async def read_secret_key(hub: Client, namespace: str, name: str, key: str) -> bytes:
    """Return one key of a Secret of the operator's namespace; SecretError if it cannot be read or lacks the key."""
    content = await read_secret(hub, namespace, name)
    if key not in content:
        raise SecretError(f"Secret {namespace}/{name} has no key {key}")
    return content[key]


def _refused_by_policy(error: ApiError) -> bool:
    return error.status == 403 and _POLICY in error.message
