"""Custom resource definitions from the models: what a structural schema cannot hold is refused, never weakened."""

from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from onboarding.api.markers import LIST_MAP_KEYS, LIST_TYPE, VALIDATIONS, Kind, PrinterColumn
from onboarding.names import GROUP, VERSION

Schema: TypeAlias = dict[str, Any]
Refs: TypeAlias = tuple[str, ...]

FORMATS: Final = {
    "string": {"date", "date-time"},
    "integer": {"int32", "int64"},
    "number": set[str](),
    "boolean": set[str](),
}
"""Formats that Kubernetes enforces, per scalar type."""
NUMERIC: Final = {"minimum", "maximum", "multipleOf", "format"}
KEYWORDS: Final = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": NUMERIC,
    "number": NUMERIC,
    "boolean": set[str](),
    "array": {"items", "minItems", "maxItems", LIST_TYPE, LIST_MAP_KEYS},
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties"},
}
"""Keywords that a schema of each type may hold, beside the common ones."""
COMMON: Final = {"type", "title", "description", "default", "enum", "const", VALIDATIONS}
COPIED: Final = {"type", "description", "enum", "required", VALIDATIONS}.union(*KEYWORDS.values()) - {
    "properties",
    "additionalProperties",
    "items",
}
"""Keywords that go into the definition as they are."""
UNION: Final = "a union has no structural form: use one type, or fields of which a Rule allows one"
KEY_PATTERN: Final = "limits on the keys of a map have no structural form: use a Rule over the map"
REFUSED: Final = {
    "anyOf": UNION,
    "oneOf": UNION,
    "allOf": UNION,
    "exclusiveMinimum": "a bound that excludes itself has another form in OpenAPI: use ge",
    "exclusiveMaximum": "a bound that excludes itself has another form in OpenAPI: use le",
    "prefixItems": "a tuple of unlike members has no structural form: use a model",
    "patternProperties": KEY_PATTERN,
    "propertyNames": KEY_PATTERN,
    "uniqueItems": "a set has no structural form: use a list with SetList()",
}
"""What models can easily say and a structural schema cannot, with the way out."""
NULL: Final = {"type": "null"}


class SchemaError(ValueError):
    """A model says something at ``path`` that a structural schema cannot hold."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


def build_crd(kind: Kind, spec: type[BaseModel], status: type[BaseModel] | None) -> Schema:
    """Return the CustomResourceDefinition of a kind, with a status subresource when it has a status model."""
    names = {"kind": kind.kind, "listKind": f"{kind.kind}List", "plural": kind.plural, "singular": kind.singular}
    lists = {"categories": list(kind.categories), "shortNames": list(kind.short_names)}
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(kind, spec, status)},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
        "subresources": {"status": {}} if status else {},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": names | _filled(lists),
            "versions": [_filled(version)],
        },
    }


def structural(model: type[BaseModel], path: str) -> Schema:
    """Return the structural schema of a model; ``path`` opens the paths that errors name."""
    try:
        document = model.model_json_schema(by_alias=True, schema_generator=_Strict)
    except PydanticInvalidForJsonSchema as error:
        raise SchemaError(path, error.message) from error
    except _DoubtfulError as error:
        raise SchemaError(path, str(error)) from error
    definitions = document.pop("$defs", {})
    return _Translation(definitions).schema(document, path, ())


class _DoubtfulError(Exception):
    """pydantic would have left something out of the schema with a mere warning."""


class _Strict(GenerateJsonSchema):
    """pydantic's generator with its warnings turned into refusals."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        raise _DoubtfulError(f"{kind}: {detail}")


class _Translation:
    """One document of pydantic on its way to a structural schema; ``refs`` are the definitions we are inside of."""

    def __init__(self, definitions: Schema) -> None:
        self.definitions = definitions

    def schema(self, node: Schema, path: str, refs: Refs) -> Schema:
        """Translate one schema and all below it."""
        node, refs = self.inlined(node, path, refs)
        _refuse(node, path)
        result = {key: node[key] for key in COPIED & node.keys()}
        if "const" in node:
            result["enum"] = [node["const"]]
        match node["type"]:
            case "object":
                result |= self.object(node, path, refs)
            case "array":
                result |= self.array(node, path, refs)
            case "string":
                _bounded(result, path, "maxLength", unless=bool({"enum", "format"} & result.keys()))
        return result | _default(node, path)

    def object(self, node: Schema, path: str, refs: Refs) -> Schema:
        """Translate the fields of a model or the values of a map."""
        others = node.get("additionalProperties", False)
        if "properties" in node:
            if others is not False:
                raise SchemaError(path, "a model takes no fields beside its own: drop extra='allow'")
            required = node.get("required", [])
            return {
                "properties": {
                    name: self.field(child, f"{path}.{name}", refs, required=name in required)
                    for name, child in node["properties"].items()
                }
            }
        if not isinstance(others, dict):
            raise SchemaError(path, "a map needs a type for its values: use dict[str, T]")
        _bounded(node, path, "maxProperties")
        return {"additionalProperties": self.schema(others, f"{path}.*", refs)}

    def array(self, node: Schema, path: str, refs: Refs) -> Schema:
        """Translate the items of a list, which must suit the kind of list."""
        _bounded(node, path, "maxItems")
        items = self.schema(node["items"], f"{path}[]", refs)
        if node.get(LIST_TYPE) == "set" and items["type"] in {"object", "array"}:
            raise SchemaError(path, "a set list holds plain values: use MapList or AtomicList")
        for key in node.get(LIST_MAP_KEYS, []):
            _check_map_key(key, items, path)
        return {"items": items}

    def field(self, node: Schema, path: str, refs: Refs, *, required: bool) -> Schema:
        """Translate one field; ``T | None`` becomes a field that may be absent, which is what None means."""
        node, refs = self.inlined(node, path, refs)
        choices = node.get("anyOf", [])
        if len(choices) == 2 and NULL in choices:
            if required or node.get("default", ...) is not None:
                raise SchemaError(path, "an optional field is None when absent: give it the default None")
            inner = next(choice for choice in choices if choice != NULL)
            outer = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
            node = _merged(inner, outer, path)
        return self.schema(node, path, refs)

    def inlined(self, node: Schema, path: str, refs: Refs) -> tuple[Schema, Refs]:
        """Replace a reference by what it names."""
        if "$ref" not in node:
            return node, refs
        name = node["$ref"].removeprefix("#/$defs/")
        if name in refs:
            raise SchemaError(path, f"{name} holds itself: a structural schema has no recursion")
        inner, refs = self.inlined(self.definitions[name], path, (*refs, name))
        return _merged(inner, {key: value for key, value in node.items() if key != "$ref"}, path), refs


def _merged(inner: Schema, outer: Schema, path: str) -> Schema:
    """Lay what a field says over what its type says; the rules of both count."""
    twice = inner.keys() & outer.keys() - {"title", "description", "default", VALIDATIONS}
    if twice:
        raise SchemaError(path, f"{_listed(twice)} is said by the field and by its type: say it once")
    validations = [*inner.get(VALIDATIONS, []), *outer.get(VALIDATIONS, [])]
    return inner | outer | _filled({VALIDATIONS: validations})


def _refuse(node: Schema, path: str) -> None:
    """Raise on every keyword that a structural schema of this type does not know."""
    for keyword, way_out in REFUSED.items():
        if keyword in node:
            raise SchemaError(path, f"{keyword}: {way_out}")
    kind = node.get("type")
    if kind not in KEYWORDS:
        raise SchemaError(path, f"type {kind} has no structural form: give the value one type")
    unknown = node.keys() - COMMON - KEYWORDS[kind]
    if unknown:
        raise SchemaError(path, f"{_listed(unknown)} cannot stand in a structural schema of type {kind}")
    if "format" in node and node["format"] not in FORMATS[kind]:
        raise SchemaError(path, f"format {node['format']} is not enforced by Kubernetes: use a pattern")


def _bounded(schema: Schema, path: str, keyword: str, *, unless: bool = False) -> None:
    """Raise when a size has no maximum, because CEL's cost is reckoned from the largest value."""
    if keyword not in schema and not unless:
        raise SchemaError(path, f"{keyword} is missing: the cost of rules is reckoned from it, use max_length")


def _check_map_key(key: str, items: Schema, path: str) -> None:
    """Raise unless every item has a plain value under this key."""
    field = items.get("properties", {}).get(key)
    if field is None:
        raise SchemaError(path, f"map key {key} is no field of the items")
    if field["type"] in {"object", "array"}:
        raise SchemaError(path, f"map key {key} is no plain value")
    if key not in items.get("required", []) and "default" not in field:
        raise SchemaError(path, f"map key {key} may be absent: require it or give it a default")


def _default(node: Schema, path: str) -> Schema:
    """Return the default to write into stored objects: never None, never an empty list or map."""
    default = _pruned(node.get("default"))
    if _holds_list(default):
        raise SchemaError(path, "a list has no default: it would be written into every stored object")
    return {} if default in (None, {}, []) else {"default": default}


def _pruned(value: Any) -> Any:
    """Leave out of a default what means the same when absent."""
    if not isinstance(value, dict):
        return value
    members = {key: _pruned(member) for key, member in value.items()}
    return {key: member for key, member in members.items() if member not in (None, {}, [])}


def _holds_list(value: Any) -> bool:
    """Tell whether a pruned default has a list anywhere."""
    if isinstance(value, dict):
        return any(_holds_list(member) for member in value.values())
    return isinstance(value, list) and bool(value)


def _root(kind: Kind, spec: type[BaseModel], status: type[BaseModel] | None) -> Schema:
    """Return the schema of the whole object."""
    properties: Schema = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": structural(spec, "spec"),
    }
    if status:
        properties["status"] = structural(status, "status")
    if kind.status_default is not None:
        properties["status"] = _with_default(properties.get("status"), dict(kind.status_default))
    rules = [rule.manifest() for rule in kind.rules]
    described = _filled({"description": kind.description, VALIDATIONS: rules})
    return {"type": "object", "required": ["spec"], "properties": properties} | described


def _with_default(status: Schema | None, default: Schema) -> Schema:
    """Give the status a default, which must be one that the API server would take."""
    if status is None:
        raise SchemaError("status", "a status default needs a status model")
    unknown = default.keys() - status["properties"].keys()
    if unknown:
        raise SchemaError("status", f"the default names {_listed(unknown)}, which the model does not have")
    missing = set(status.get("required", [])) - default.keys()
    if missing:
        raise SchemaError("status", f"the default lacks {_listed(missing)}, which the model requires")
    return status | {"default": default}


def _column(column: PrinterColumn) -> Schema:
    """Return one printer column as a definition writes it."""
    optional = _filled({"description": column.description, "priority": column.priority})
    return {"name": column.name, "type": column.type, "jsonPath": column.json_path} | optional


def _filled(values: Schema) -> Schema:
    """Leave out what is empty."""
    return {key: value for key, value in values.items() if value}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
