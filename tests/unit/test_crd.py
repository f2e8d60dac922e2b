"""What the generator of custom resource definitions promises: every translation, and every refusal with its path."""
# ruff: noqa: D101 - a docstring of a model would become a description in its schema

import importlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from onboarding.api.crd import SchemaError, build_crd, structural
from onboarding.api.markers import AtomicList, Kind, MapList, PrinterColumn, Rule, SetList, rules

NAMES = Kind(plural="gardens", singular="garden", kind="Garden")
Short = Annotated[str, Field(max_length=20)]
POSITIVE = Rule("self > 0", "give at least one")
EVEN = Rule("self % 2 == 0", "plant in pairs")


class Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Soil(StrEnum):
    CLAY = "clay"
    SAND = "sand"


class Bed(Model):
    """A bed in the garden."""

    name: Short
    row_count: int = 2
    note: Short | None = None


class Tree(Model):
    name: Short
    branch: "Tree | None" = None


@rules(Rule("has(self.soil)", "name the soil"))
class Ground(Model):
    soil: Soil = Soil.CLAY


@rules(Rule("self.deep", "dig"))
class DeepGround(Ground):
    deep: bool = True


class Open(Model):
    model_config = ConfigDict(extra="allow")


class Twice(Model):
    size: Annotated[Short | None, Field(json_schema_extra={"maxLength": 30})] = None


class Spec(Model):
    beds: Annotated[list[Bed], Field(max_length=9), MapList("name")] = Field(default=[], description="The beds.")
    ground: Ground | None = None


class Status(Model):
    observed_generation: int | None = None


def schema_of(annotation: Any, default: Any = ...) -> dict[str, Any]:
    """Translate a model with one field ``value`` and return that field's schema."""
    model = create_model("Holder", __base__=Model, value=(annotation, default))
    return structural(model, "spec")["properties"]["value"]


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
Soils = Annotated[list[Soil], Field(max_length=2)]
Counts = Annotated[dict[str, int], Field(max_length=2)]
REFUSALS = {
    "a string without a bound": (str, "spec.value", "maxLength"),
    "a list without a bound": (list[Soil], "spec.value", "maxItems"),
    "a map without a bound": (dict[str, Soil], "spec.value", "maxProperties"),
    "an item without a bound": (Annotated[list[str], Field(max_length=2)], "spec.value[]", "maxLength"),
    "a map value without a bound": (Annotated[dict[str, str], Field(max_length=2)], "spec.value.*", "maxLength"),
    "a model that holds itself": (Tree, "spec.value.branch", "recursion"),
    "a union": (int | Short, "spec.value", "union"),
    "an optional union": (int | Short | None, "spec.value", "union"),
    "None inside a list": (Annotated[list[int | None], Field(max_length=2)], "spec.value[]", "union"),
    "a required field that may be None": (int | None, "spec.value", "default None"),
    "an exclusive minimum": (Annotated[int, Field(gt=0)], "spec.value", "use ge"),
    "an exclusive maximum": (Annotated[int, Field(lt=9)], "spec.value", "use le"),
    "a tuple of unlike members": (tuple[int, bool], "spec.value", "prefixItems"),
    "a set": (Annotated[frozenset[Soil], Field(max_length=2)], "spec.value", "SetList"),
    "a pattern for keys": (dict[Annotated[str, Field(pattern="^a$")], int], "spec.value", "use a Rule"),
    "a bound for keys": (dict[Short, int], "spec.value", "use a Rule"),
    "a value of any type": (Any, "spec.value", "one type"),
    "a map to anything": (Annotated[dict[str, Any], Field(max_length=2)], "spec.value", "dict[str, T]"),
    "only None": (None, "spec.value", "one type"),
    "a mixed Literal": (Literal["a", 1], "spec.value", "one type"),
    "an unknown format": (Annotated[bytes, Field(max_length=2)], "spec.value", "format binary"),
    "a keyword outside the list": (Annotated[int, Field(deprecated=True)], "spec.value", "deprecated"),
    "a list marker on a scalar": (Annotated[int, SetList()], "spec.value", "x-kubernetes-list-type"),
    "a model open to other fields": (Open, "spec.value", "extra='allow'"),
    "a set list of models": (Annotated[list[Bed], Field(max_length=2), SetList()], "spec.value", "plain values"),
    "a map key that is no field": (Annotated[list[Bed], Field(max_length=2), MapList("id")], "spec.value", "no field"),
    "a map key that may be absent": (
        Annotated[list[Bed], Field(max_length=2), MapList("note")],
        "spec.value",
        "absent",
    ),
    "a map key that is a model": (
        Annotated[list[Spec], Field(max_length=2), MapList("ground")],
        "spec.value",
        "no plain value",
    ),
    "a limit said by a field and by its type": (Twice, "spec.value.size", "say it once"),
    "a type unknown to JSON": (Callable[[], int], "spec", "core_schema"),
}


@pytest.mark.parametrize(("annotation", "expected"), TRANSLATIONS.values(), ids=TRANSLATIONS)
def test_a_field_is_translated(annotation, expected):
    assert schema_of(annotation) == expected


@pytest.mark.parametrize(("annotation", "path", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_a_structural_schema_cannot_hold_is_refused_with_its_path(annotation, path, words):
    with pytest.raises(SchemaError) as refusal:
        schema_of(annotation)
    assert refusal.value.path == path
    assert words in str(refusal.value)


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


@pytest.mark.parametrize(
    ("annotation", "default", "words"),
    [
        (Soils, [Soil.CLAY], "a list has no default"),
        (Spec, Spec(beds=[Bed(name="a")]), "a list has no default"),
        (int | None, 3, "give it the default None"),
    ],
    ids=["list with members", "list with members in a model", "value for what may be None"],
)
def test_a_default_that_would_surprise_is_refused(annotation, default, words):
    with pytest.raises(SchemaError, match=rf"^spec\.value: .*{words}"):
        schema_of(annotation, default)


def test_a_default_that_is_no_json_is_refused_instead_of_left_out():
    with pytest.raises(SchemaError, match=r"^spec: non-serializable-default"):
        schema_of(int, object())


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


@pytest.mark.parametrize(("cel", "message"), [("", "say"), ("true", " "), ("true", "two\nlines")])
def test_a_rule_that_the_server_would_refuse_cannot_be_made(cel, message):
    with pytest.raises(ValueError, match="rule"):
        Rule(cel, message)


def test_a_map_list_without_keys_cannot_be_made():
    with pytest.raises(ValueError, match="at least one key"):
        MapList()


@pytest.mark.parametrize("extra", [lambda _: None, {"x-kubernetes-validations": "none"}], ids=["function", "no list"])
def test_rules_are_not_lost_beside_another_schema_extra(extra):
    model = create_model("Holder", __config__=ConfigDict(json_schema_extra=extra), value=(bool, ...))
    with pytest.raises(TypeError, match="Holder"):
        rules(POSITIVE)(model)


@pytest.mark.parametrize(
    ("status", "default", "words"),
    [
        (None, {"observedGeneration": -1}, "needs a status model"),
        (Status, {"observed": -1}, "observed, which the model does not have"),
        (Bed, {"rowCount": 1}, "lacks name"),
    ],
    ids=["no status", "unknown field", "required field missing"],
)
def test_a_status_default_that_the_server_would_refuse_is_refused(status, default, words):
    with pytest.raises(SchemaError, match=rf"^status: .*{words}"):
        build_crd(Kind("gardens", "garden", "Garden", status_default=default), Spec, status)


def test_a_kind_without_status_has_no_status_subresource():
    version = build_crd(NAMES, Spec, None)["spec"]["versions"][0]
    assert "subresources" not in version
    assert "status" not in version["schema"]["openAPIV3Schema"]["properties"]


GOLDEN = """\
# Generated by `make generate` from operator/onboarding/api; do not edit.
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gardens.projectonboarding.io
spec:
  group: projectonboarding.io
  names:
    categories:
    - green
    kind: Garden
    listKind: GardenList
    plural: gardens
    shortNames:
    - gd
    singular: garden
  scope: Cluster
  versions:
  - additionalPrinterColumns:
    - jsonPath: .spec.ground.soil
      name: Soil
      type: string
    - description: Time since creation.
      jsonPath: .metadata.creationTimestamp
      name: Age
      priority: 1
      type: date
    name: v1alpha1
    schema:
      openAPIV3Schema:
        description: A garden.
        properties:
          apiVersion:
            type: string
          kind:
            type: string
          metadata:
            type: object
          spec:
            properties:
              beds:
                description: The beds.
                items:
                  description: A bed in the garden.
                  properties:
                    name:
                      maxLength: 20
                      type: string
                    note:
                      maxLength: 20
                      type: string
                    rowCount:
                      default: 2
                      type: integer
                  required:
                  - name
                  type: object
                maxItems: 9
                type: array
                x-kubernetes-list-map-keys:
                - name
                x-kubernetes-list-type: map
              ground:
                properties:
                  soil:
                    default: clay
                    enum:
                    - clay
                    - sand
                    type: string
                type: object
                x-kubernetes-validations:
                - message: name the soil
                  rule: has(self.soil)
            type: object
          status:
            default:
              observedGeneration: -1
            properties:
              observedGeneration:
                type: integer
            type: object
        required:
        - spec
        type: object
        x-kubernetes-validations:
        - message: shorten the name
          rule: size(self.metadata.name) <= 20
    served: true
    storage: true
    subresources:
      status: {}
"""
GARDEN = Kind(
    plural="gardens",
    singular="garden",
    kind="Garden",
    short_names=("gd",),
    categories=("green",),
    columns=(
        PrinterColumn("Soil", ".spec.ground.soil"),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date", "Time since creation.", 1),
    ),
    status_default={"observedGeneration": -1},
    rules=(Rule("size(self.metadata.name) <= 20", "shorten the name"),),
    description="A garden.",
)
FILE = "projectonboarding.io_gardens.yaml"


@pytest.fixture
def command(monkeypatch):
    """Return a runner of the command over one kind, the garden."""
    module = importlib.import_module("onboarding.cli.crds")
    monkeypatch.setattr(module, "KINDS", (SimpleNamespace(kind=GARDEN, spec=Spec, status=Status),))
    return lambda *arguments: CliRunner().invoke(module.crds, [str(argument) for argument in arguments])


def test_the_definition_is_written_to_a_file_named_after_the_kind(command, tmp_path):
    assert command("--directory", tmp_path / "crds").exit_code == 0
    assert (tmp_path / "crds" / FILE).read_text() == GOLDEN


def test_a_model_that_is_refused_is_named_with_its_kind_and_nothing_is_written(command, monkeypatch, tmp_path):
    module = importlib.import_module("onboarding.cli.crds")
    monkeypatch.setattr(module, "KINDS", (*module.KINDS, SimpleNamespace(kind=NAMES, spec=Tree, status=None)))
    result = command("--directory", tmp_path)
    assert result.exit_code == 1
    assert "Garden: spec.branch: Tree holds itself" in result.output
    assert not list(tmp_path.iterdir())


def test_equal_parts_of_a_definition_are_written_out_in_full():
    render = importlib.import_module("onboarding.cli.crds").render
    shared = ["clay"]
    assert yaml.safe_load(render({"a": shared, "b": shared})) == {"a": ["clay"], "b": ["clay"]}
    assert "&" not in render({"a": shared, "b": shared})


def test_fresh_files_pass_the_check(command, tmp_path):
    command("--directory", tmp_path)
    assert command("--directory", tmp_path, "--check").exit_code == 0


@pytest.mark.parametrize("text", [None, GOLDEN + "# edited\n"], ids=["missing", "edited"])
def test_a_stale_file_fails_the_check_with_its_name_and_the_remedy(command, tmp_path, text):
    if text:
        (tmp_path / FILE).write_text(text)
    result = command("--directory", tmp_path, "--check")
    assert result.exit_code == 1
    assert FILE in result.output
    assert "make generate" in result.output
    assert (tmp_path / FILE).exists() == bool(text)


def test_the_file_of_a_kind_that_is_gone_is_stale_until_generated_again(command, tmp_path):
    command("--directory", tmp_path)
    gone = tmp_path / "projectonboarding.io_ponds.yaml"
    gone.write_text(GOLDEN)
    assert gone.name in command("--directory", tmp_path, "--check").output
    assert command("--directory", tmp_path).exit_code == 0
    assert not gone.exists()


def test_a_file_that_was_not_generated_is_left_alone(command, tmp_path):
    foreign = tmp_path / "projectonboarding.io_notes.yaml"
    foreign.write_text("by: hand\n")
    command("--directory", tmp_path)
    assert foreign.exists()
    assert command("--directory", tmp_path, "--check").exit_code == 0
