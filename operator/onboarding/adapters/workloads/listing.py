"""Read a list of a namespace in small pages, keeping of each object only what is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from onboarding.adapters.client import Client
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.build.kinds import ChildKind, Manifest
from onboarding.errors import ApiError, UnreachableError

_TRIES = 3

KeptT = TypeVar("KeptT")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a list is read."""

    page: int
    """Objects that are in memory at a time."""
    most: int
    """Objects of which something is kept."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[KeptT]):
    """What was kept of a list, in the order of the objects' names."""

    kept: list[KeptT]
    beyond: int
    """How many objects there are beyond those."""


async def list_some(
    client: Client, kind: ChildKind, namespace: str, keep: Callable[[Manifest], KeptT], bounds: Bounds
) -> Listed[KeptT] | None:
    """Return what ``keep`` makes of each object; None where the cluster does not serve the kind.

    ProbeProblem where the cluster does not say, or what it says cannot be read.
    """
    for _ in range(_TRIES):
        try:
            return await _pages(client, kind, namespace, keep, bounds)
        except ApiError as error:
            if error.status == 404:
                return None
            if error.status != 410:
                raise ProbeProblem(_refusal(error, kind, namespace)) from error
        except UnreachableError as error:
            raise ProbeProblem("the cluster cannot be reached") from error
    raise ProbeProblem(f"the API server forgets its lists of {kind.plural} before they are read")


async def _pages(
    client: Client, kind: ChildKind, namespace: str, keep: Callable[[Manifest], KeptT], bounds: Bounds
) -> Listed[KeptT]:
    kept: list[KeptT] = []
    token = ""
    while True:
        room = bounds.most - len(kept)
        # A limit of none would be no limit.
        query = {"limit": str(max(1, min(bounds.page, room)))} | ({"continue": token} if token else {})
        page = await client.request("GET", kind.path(namespace), query=query)
        try:
            items, token = page["items"], page["metadata"].get("continue", "")
            kept += [keep(item) for item in items[:room]]
            rest = len(items[room:])
            if token and len(kept) >= bounds.most:
                # The API server may leave the figure out: then there is at least one more.
                return Listed(kept, rest + page["metadata"].get("remainingItemCount", 1))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ProbeProblem(f"the API server's list of {kind.plural} cannot be read") from None
        if not token:
            return Listed(kept, rest)


def _refusal(error: ApiError, kind: ChildKind, namespace: str) -> str:
    resource = f"{kind.plural}.{kind.group}"
    if error.status == 403:
        return (
            f"the operator may not list {resource} in namespace {namespace}: "
            "apply the ClusterRole project-onboarding-operator-site of its version on that cluster"
        )
    if error.status == 401:
        return "the cluster refuses the operator's login: renew its kubeconfig Secret"
    return f"the API server answers {error.status} to a list of {resource}"
