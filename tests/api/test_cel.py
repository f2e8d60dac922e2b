"""Every rule and every pattern of the API is enforced by the real API server: one value passes, another is refused.

The rules and patterns are collected from the generated definitions, so that a new one without a case here fails. A
refusal breaks one thing and says so. Nothing is stored but what a rule over a change needs.
"""

import copy
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import ControlPlane
from onboarding.adapters.client import Client
from onboarding.errors import ApiError
from onboarding.names import API_VERSION
from tests.api.cel_cases import DECISIONS, FORMATS, FULL, PATTERNS, POLICIES, PROJECTS, RULES, TARGETS, Case

CRDS = Path(__file__).parents[2] / "crds"
KINDS = {
    PROJECTS: "ProjectOnboarding",
    POLICIES: "OnboardingPolicy",
    TARGETS: "HostingTarget",
    DECISIONS: "OnboardingDecision",
}


def schema_of(plural: str) -> dict[str, Any]:
    crd = yaml.safe_load((CRDS / f"projectonboarding.io_{plural}.yaml").read_text(encoding="utf-8"))
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema with its path, without the status."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        if (path, name) != ("", "status"):
            yield from nodes(child, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}.*")


ALL = [(plural, path, node) for plural in KINDS for path, node in nodes(schema_of(plural))]
PATTERN_AT = {(plural, path): node["pattern"] for plural, path, node in ALL if "pattern" in node}
FORMAT_AT = [
    (plural, path, node["format"]) for plural, path, node in ALL if node["type"] == "string" and "format" in node
]
RULE_AT = [
    (plural, path, rule["message"]) for plural, path, node in ALL for rule in node.get("x-kubernetes-validations", [])
]
TEXT_AT = [
    (plural, path)
    for plural, path, node in ALL
    if node["type"] == "string" and path.startswith("spec.") and "enum" not in node
]
UNSEEN = {
    "null": "\0",
    "escape": "\x1b",
    "tab": "\t",
    "line feed": "\n",
    "delete": "\x7f",
    "C1 control": "\x85",
    "soft hyphen": "\xad",
    "Arabic letter mark": "\u061c",
    "zero width space": "\u200b",
    "right-to-left mark": "\u200f",
    "line separator": "\u2028",
    "right-to-left override": "\u202e",
    "word joiner": "\u2060",
    "isolate": "\u2066",
    "byte order mark": "\ufeff",
    "interlinear annotation": "\ufff9",
    "tag": "\U000e0041",
}
REFUSED_BY = {PATTERN_AT[place]: values for place, values in PATTERNS.items()}


def case_of(message: str) -> Case | None:
    return next((case for part, case in RULES.items() if part in message), None)


def changed(value: Any, steps: list[str], new: Any) -> Any:
    """Return a copy with a new value at a path; of a list the last item that has the field is taken."""
    if not steps:
        if isinstance(value, dict) and isinstance(new, dict):
            both = {**value, **{key: changed(value.get(key), [], item) for key, item in new.items()}}
            return {key: item for key, item in both.items() if item is not None}
        return new
    step, rest = steps[0], steps[1:]
    if step == "[]":
        fitting = [at for at, item in enumerate(value) if not rest or not isinstance(item, dict) or rest[0] in item]
        index = (fitting or [0])[-1]
        return [changed(item, rest, new) if at == index else item for at, item in enumerate(value)]
    key = next(iter(value)) if step == "*" else step
    return {**value, key: changed(value.get(key), rest, new)}


def put(plural: str, base: dict[str, Any], path: str, new: Any) -> dict[str, Any]:
    steps = steps_of(path)
    is_map = any("additionalProperties" in node for kind, place, node in ALL if (kind, place) == (plural, path))
    cleared = changed(copy.deepcopy(base), steps, "") if is_map else base
    return changed(cleared, steps, new)


def holds(value: Any, steps: list[str]) -> bool:
    """Tell whether a path leads to something."""
    if not steps:
        return True
    step, rest = steps[0], steps[1:]
    if step in {"[]", "*"}:
        return any(holds(item, rest) for item in (value if step == "[]" else value.values()))
    return step in value and holds(value[step], rest)


def value_at(value: Any, steps: list[str]) -> str:
    """Return the text at a path, of the item that ``changed`` would take."""
    for index, step in enumerate(steps):
        if step == "[]":
            rest = steps[index + 1 :]
            value = [item for item in value if not rest or not isinstance(item, dict) or rest[0] in item][-1]
        else:
            value = next(iter(value.values())) if step == "*" else value[step]
    return str(value)


def steps_of(path: str) -> list[str]:
    return [step for step in path.replace("[]", ".[]").split(".") if step]


class Server:
    """Asks the API server as the administrator."""

    def __init__(self, client: Client, full: dict[str, list[dict[str, Any]]]) -> None:
        self._client = client
        self._full = full

    def base(self, plural: str, path: str) -> dict[str, Any]:
        """Return a valid object that has something at a path."""
        return next(body for body in self._full[plural] if holds(body, steps_of(path)))

    async def take_all(self, plural: str) -> None:
        """Write every valid object of a kind."""
        for body in self._full[plural]:
            await self.write(plural, body)

    async def write(self, plural: str, body: dict[str, Any], *, stored: bool = False) -> dict[str, Any]:
        """Create an object, or change the one that is stored; in a dry run."""
        name, path = body["metadata"]["name"], f"/apis/{API_VERSION}/{plural}"
        query = {"dryRun": "All", "fieldValidation": "Strict"}
        if not stored:
            return await self._client.request("POST", path, query=query, body=body)
        return await self._client.request("PUT", f"{path}/{name}", query=query, body=body)

    async def refusal(self, plural: str, body: dict[str, Any], *, stored: bool = False) -> ApiError:
        with pytest.raises(ApiError) as refusal:
            await self.write(plural, body, stored=stored)
        assert refusal.value.status == 422
        skipped = refusal.value.message.count("some validation rules were not checked")
        assert len(refusal.value.causes) - skipped == 1, refusal.value.message
        return refusal.value

    async def store(self, plural: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._client.request("POST", f"/apis/{API_VERSION}/{plural}", body=body)

    async def remove(self, plural: str, name: str) -> None:
        await self._client.request("DELETE", f"/apis/{API_VERSION}/{plural}/{name}")


@pytest.fixture
async def server(installed: ControlPlane) -> AsyncIterator[Server]:
    client = await Client.from_environment(str(installed.kubeconfig), request_timeout=30)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    me = (await client.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review))["status"]
    by = {"username": me["userInfo"]["username"], "groups": me["userInfo"].get("groups", [])}
    full = {
        plural: [
            {"apiVersion": API_VERSION, "kind": KINDS[plural], "metadata": {"name": "cel"}, "spec": spec}
            for spec in specs
        ]
        for plural, specs in FULL.items()
    }
    full[DECISIONS] = [put(DECISIONS, body, "spec.by", by) for body in full[DECISIONS]]
    yield Server(client, full)
    await client.close()


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    messages = {message for _, _, message in RULE_AT}
    assert [message for message in messages if case_of(message) is None] == []
    assert [part for part in RULES if not any(part in message for message in messages)] == []


def test_every_pattern_has_values_that_it_refuses() -> None:
    assert {place: pattern for place, pattern in PATTERN_AT.items() if pattern not in REFUSED_BY} == {}


@pytest.mark.parametrize("plural", KINDS)
async def test_objects_with_everything_are_taken(server: Server, plural: str) -> None:
    await server.take_all(plural)


@pytest.mark.parametrize(("plural", "path"), list(PATTERN_AT))
async def test_a_pattern_refuses_what_it_does_not_match(server: Server, plural: str, path: str) -> None:
    for value in REFUSED_BY[PATTERN_AT[plural, path]]:
        error = await server.refusal(plural, put(plural, server.base(plural, path), path, value))
        assert "should match" in error.message, (value, error.message)


@pytest.mark.parametrize(("plural", "path"), TEXT_AT)
async def test_no_text_holds_what_people_do_not_see(server: Server, plural: str, path: str) -> None:
    """Findings B23 and B30: escapes and overrides passed in names, mails, descriptions and reasons."""
    base = server.base(plural, path)
    text = value_at(base, steps_of(path))
    for name, letter in UNSEEN.items():
        for bad in (f"{text[:1]}{letter}{text[1:]}", f"{text}{letter}"):
            with pytest.raises(ApiError) as refusal:
                await server.write(plural, put(plural, base, path, bad))
            assert refusal.value.status == 422, (name, refusal.value.message)
            assert steps_of(path)[-1].strip("[]*") in refusal.value.message, name


@pytest.mark.parametrize(("plural", "path", "form"), FORMAT_AT)
async def test_a_format_refuses_what_no_calendar_has(server: Server, plural: str, path: str, form: str) -> None:
    for value in FORMATS[form]:
        error = await server.refusal(plural, put(plural, server.base(plural, path), path, value))
        assert f"must be of type {form}" in error.message, (value, error.message)


@pytest.mark.parametrize(("plural", "path", "message"), RULE_AT)
async def test_a_rule_takes_one_value_and_refuses_another(server: Server, plural: str, path: str, message: str) -> None:
    case = case_of(message)
    assert case is not None
    base, stored = server.base(plural, path), case.old is not None
    if stored:
        base = await server.store(plural, put(plural, base, path, case.old))
    try:
        await server.write(plural, put(plural, base, path, case.good), stored=stored)
        for value in case.bad:
            error = await server.refusal(plural, put(plural, base, path, value), stored=stored)
            assert message in error.message, (value, error.message)
    finally:
        if stored:
            await server.remove(plural, "cel")
