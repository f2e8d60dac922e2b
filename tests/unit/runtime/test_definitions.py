"""The definitions of the server are compared with the models, and nothing is written while they lack something."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from aiohttp import web

from onboarding.api.handshake import definitions
from onboarding.build.kinds import Manifest
from onboarding.runtime import definitions as module
from onboarding.runtime.definitions import Definitions
from tests.unit.apiserver import FakeApiServer, connected, serving
from tests.unit.crds import CRDS, PROJECTS_CRD, field_of, root_of, without

OURS = {definition.name: definition for definition in definitions()}
PROJECTS = OURS[PROJECTS_CRD]


def fields(schema: Any, path: str = "") -> Iterator[tuple[str, Any, str]]:
    """Return every named field below a schema: its path, and the properties that hold it by its name."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, schema["properties"], name
        yield from fields(field, here)
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if key in schema:
            yield from fields(schema[key], path + mark)


@pytest.mark.parametrize("name", CRDS)
def test_every_field_that_is_missing_or_of_another_type_is_found(name: str) -> None:
    assert OURS[name].lacking(CRDS[name]) == []
    paths = [path for path, _, _ in fields(root_of(CRDS[name]))]
    assert len(paths) > 20
    for index, path in enumerate(paths):
        cut, other = deepcopy(CRDS[name]), deepcopy(CRDS[name])
        _, holder, key = list(fields(root_of(cut)))[index]
        del holder[key]
        assert OURS[name].lacking(cut)[0] == path
        _, holder, key = list(fields(root_of(other)))[index]
        kind = "integer" if holder[key]["type"] != "integer" else "string"
        former = holder[key].pop("type")
        holder[key]["type"] = kind
        assert OURS[name].lacking(other)[0] == f"{path} (it is {kind} there, not {former})"


def changed(change: Callable[[Any], object]) -> Manifest:
    crd = deepcopy(CRDS[PROJECTS_CRD])
    change(crd)
    return crd


def version(crd: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = crd["spec"]["versions"][0]
    return found


OTHERS: dict[str, tuple[Manifest | None, list[str]]] = {
    "no definition": (None, ["version v1alpha1"]),
    "another version": (changed(lambda crd: version(crd).update(name="v2")), ["version v1alpha1"]),
    "not served": (changed(lambda crd: version(crd).update(served=False)), ["version v1alpha1"]),
    "no status": (changed(lambda crd: version(crd).pop("subresources")), ["subresource status"]),
    "a value": (changed(lambda crd: field_of(crd, "spec.mode")["enum"].remove("Plan")), ["spec.mode=Plan"]),
    "int or string": (
        changed(
            lambda crd: field_of(crd, "spec").update(
                properties={
                    **field_of(crd, "spec")["properties"],
                    "description": {"x-kubernetes-int-or-string": True},
                }
            )
        ),
        ["spec.description (it is int-or-string there, not string)"],
    ),
    "more fields": (changed(lambda crd: field_of(crd, "spec")["properties"].update(more={"type": "string"})), []),
    "more values": (changed(lambda crd: field_of(crd, "spec.mode")["enum"].append("Later")), []),
    "more versions": (changed(lambda crd: crd["spec"]["versions"].append({"name": "v2", "served": True})), []),
    "a stricter rule": (changed(lambda crd: field_of(crd, "spec.description").update(maxLength=9)), []),
}


@pytest.mark.parametrize(("served", "lacks"), OTHERS.values(), ids=OTHERS)
def test_what_a_definition_lacks(served: Manifest | None, lacks: list[str]) -> None:
    assert PROJECTS.lacking(served) == lacks


class Hub:
    """An API server that has definitions; ``reads`` is what the operator has read since its start."""

    def __init__(self) -> None:
        self.crds: dict[str, Manifest | None] = dict(CRDS)
        self.asked: list[str] = []
        self.reads: Counter[str] = Counter()
        self.told = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rsplit("/", 1)[1]
        if name != "customresourcedefinitions":
            self.asked.append(name)
            found = self.crds[name]
            return web.json_response(found or {"kind": "Status"}, status=200 if found else 404)
        if "watch" in request.query:
            stream = web.StreamResponse()
            await stream.prepare(request)
            await asyncio.Event().wait()
        found = self.crds[request.query["fieldSelector"].removeprefix("metadata.name=")]
        return web.json_response({"metadata": {"resourceVersion": "9"}, "items": [found] if found else []})

    async def read(self) -> None:
        """Read nothing."""


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


@pytest.fixture
def hub(server: FakeApiServer) -> Hub:
    hub = Hub()
    server.script.append(hub.answer)
    return hub


@pytest.fixture(autouse=True)
def _no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SPREAD", 0)


@pytest.fixture
async def found(server: FakeApiServer, hub: Hub) -> AsyncIterator[Definitions]:
    async with connected(server.url) as client:
        found = Definitions(client, idle_timeout=60, reads=lambda: hub.reads, read_again=hub.read, changed=hub.told.set)
        yield found


async def until(hub: Hub, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await hub.told.wait()
            hub.told.clear()


async def test_our_own_definitions_lack_nothing(found: Definitions) -> None:
    await found.look()
    assert (found.problem, await found.confirm()) == ("", "")


async def test_the_sentence_names_the_remedy_and_the_first_fields(found: Definitions, hub: Hub) -> None:
    hub.crds["hostingtargets.projectonboarding.io"] = None
    hub.crds[PROJECTS_CRD] = without(CRDS[PROJECTS_CRD], "spec.environments")
    await found.look()
    assert found.problem.startswith(
        "apply crds/ of version 0.1.0, nothing is written until then: CustomResourceDefinition "
        "projectonboardings.projectonboarding.io lacks spec.environments, spec.environments[], "
        "spec.environments[].name and "
    )
    assert found.problem.endswith(
        " more; CustomResourceDefinition hostingtargets.projectonboarding.io lacks version v1alpha1"
    )


async def test_what_was_read_under_another_definition_is_read_again_before_it_counts(
    found: Definitions, hub: Hub
) -> None:
    hub.crds[PROJECTS_CRD] = without(CRDS[PROJECTS_CRD], "spec.mode")
    await found.look()
    tasks = found.start()
    reading, complete = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        reading.set()
        await complete.wait()

    found._read_again = read
    try:
        hub.crds[PROJECTS_CRD] = CRDS[PROJECTS_CRD]
        hub.reads["projectonboardings"] += 1
        hub.told.clear()
        found._take(PROJECTS_CRD, CRDS[PROJECTS_CRD])
        assert found.problem == "the definitions of our kinds have changed: everything declared is being read again"
        assert await found.confirm() == found.problem
        await asyncio.wait_for(reading.wait(), 10)
        assert found.problem
        complete.set()
        await until(hub, lambda: not found.problem)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("generation", [1, 2], ids=["made anew", "changed"])
async def test_another_definition_is_noticed_before_a_spec_counts_that_came_since(
    found: Definitions, hub: Hub, generation: int
) -> None:
    """The watch on it may lag behind the one that brought the spec."""
    await found.look()
    hub.asked.clear()
    assert await found.confirm() == ""
    assert hub.asked == []
    older = without(CRDS[PROJECTS_CRD], "spec.mode", generation)
    older["metadata"]["uid"] = "new" if generation == 1 else older["metadata"]["uid"]
    hub.crds[PROJECTS_CRD] = older
    hub.reads["projectonboardings"] += 1
    assert "lacks spec.mode" in await found.confirm()
    assert set(hub.asked) == {PROJECTS_CRD}


async def test_a_definition_is_asked_about_once_for_what_was_read(found: Definitions, hub: Hub) -> None:
    await found.look()
    hub.reads.update(["projectonboardings", "onboardingdecisions", "projectonboardings"])
    hub.asked.clear()
    assert await asyncio.gather(*(found.confirm() for _ in range(5))) == [""] * 5
    assert sorted(hub.asked) == ["onboardingdecisions.projectonboarding.io", PROJECTS_CRD]
    assert await found.confirm() == ""
    assert len(hub.asked) == 2


async def test_a_definition_that_is_gone_is_noticed(found: Definitions, hub: Hub) -> None:
    await found.look()
    hub.crds[PROJECTS_CRD] = None
    hub.reads["projectonboardings"] += 1
    assert "lacks version v1alpha1" in await found.confirm()


async def test_more_fields_are_no_problem_but_everything_is_read_again(found: Definitions) -> None:
    """An object may hold such a field already, from before a roll-back."""
    await found.look()
    newer = changed(lambda crd: field_of(crd, "spec")["properties"].update(more={"type": "string"}))
    newer["metadata"]["generation"] = 2
    found._take(PROJECTS_CRD, newer)
    assert found.problem.startswith("the definitions of our kinds have changed")


async def test_a_definition_that_is_being_deleted_holds_every_teardown(found: Definitions) -> None:
    await found.look()
    assert found.teardown_hold == ""
    deleting = deepcopy(CRDS[PROJECTS_CRD])
    deleting["metadata"]["deletionTimestamp"] = "now"
    found._take(PROJECTS_CRD, deleting)
    assert found.teardown_hold == f"CustomResourceDefinition {PROJECTS_CRD} is being deleted: no project is torn down"
    assert found.problem == ""
