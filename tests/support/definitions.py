"""Other definitions than ours on a control plane: older ones, and newer ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from onboarding.build.kinds import Manifest
from tests.support.api import Api

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PROJECTS_CRD = "projectonboardings.projectonboarding.io"


def schema_at(schema: Manifest, path: str) -> Manifest:
    """Return the schema of a field, such as ``spec.environments[].stage``."""
    for name in path.replace("[]", ".[]").split("."):
        schema = schema["items"] if name == "[]" else schema["properties"][name]
    return schema


def cut(*paths: str) -> Callable[[Manifest], None]:
    """Return what takes fields out of a schema."""

    def change(schema: Manifest) -> None:
        for path in paths:
            outer, _, name = path.rpartition(".")
            del schema_at(schema, outer)["properties"][name]

    return change


def add(path: str, field: dict[str, Any]) -> Callable[[Manifest], None]:
    """Return what puts a field into a schema."""

    def change(schema: Manifest) -> None:
        outer, _, name = path.rpartition(".")
        schema_at(schema, outer)["properties"][name] = field

    return change


class Definitions:
    """The definitions on one control plane."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def change(self, name: str, *changes: Callable[[Manifest], None]) -> None:
        """Change the schema of a definition."""
        found = self._api.request("GET", f"{CRDS}/{name}")
        for change in changes:
            change(found["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        self._put(name, found["spec"])

    def _put(self, name: str, spec: Manifest) -> None:
        path = f"{CRDS}/{name}"
        current = self._api.request("GET", path)
        self._api.request("PUT", path, body={**current, "spec": spec})

    @contextmanager
    def kept(self, name: str) -> Iterator[Callable[[], None]]:
        """Give what puts a definition back as it is now; it is put back in the end."""
        spec = deepcopy(self._api.request("GET", f"{CRDS}/{name}")["spec"])
        try:
            yield lambda: self._put(name, spec)
        finally:
            self._put(name, spec)
