"""Write the status of a policy or target."""

from typing import Any, Final

from onboarding import names
from onboarding.adapters.client import APPLY_PATCH, Client
from onboarding.reconcile.observed.platform import POLICIES, TARGETS, Due

KINDS: Final = {POLICIES: "OnboardingPolicy", TARGETS: "HostingTarget"}


async def write_status(client: Client, due: Due) -> dict[str, Any]:
    """Server-side apply a status and return the object; ApiError 404 or 409 where it is gone or another by now."""
    head = due.head
    body = {
        "apiVersion": names.API_VERSION,
        "kind": KINDS[head.plural],
        "metadata": {"name": head.name, "uid": head.uid},
        "status": due.status,
    }
    query = {"fieldManager": names.MANAGER, "force": "true", "fieldValidation": "Strict"}
    path = f"/apis/{names.API_VERSION}/{head.plural}/{head.name}/status"
    return await client.request("PATCH", path, query=query, body=body, content_type=APPLY_PATCH)
