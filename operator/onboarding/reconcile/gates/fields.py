"""Fields of a project's spec by their path, in the form that digests are made of; pure.

Absent and default values are left out, so that a new optional field changes nothing, and so are texts for people; lists
whose order means nothing are sorted.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from onboarding.api.crd import structural
from onboarding.api.markers import LIST_MAP_KEYS, LIST_TYPE
from onboarding.api.project import ProjectOnboardingSpec

TEXTS: Final = frozenset({"description", "justification"})
"""Fields that explain to people what another field says."""
_NONE: Final = frozenset[str]()


@cache
def schema() -> dict[str, Any]:
    """Return the structural schema of the spec."""
    return structural(ProjectOnboardingSpec, "spec")


def pick(content: Any, path: str, *, without: frozenset[str] = TEXTS) -> Any:
    """Return a field of a spec, with the fields in it that are not in ``without``; None if it is absent.

    For a list of named items it is the field of each item that has it, by name.
    """
    return _pick(content, path.split("."), schema(), without)


def flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a spec by path, as ``pick`` returns each: its own, the team's and those of named items."""
    found: dict[str, Any] = {}
    for head, value in _sorted(content, schema(), TEXTS).items():
        if head == "team":
            found.update({f"{head}.{name}": part for name, part in value.items()})
        elif head in ("environments", "repositories"):
            for item in value:
                for name, part in item.items():
                    found.setdefault(f"{head}.{name}", {})[item["name"]] = part
        else:
            found[head] = value
    return found


def _pick(value: Any, path: list[str], schema: Any, without: frozenset[str]) -> Any:
    if not path or value is None:
        return _sorted(value, schema, without)
    if isinstance(value, list):
        (key,) = schema[LIST_MAP_KEYS]
        parts = ((item[key], _pick(item, path, schema["items"], without)) for item in value)
        return {name: part for name, part in parts if part is not None} or None
    return _pick(value.get(path[0]), path[1:], schema["properties"][path[0]], without)


def _sorted(value: Any, schema: Any, without: frozenset[str]) -> Any:
    """Return a value with its lists sorted: sets by value, maps by key; other lists stay in order."""
    if isinstance(value, dict):
        others = schema.get("additionalProperties", {})
        fields = schema.get("properties", {})
        left_out = without & fields.keys()
        kept = ((name, part) for name, part in value.items() if name not in left_out)
        return {name: _sorted(part, fields.get(name, others), without) for name, part in kept}
    if not isinstance(value, list):
        return value
    items = [_sorted(item, schema["items"], without) for item in value]
    match schema.get(LIST_TYPE):
        case "set":
            return sorted(items)
        case "map":
            return sorted(items, key=lambda item: [item[key] for key in schema[LIST_MAP_KEYS]])
    return items
