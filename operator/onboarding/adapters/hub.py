"""Writes to ProjectOnboardings (status, finalizers, Events), and the identity of the installation."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from onboarding import names
from onboarding.adapters.client import JSON_PATCH, Client
from onboarding.adapters.events import Regarding, post
from onboarding.adapters.status import write_status
from onboarding.api import POLICY, PROJECT
from onboarding.errors import ApiError, OnboardingError
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.observed.snapshot import Project

_PROJECTS = f"/apis/{names.API_VERSION}/{PROJECT.kind.plural}"


class HubProjects:
    """Writes on ProjectOnboardings."""

    def __init__(self, client: Client, on_write: Callable[[Mapping[str, Any]], None], policy: str) -> None:
        """Call ``on_write`` with the object that each write made, so that the next pass knows it before its event.

        ``policy`` is the name of the policy in force.
        """
        self._client = client
        self._on_write = on_write
        self._policy = policy

    async def write_status(self, name: str, status: dict[str, Any]) -> None:
        """Server-side apply the whole status, so that a field which we no longer send goes away."""
        self._on_write(await write_status(self._client, PROJECT.kind.plural, name, status))

    async def post_events(self, project: Project, events: Sequence[Event]) -> None:
        """Post Events about a project."""
        await post(self._client, Regarding(PROJECT.kind.kind, project.name, project.uid), events)

    async def post_policy_events(self, uid: str, events: Iterable[Event]) -> None:
        """Post Events about the policy in force."""
        await post(self._client, Regarding(POLICY.kind.kind, self._policy, uid), events)

    async def write_finalizers(self, project: Project, finalizers: tuple[str, ...]) -> None:
        """Replace the finalizers; the server refuses if the object is another or has changed by now."""
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": project.uid},
            {"op": "test", "path": "/metadata/resourceVersion", "value": project.resource_version},
            {"op": "add", "path": "/metadata/finalizers", "value": list(finalizers)},
        ]
        path = f"{_PROJECTS}/{project.name}"
        self._on_write(await self._client.request("PATCH", path, body=patch, content_type=JSON_PATCH))


async def installation_id(client: Client, namespace: str) -> str:
    """Return the identity of this installation, made at the first start and kept in a ConfigMap."""
    collection = f"/api/v1/namespaces/{namespace}/configmaps"
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": names.INSTALLATION_CONFIGMAP, "namespace": namespace},
        "data": {"id": uuid.uuid4().hex[:12]},
    }
    try:
        found = await client.request("GET", f"{collection}/{names.INSTALLATION_CONFIGMAP}")
    except ApiError as error:
        if error.status != 404:
            raise
        found = await client.request("POST", collection, body=made)
    identity: str | None = (found.get("data") or {}).get("id")
    if not identity:
        raise OnboardingError(f"ConfigMap {namespace}/{names.INSTALLATION_CONFIGMAP} has no key id: restore it")
    return identity


async def count_declared(client: Client, plurals: tuple[str, ...]) -> dict[str, int]:
    """Return, per kind of ours, whether there is an object (0 or 1); OnboardingError if a kind is not served."""
    found = {}
    for plural in plurals:
        try:
            page = await client.request("GET", f"/apis/{names.API_VERSION}/{plural}", query={"limit": "1"})
        except ApiError as error:
            if error.status == 404:
                raise OnboardingError(f"the API server does not know {plural}.{names.GROUP}: apply crds/") from error
            raise
        found[plural] = len(page["items"])
    return found
