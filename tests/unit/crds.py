"""Our definitions as an API server has them."""

from copy import deepcopy
from typing import Any

from onboarding.api import KINDS
from onboarding.api.crd import build_crd
from onboarding.build.kinds import Manifest


def _served(crd: Manifest) -> Manifest:
    identity = {"uid": f"uid-{crd['metadata']['name']}", "generation": 1, "resourceVersion": "7"}
    return {**crd, "metadata": {**crd["metadata"], **identity}}


CRDS = {
    crd["metadata"]["name"]: _served(crd) for crd in (build_crd(kind.kind, kind.spec, kind.status) for kind in KINDS)
}
"""By their names."""
PROJECTS_CRD = "projectonboardings.projectonboarding.io"


def root_of(crd: Manifest) -> dict[str, Any]:
    """Return the schema of a definition's only version, to change it."""
    found: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def field_of(crd: Manifest, path: str) -> dict[str, Any]:
    """Return the schema of a field, such as ``spec.environments[].stage``."""
    schema = root_of(crd)
    for name in path.replace("[]", ".[]").split("."):
        schema = schema["items"] if name == "[]" else schema["properties"][name]
    return schema


def without(crd: Manifest, path: str, generation: int = 2) -> Manifest:
    """Return a later state of a definition, which lacks a field."""
    older = deepcopy(crd)
    older["metadata"]["generation"] = generation
    outer, _, name = path.rpartition(".")
    schema = field_of(older, outer)
    del schema["properties"][name]
    schema["required"] = [field for field in schema.get("required", []) if field != name]
    return older
