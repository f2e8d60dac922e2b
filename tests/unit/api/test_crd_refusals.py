"""What the generator refuses rather than weaken: every refusal names its path and the way out."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import ConfigDict, Field, create_model

from onboarding.api.crd import SchemaError, build_crd
from onboarding.api.markers import Kind, MapList, Rule, SetList, rules
from tests.unit.crd_models import POSITIVE, Bed, Open, Short, Soil, Soils, Spec, Status, Tree, Twice, schema_of

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


@pytest.mark.parametrize(("annotation", "path", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_a_structural_schema_cannot_hold_is_refused_with_its_path(annotation, path, words):
    with pytest.raises(SchemaError) as refusal:
        schema_of(annotation)
    assert refusal.value.path == path
    assert words in str(refusal.value)


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
