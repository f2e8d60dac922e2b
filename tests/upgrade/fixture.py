"""The files of a recorded version: what they hold, and what is left out of an object that is recorded."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from onboarding import names
from onboarding.build.kinds import APPLICATION, Manifest

HERE = Path(__file__).parent
DEFINITIONS = "definitions.yaml"
MANIFESTS = "manifests.yaml"

_KEPT = ("name", "namespace", "labels", "annotations", "finalizers")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# By these the status and the decisions of then, and labels, refer to a project.
_IDENTITY = ("uid", "generation")


def write(file: Path, documents: Iterable[Manifest]) -> None:
    """Write documents as YAML that a person can read."""
    text = yaml.safe_dump_all(documents, sort_keys=False, default_flow_style=None, width=120, allow_unicode=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def read(file: Path) -> list[Manifest]:
    """Read documents."""
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def recorded(item: Manifest) -> Manifest:
    """Return what is kept of a live object: what a backup would hold, and of our own kinds who they were."""
    ours = item["apiVersion"] == names.API_VERSION
    known_by = _IDENTITY if item["kind"] == "ProjectOnboarding" else ()
    kept = {**item, "metadata": _metadata(item["metadata"], (*_KEPT, *known_by))}
    if not ours and item["kind"] != APPLICATION.kind:
        kept.pop("status", None)
    if item["kind"] == "Namespace":
        # Written by the server alone.
        kept.pop("spec")
    return kept


def _metadata(metadata: Mapping[str, Any], parts: Iterable[str]) -> dict[str, Any]:
    kept = {part: metadata[part] for part in parts if metadata.get(part)}
    if annotations := {key: value for key, value in kept.pop("annotations", {}).items() if key != _APPLIED}:
        kept["annotations"] = annotations
    return kept


def without_descriptions(part: Any) -> Any:
    """Return a schema without its prose, which is half of a definition."""
    if isinstance(part, list):
        return [without_descriptions(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: without_descriptions(value)
        for key, value in part.items()
        if not (key == "description" and isinstance(value, str))
    }
