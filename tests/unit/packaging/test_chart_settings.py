"""Every setting of the program is a value of the chart, with the same type, bounds, default and meaning."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from docs.generate import chart_value
from onboarding.settings import Settings

CHART = Path(__file__).parents[3] / "charts" / "project-onboarding-operator"
PREFIX = "settings."


def told(setting: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a setting as the chart has it: what is not given there is left out, and never null."""
    given = next((branch for branch in setting.get("anyOf", ()) if branch["type"] != "null"), {})
    left_out = {"title", "anyOf"} | ({"default"} if setting["default"] is None else set())
    return {**given, **{key: value for key, value in setting.items() if key not in left_out}}


def settings() -> dict[str, dict[str, Any]]:
    """Return the schema of each setting that is a value below ``settings``, by its name there."""
    properties = Settings.model_json_schema()["properties"]
    named = {chart_value(name): schema for name, schema in properties.items()}
    return {value.removeprefix(PREFIX): schema for value, schema in named.items() if value.startswith(PREFIX)}


def test_two_settings_are_no_value_of_their_own() -> None:
    """The pod's namespace is where the chart installs; a kubeconfig of the hub is for a shell outside the cluster."""
    assert Settings.model_fields.keys() - {"namespace", "kubeconfig"} == {
        re.sub("(?=[A-Z])", "_", name).lower() for name in settings()
    }


def test_the_schema_of_the_chart_is_that_of_the_program() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]["settings"]
    assert schema["additionalProperties"] is False
    assert schema["properties"] == {name: told(setting) for name, setting in settings().items()}


def test_the_values_show_each_setting_with_its_default() -> None:
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["settings"] == {}, "a default that the program changes reaches who has set nothing"
    block = re.search(r"^settings: \{\}\n((?:#  .+\n)+)", text, re.MULTILINE)
    assert block
    shown = yaml.safe_load("\n".join(line.removeprefix("#  ") for line in block[1].splitlines()))
    assert shown == {name: setting["default"] for name, setting in settings().items()}
