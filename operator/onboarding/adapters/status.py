"""Write the status of an object of our kinds."""

from collections.abc import Mapping
from typing import Any, Final

from onboarding import names
from onboarding.adapters.client import APPLY_PATCH, Client
from onboarding.api import KINDS
from onboarding.api.markers import Kind

_QUERY: Final = {"fieldManager": names.MANAGER, "force": "true", "fieldValidation": "Strict"}
_KINDS: Final[Mapping[str, Kind]] = {resource.kind.plural: resource.kind for resource in KINDS}


def kind_of(plural: str) -> str:
    """Return the kind of a resource of ours, such as HostingTarget for hostingtargets."""
    return _KINDS[plural].kind


async def write_status(
    client: Client, plural: str, name: str, status: Mapping[str, Any], *, uid: str = ""
) -> dict[str, Any]:
    """Server-side apply a whole status, so that a field which we no longer send goes away; return the object.

    With a UID, ApiError 404 or 409 if the object is gone or another by now.
    """
    metadata = {"name": name, "uid": uid} if uid else {"name": name}
    body = {"apiVersion": names.API_VERSION, "kind": kind_of(plural), "metadata": metadata, "status": status}
    path = f"/apis/{names.API_VERSION}/{plural}/{name}/status"
    return await client.request("PATCH", path, query=_QUERY, body=body, content_type=APPLY_PATCH)
