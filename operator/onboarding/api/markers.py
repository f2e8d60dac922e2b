"""What the models carry for the API server: CEL rules, kinds of lists, and the data that describes a kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

VALIDATIONS: Final = "x-kubernetes-validations"
LIST_TYPE: Final = "x-kubernetes-list-type"
LIST_MAP_KEYS: Final = "x-kubernetes-list-map-keys"

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Rule:
    """A CEL rule that the API server enforces on one value, with the sentence it answers when the rule fails.

    Used in ``Annotated`` of a field or an alias; several on one value are kept in the order they are written.
    """

    cel: str
    message: str

    def __post_init__(self) -> None:
        if not self.cel.strip() or not self.message.strip():
            raise ValueError("a rule needs an expression and a message")
        if "\n" in self.message:
            raise ValueError("the API server refuses line breaks in a rule's message")

    def manifest(self) -> dict[str, Any]:
        """Return the rule as a custom resource definition writes it."""
        return {"rule": self.cel, "message": self.message}

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return {**schema, VALIDATIONS: [*schema.get(VALIDATIONS, []), self.manifest()]}


def rules(*added: Rule) -> Callable[[type[ModelT]], type[ModelT]]:
    """Decorate a model with rules over the whole object; a subclass keeps its parent's rules and adds its own."""

    def decorate(model: type[ModelT]) -> type[ModelT]:
        extra = model.model_config.get("json_schema_extra") or {}
        if callable(extra):
            raise TypeError(f"{model.__name__}: rules cannot be added to a json_schema_extra that is a function")
        inherited = extra.get(VALIDATIONS, [])
        if not isinstance(inherited, list):
            raise TypeError(f"{model.__name__}: {VALIDATIONS} is not a list")
        # pydantic reads this key of the configuration when a schema is asked for, so that no rebuild is needed.
        model.model_config["json_schema_extra"] = {
            **extra,
            VALIDATIONS: [*inherited, *(rule.manifest() for rule in added)],
        }
        return model

    return decorate


class Pattern:
    """A pattern that the API server enforces and the models do not, so that what was stored before it can be read.

    It replaces the pattern of the field in the definition.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "pattern": self.pattern}


class MapList:
    """A list whose items are told apart by these keys, written as in the manifest (camelCase)."""

    def __init__(self, *keys: str) -> None:
        if not keys:
            raise ValueError("a map list needs at least one key")
        self.keys = keys

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), LIST_TYPE: "map", LIST_MAP_KEYS: list(self.keys)}


class SetList:
    """A list of plain values without duplicates, in which several writers may each own some."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), LIST_TYPE: "set"}


class AtomicList:
    """A list that one writer replaces as a whole."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), LIST_TYPE: "atomic"}


@dataclass(frozen=True)
class PrinterColumn:
    """A column of ``kubectl get``; one of priority 1 is shown by ``-o wide`` only."""

    name: str
    json_path: str
    type: str = "string"
    description: str = ""
    priority: int = 0


@dataclass(frozen=True)
class Kind:
    """A cluster-scoped custom resource: its names, its columns and what its models do not say."""

    plural: str
    singular: str
    kind: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[PrinterColumn, ...] = ()
    status_default: Mapping[str, Any] | None = None
    """Status of an object that nobody has looked at yet, such as ``{"observedGeneration": -1}``."""
    rules: tuple[Rule, ...] = ()
    """Rules at the root, where alone ``metadata.name`` is seen; tightened later, they make objects undeletable."""
    description: str = ""
    """What ``kubectl explain`` says of the kind."""
