"""Compare the definition of a kind that a server has with what the models say: what it lacks, it would cut; pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from onboarding.api import KINDS, CustomResource
from onboarding.api.crd import build_crd
from onboarding.names import GROUP, VERSION

_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_VALUE: Final = "value"


class Definition(NamedTuple):
    """What the models say of one kind."""

    name: str
    """Of the CustomResourceDefinition."""
    fields: Mapping[str, str]
    """The type of every field by its path, such as ``spec.environments[].stage``; allowed values have paths too."""

    def lacking(self, served: Mapping[str, Any] | None) -> list[str]:
        """Return what a CustomResourceDefinition lacks of it, the outer first; None stands for no such one."""
        version = _version(served)
        if version is None:
            return [f"version {VERSION}"]
        found = _fields_of(version)
        missing = (path for path, kind in self.fields.items() if found.get(path) != kind)
        return [_told(path, self.fields[path], found.get(path)) for path in missing]


def definitions() -> tuple[Definition, ...]:
    """Return the definitions of all kinds."""
    return tuple(_definition(entry) for entry in KINDS)


def _definition(entry: CustomResource) -> Definition:
    version = _version(build_crd(entry.kind, entry.spec, entry.status))
    if version is None:
        raise AssertionError("the models make a version that is served")
    return Definition(f"{entry.kind.plural}.{GROUP}", _fields_of(version))


def _version(crd: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return our version of a definition, if the server serves it."""
    versions = crd["spec"]["versions"] if crd else ()
    return next((item for item in versions if item["name"] == VERSION and item["served"]), None)


def _fields_of(version: Mapping[str, Any]) -> dict[str, str]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    fields = dict(_below(schema, ""))
    if "status" in (version.get("subresources") or {}):
        fields["subresource status"] = "object"
    return fields


def _below(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, field in (schema.get("properties") or {}).items():
        yield from _field(field, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from _field(schema["items"], f"{path}[]")
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        yield from _field(others, f"{path}.*")


def _field(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    yield path, "int-or-string" if schema.get(_INT_OR_STRING) else schema.get("type", "")
    for value in schema.get("enum") or ():
        yield f"{path}={value}", _VALUE
    yield from _below(schema, path)


def _told(path: str, wanted: str, found: str | None) -> str:
    return path if found is None else f"{path} (it is {found or 'of no type'} there, not {wanted})"
