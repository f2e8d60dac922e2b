"""Ask the hub whether a ClusterRole exists, and whether the operator may bind it."""

from typing import Final

from onboarding.adapters.client import METADATA_ONLY, Client
from onboarding.errors import ApiError
from onboarding.reconcile.observed.validity import RoleState

_GROUP: Final = "rbac.authorization.k8s.io"
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def role_state(client: Client, role: str) -> RoleState:
    """Return whether a ClusterRole can be given to projects; OnboardingError where that cannot be found out.

    A server that does not let us look (403) leaves the question to the write that needs the answer.
    """
    if not await _exists(client, role):
        return RoleState.MISSING
    return RoleState.USABLE if await _may_bind(client, role) else RoleState.UNBINDABLE


async def _exists(client: Client, role: str) -> bool:
    path = f"/apis/{_GROUP}/v1/clusterroles/{role}"
    try:
        await client.request("GET", path, accept=METADATA_ONLY.format(list=""))
    except ApiError as error:
        if error.status not in (403, 404):
            raise
        return error.status == 403
    return True


async def _may_bind(client: Client, role: str) -> bool:
    asked = {"group": _GROUP, "resource": "clusterroles", "name": role, "verb": "bind"}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    try:
        answer = await client.request("POST", _REVIEWS, body=body)
    except ApiError as error:
        if error.status != 403:
            raise
        return True
    return bool(answer["status"]["allowed"])
