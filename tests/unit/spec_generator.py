"""Specs at random that have the form of their kind, made from the schema that the API server is given."""

import random
import re
from functools import cache
from typing import Any

from pydantic import BaseModel

from onboarding.api.crd import structural

_WORDS = (
    *("a", "dev", "prod", "main", "small", "x-1", "NP", "rie", "fast", "FR", "v1.36", "latest"),
    *("0", "1", "100m", "0.5", "2", "64Mi", "1Gi", "999Pi", "0m", "512M"),
    *("10.0.0.0/8", "10.1.0.0/16", "172.16.0.0/12", "0.0.0.0/0", "::/0", "fd00::/8", "255.255.255.255/32"),
    *("2001:db8::1/128", "192.168.0.0/16", "192.168.1.0/24", "fe80::/10", ":::/64"),
    *("2026-01-01", "2026-02-31", "0000-00-00", "9999-99-99"),
    *("https://kubernetes.default.svc", "https://k8s.example.org:443", "https://id.example.org/{group}", "http://a"),
    *("nvidia.com/gpu", "onboarding:admin", "Foo", "ImageCompliant", "git.example.org", "linux/amd64"),
    *("-", "é", "app.kubernetes.io/name", "count/pods", "requests.cpu", "resourcequotas", "x" * 63, "Δ/…"),
)


def any_spec(model: type[BaseModel], chance: random.Random) -> Any:
    """Return a value that the schema of a model accepts; rules in CEL may refuse it."""
    return _value(_schema(model), chance)


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return structural(model, "spec")


def _value(schema: dict[str, Any], chance: random.Random) -> Any:
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if schema["type"] == "object":
        return _object(schema, chance)
    if schema["type"] == "array":
        size = chance.randint(schema.get("minItems", 0), min(4, schema["maxItems"]))
        return [_value(schema["items"], chance) for _ in range(size)]
    if schema["type"] == "integer":
        bounds = (schema.get("minimum", 0), schema.get("maximum", 10**6))
        return chance.choice((*bounds, chance.randint(*bounds)))
    if schema["type"] == "string":
        return chance.choice([word for word in _WORDS if _fits(word, schema)])
    return chance.random() < 0.5


def _object(schema: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    if "properties" not in schema:
        size = chance.randint(0, min(4, schema["maxProperties"]))
        return {chance.choice(_WORDS): _value(schema["additionalProperties"], chance) for _ in range(size)}
    return {
        name: _value(child, chance)
        for name, child in schema["properties"].items()
        if name in schema.get("required", ()) or chance.random() < 0.6
    }


def _fits(word: str, schema: dict[str, Any]) -> bool:
    sized = schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", 1000)
    return sized and re.search(schema.get("pattern", ""), word) is not None
