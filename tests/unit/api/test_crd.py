"""What the generator of custom resource definitions promises: every translation of what a model may say."""

import json
from datetime import datetime
from typing import Annotated, Literal

import pytest
from pydantic import Field, create_model

from onboarding.api import KINDS, CustomResource
from onboarding.api.crd import build_crd, structural
from onboarding.api.markers import AtomicList, MapList, Rule, SetList
from tests.unit.crd_models import (
    EVEN,
    NAMES,
    POSITIVE,
    Bed,
    Counts,
    DeepGround,
    Ground,
    Model,
    Short,
    Soil,
    Soils,
    Spec,
    schema_of,
)

BED = {
    "type": "object",
    "description": "A bed in the garden.",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "rowCount": {"type": "integer", "default": 2},
        "note": {"type": "string", "maxLength": 20},
    },
}
SOIL = {"type": "string", "enum": ["clay", "sand"]}
TRANSLATIONS = {
    "a string keeps its limits": (
        Annotated[str, Field(min_length=1, max_length=5, pattern="^a")],
        {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a"},
    ),
    "inclusive bounds stay": (Annotated[int, Field(ge=1, le=3)], {"type": "integer", "minimum": 1, "maximum": 3}),
    "a boolean stays": (bool, {"type": "boolean"}),
    "a number stays": (float, {"type": "number"}),
    "a StrEnum needs no bound": (Soil, SOIL),
    "a Literal is an enum": (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    "a Literal of one is an enum of one": (Literal["a"], {"type": "string", "enum": ["a"]}),
    "a time needs no bound": (datetime, {"type": "string", "format": "date-time"}),
    "a nested model is written in place, by its aliases": (Bed, BED),
    "a map types its values": (
        Annotated[dict[str, Short], Field(max_length=3)],
        {"type": "object", "maxProperties": 3, "additionalProperties": {"type": "string", "maxLength": 20}},
    ),
    "a known format stays": (
        Annotated[int, Field(json_schema_extra={"format": "int32"})],
        {"type": "integer", "format": "int32"},
    ),
    "rules keep their order": (
        Annotated[int, POSITIVE, EVEN],
        {"type": "integer", "x-kubernetes-validations": [POSITIVE.manifest(), EVEN.manifest()]},
    ),
    "rules of a type come before rules of its use": (
        Annotated[Ground, Rule("true", "always")],
        {
            "type": "object",
            "properties": {"soil": SOIL | {"default": "clay"}},
            "x-kubernetes-validations": [
                {"rule": "has(self.soil)", "message": "name the soil"},
                {"rule": "true", "message": "always"},
            ],
        },
    ),
    "a tuple of like members is a list": (
        Annotated[tuple[Soil, ...], Field(max_length=2)],
        {"type": "array", "maxItems": 2, "items": SOIL},
    ),
    "a map list names its keys": (
        Annotated[list[Bed], Field(max_length=2), MapList("name", "rowCount")],
        {
            "type": "array",
            "maxItems": 2,
            "items": BED,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name", "rowCount"],
        },
    ),
    "a set list says so": (
        Annotated[list[Soil], Field(max_length=2), SetList()],
        {"type": "array", "maxItems": 2, "items": SOIL, "x-kubernetes-list-type": "set"},
    ),
    "an atomic list says so": (
        Annotated[list[Soil], Field(max_length=2), AtomicList()],
        {"type": "array", "maxItems": 2, "items": SOIL, "x-kubernetes-list-type": "atomic"},
    ),
}


@pytest.mark.parametrize(("annotation", "expected"), TRANSLATIONS.values(), ids=TRANSLATIONS)
def test_a_field_is_translated(annotation, expected):
    assert schema_of(annotation) == expected


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (int, 0, 0),
        (bool, False, False),
        (Soil, Soil.SAND, "sand"),
        (Bed, Bed(name="a"), {"name": "a", "rowCount": 2}),
        (Counts, {"a": 1}, {"a": 1}),
    ],
    ids=["zero", "false", "enum", "model without what is None", "map"],
)
def test_a_default_is_written_down(annotation, default, expected):
    assert schema_of(annotation, default)["default"] == expected


@pytest.mark.parametrize(
    ("annotation", "default"),
    [(Short | None, None), (Soils | None, None), (Soils, []), (Counts, {}), (Spec, Spec())],
    ids=["None", "None for a list", "empty list", "empty map", "model of nothing"],
)
def test_an_empty_default_is_not_written_down(annotation, default):
    schema = schema_of(annotation, default)
    assert "default" not in schema
    assert "nullable" not in schema


def test_an_optional_field_keeps_its_description_rules_and_list_type():
    annotation = Annotated[Annotated[list[Soil], Field(max_length=2), POSITIVE] | None, EVEN, SetList()]
    schema = schema_of(annotation, Field(default=None, description="Soils."))
    assert schema["description"] == "Soils."
    assert schema["x-kubernetes-list-type"] == "set"
    assert schema["x-kubernetes-validations"] == [POSITIVE.manifest(), EVEN.manifest()]


def test_a_description_of_a_field_stands_before_the_docstring_of_its_type():
    assert schema_of(Bed, Field(description="The first bed."))["description"] == "The first bed."


def test_a_field_may_be_named_like_a_keyword():
    model = create_model("Holder", __base__=Model, title=(bool, ...), type=(bool, ...))
    assert structural(model, "spec")["properties"] == {"title": {"type": "boolean"}, "type": {"type": "boolean"}}


def test_a_type_may_be_used_twice_without_being_taken_for_recursion():
    model = create_model("Holder", __base__=Model, first=(Bed, ...), second=(Bed, ...))
    assert structural(model, "spec")["properties"] == {"first": BED, "second": BED}


def test_a_subclass_keeps_its_parents_rules_and_leaves_them_alone():
    own = [{"rule": "has(self.soil)", "message": "name the soil"}]
    assert structural(DeepGround, "spec")["x-kubernetes-validations"] == [*own, {"rule": "self.deep", "message": "dig"}]
    assert structural(Ground, "spec")["x-kubernetes-validations"] == own


def test_a_kind_without_status_has_no_status_subresource():
    version = build_crd(NAMES, Spec, None)["spec"]["versions"][0]
    assert "subresources" not in version
    assert "status" not in version["schema"]["openAPIV3Schema"]["properties"]


@pytest.mark.parametrize("entry", KINDS, ids=lambda entry: entry.kind.kind)
def test_nothing_in_a_status_has_a_default(entry: CustomResource) -> None:
    """The server would store it, we leave it out, and every pass would find a difference and write."""
    schema = build_crd(entry.kind, entry.spec, entry.status)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    status = dict(schema["properties"].get("status", {}))
    status.pop("default", None)
    fields = status.get("properties", {})
    fields.get("observedGeneration", {}).pop("default", None)
    assert '"default"' not in json.dumps(fields)
