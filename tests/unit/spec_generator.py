"""Specs at random that have the form of their kind, made from the schema that the API server is given."""

from functools import cache
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from onboarding.api.crd import structural
from tests.unit.server_patterns import matches

_WORDS = (
    *("a", "dev", "prod", "main", "small", "x-1", "NP", "rie", "fast", "FR", "v1.36", "latest"),
    *("0", "1", "100m", "0.5", "2", "64Mi", "1Gi", "999Pi", "0m", "512M"),
    *("10.0.0.0/8", "10.1.0.0/16", "172.16.0.0/12", "0.0.0.0/0", "::/0", "fd00::/8", "255.255.255.255/32"),
    *("2001:db8::1/128", "192.168.0.0/16", "192.168.1.0/24", "fe80::/10", ":::/64"),
    *("2026-01-01", "2026-02-31", "0000-00-00", "9999-99-99"),
    *("https://kubernetes.default.svc", "https://k8s.example.org:443", "https://id.example.org/{group}", "http://a"),
    *("nvidia.com/gpu", "onboarding:admin", "Foo", "ImageCompliant", "git.example.org", "linux/amd64"),
    *("a.projects/", "<project>.projects/", "*-system", "ingress-*"),
    *(
        "-",
        "é",
        "app.kubernetes.io/name",
        "count/pods",
        "requests.cpu",
        "resourcequotas",
        "x" * 63,
        "Δ/…",
    ),
)


@cache
def any_spec(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Return values that the schema of a model accepts; rules in CEL may refuse them."""
    return _values(structural(model, "spec"))


def _values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            return _objects(schema)
        case "array":
            least, most = schema.get("minItems", 0), min(4, schema["maxItems"])
            return st.lists(_values(schema["items"]), min_size=least, max_size=most)
        case "integer":
            least, most = schema.get("minimum", 0), schema.get("maximum", 10**6)
            return st.sampled_from((least, most)) | st.integers(least, most)
        case "string":
            return st.sampled_from([word for word in _WORDS if _fits(word, schema)])
        case _:
            return st.booleans()


def _objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        most = min(4, schema["maxProperties"])
        return st.dictionaries(st.sampled_from(_WORDS), _values(schema["additionalProperties"]), max_size=most)
    required = schema.get("required", ())
    fields = {name: _values(child) for name, child in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: values for name, values in fields.items() if name in required},
        optional={name: values for name, values in fields.items() if name not in required},
    )


def _fits(word: str, schema: dict[str, Any]) -> bool:
    sized = schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", 1000)
    return sized and matches(schema.get("pattern", ""), word)
