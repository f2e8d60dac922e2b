"""The models and the kind that the tests of the generator translate: a garden."""
# ruff: noqa: D101 - a docstring of a model would become a description in its schema

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from onboarding.api.crd import structural
from onboarding.api.markers import Kind, MapList, PrinterColumn, Rule, rules

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


Soils = Annotated[list[Soil], Field(max_length=2)]
Counts = Annotated[dict[str, int], Field(max_length=2)]


class Spec(Model):
    beds: Annotated[list[Bed], Field(max_length=9), MapList("name")] = Field(default=[], description="The beds.")
    ground: Ground | None = None


class Status(Model):
    observed_generation: int | None = None


def schema_of(annotation: Any, default: Any = ...) -> dict[str, Any]:
    """Translate a model with one field ``value`` and return that field's schema."""
    model = create_model("Holder", __base__=Model, value=(annotation, default))
    return structural(model, "spec")["properties"]["value"]


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
