"""What the platform declares follows lists as well as events, and its status follows what is true."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from onboarding.adapters.client import Client
from onboarding.adapters.rights import role_state
from onboarding.adapters.status import write_status
from onboarding.errors import ApiError, UnreachableError
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.observed.validity import RoleState
from onboarding.runtime.platform import Platform
from onboarding.runtime.policy_changes import PolicyChanges
from tests.unit.apiserver import FakeApiServer, connected, serving
from tests.unit.crds import CRDS
from tests.unit.snapshots import POLICY, UID, offer

GOOD = POLICY.model_dump(mode="json", by_alias=True)


class Hub:
    """A hub in memory: policies, targets, ClusterRoles, and the rights to bind them."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {POLICIES: {}, TARGETS: {}}
        self.roles = {"onboarding:admin", "onboarding:viewer"}
        self.bindable = set(self.roles)
        self.written: list[str] = []
        self.refuses = 0
        """How many of the next status writes are refused."""
        self.version = 100
        self._wrote = asyncio.Event()

    async def wrote(self, name: str) -> None:
        """Wait until a status of this name was written."""
        while name not in self.written:
            await self._wrote.wait()
            self._wrote.clear()

    def condition(self, plural: str, name: str) -> tuple[str, str]:
        """Return reason and message of a condition Ready."""
        found = next(item for item in self.objects[plural][name]["status"]["conditions"] if item["type"] == "Ready")
        return found["reason"], found["message"]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the API server does."""
        parts, watch = request.path.split("/"), "watch" in request.query
        if watch:
            stream = web.StreamResponse()
            await stream.prepare(request)
            await asyncio.Event().wait()
        if request.method == "PATCH":
            return self._write(parts[-3], parts[-2], orjson.loads(await request.read()))
        if "clusterroles" in parts:
            return web.json_response({}, status=200 if parts[-1] in self.roles else 404)
        if parts[-1] == "selfsubjectaccessreviews":
            asked = orjson.loads(await request.read())["spec"]["resourceAttributes"]
            assert (asked["verb"], asked["resource"]) == ("bind", "clusterroles")
            return web.json_response({"status": {"allowed": asked["name"] in self.bindable}})
        if "customresourcedefinitions" in parts:
            name = parts[-1] if parts[-1] in CRDS else request.query["fieldSelector"].removeprefix("metadata.name=")
            found = CRDS[name]
            page = {"metadata": {"resourceVersion": "100"}, "items": [found]}
            return web.json_response(found if parts[-1] == name else page)
        items = list(self.objects.get(parts[-1], {}).values())
        return web.json_response({"metadata": {"resourceVersion": "100"}, "items": items})

    def _write(self, plural: str, name: str, patch: dict[str, Any]) -> web.Response:
        if self.refuses:
            self.refuses -= 1
            return web.json_response({"kind": "Status", "reason": "Forbidden", "message": "no"}, status=403)
        if name not in self.objects[plural]:
            return web.json_response({"kind": "Status", "reason": "NotFound", "message": "no"}, status=404)
        self.version += 1
        self.written.append(name)
        self._wrote.set()
        found = self.objects[plural][name]
        metadata = {**found["metadata"], "resourceVersion": str(self.version)}
        self.objects[plural][name] = {**found, "metadata": metadata, "status": patch["status"]}
        return web.json_response(self.objects[plural][name])


async def never() -> None:
    """Stand for a watch that is never taken up again."""
    await asyncio.Event().wait()


def platform_on(client: Client, declared: ProjectCache, changed: Callable[[], None] = lambda: None) -> Platform:
    """Return a platform that tells ``changed``, and tells nobody of projects."""
    return Platform(
        client,
        declared,
        idle_timeout=60,
        changed=changed,
        project_changed=lambda _: None,
        kopf_watches=never,
        policy_changes=PolicyChanges(declared, "default", lambda: 0.0),
    )


@pytest.fixture
async def fake() -> AsyncIterator[FakeApiServer]:
    async with serving() as server:
        yield server


@pytest.fixture
async def hub(fake: FakeApiServer) -> Hub:
    """Return a hub with a policy and a target, both without fault."""
    hub = Hub()
    fake.script.append(hub.answer)
    hub.objects[POLICIES]["default"] = offer("default", GOOD)
    hub.objects[TARGETS]["main"] = offer("main", {"sites": [{"name": "a"}]})
    return hub


class Running:
    """A platform that watches a hub; it looks only when it is told to."""

    def __init__(self, platform: Platform, declared: ProjectCache, told: asyncio.Event) -> None:
        self.platform, self.declared, self.told = platform, declared, told
        self.offered = declared.offered

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds, looking again whenever the platform tells something."""
        async with asyncio.timeout(10):
            while not condition():
                await self.told.wait()
                self.told.clear()


@pytest.fixture
async def running(fake: FakeApiServer, hub: Hub) -> AsyncIterator[Running]:
    told = asyncio.Event()
    async with connected(fake.url) as client:
        declared = ProjectCache()
        platform = platform_on(client, declared, told.set)
        *watches, keeping = platform.start()
        running = Running(platform, declared, told)
        await running.until(lambda: platform.warm)
        keeping.cancel()
        await platform.look()
        yield running
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, keeping, return_exceptions=True)


async def test_it_is_warm_once_the_roles_are_known_and_tells_what_can_be_used(running: Running, hub: Hub) -> None:
    assert running.declared.policy("default") == (POLICY, "")
    assert hub.condition(POLICIES, "default") == ("Accepted", "it can be used")
    assert "main" not in hub.written
    running.platform.report_clusters({"hub": ClusterState()})
    await running.platform.look()
    assert hub.condition(TARGETS, "main") == ("Accepted", "it can be used")
    running.platform.report_clusters({"hub": ClusterState("no answer")})
    await running.platform.look()
    assert hub.condition(TARGETS, "main") == ("TargetUnreachable", "site a: no answer")


async def test_a_second_look_writes_nothing_and_asks_nothing(running: Running, fake: FakeApiServer) -> None:
    running.platform.report_clusters({"hub": ClusterState()})
    await running.platform.look()
    asked = len(fake.requests)
    await running.platform.look()
    assert len(fake.requests) == asked


async def test_it_looks_by_itself_when_something_is_new_and_again_after_a_failure(
    fake: FakeApiServer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.runtime.platform._RETRY_FIRST", 0.01)
    hub.refuses = 2
    async with connected(fake.url) as client:
        platform = platform_on(client, ProjectCache())
        tasks = platform.start()
        async with asyncio.timeout(10):
            await hub.wrote("default")
            platform.report_clusters({"hub": ClusterState()})
            await hub.wrote("main")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert hub.refuses == 0


async def test_a_missing_role_is_asked_about_again_until_it_is_there(
    fake: FakeApiServer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.runtime.platform._ASK_FIRST", 0.01)
    hub.roles.clear()
    async with connected(fake.url) as client, asyncio.timeout(10):
        platform = platform_on(client, ProjectCache())
        tasks = platform.start()
        await hub.wrote("default")
        assert hub.condition(POLICIES, "default")[0] == "Invalid"
        hub.written.clear()
        hub.roles.update(hub.bindable)
        await hub.wrote("default")
        assert hub.condition(POLICIES, "default")[0] == "Accepted"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_role_is_missing_or_may_not_be_bound_or_can_be_given(hub: Hub, fake: FakeApiServer) -> None:
    hub.bindable.clear()
    async with connected(fake.url) as client:
        assert await role_state(client, "onboarding:admin") is RoleState.UNBINDABLE
        assert await role_state(client, "team:admin") is RoleState.MISSING
        hub.bindable.add("onboarding:admin")
        assert await role_state(client, "onboarding:admin") is RoleState.USABLE


async def test_a_server_that_does_not_let_us_look_leaves_the_answer_to_the_write(fake: FakeApiServer) -> None:
    fake.script.append(fake.refusal(403, "Forbidden"))
    async with connected(fake.url) as client:
        assert await role_state(client, "onboarding:admin") is RoleState.USABLE


async def test_a_server_that_is_in_trouble_says_nothing_of_a_role(fake: FakeApiServer) -> None:
    fake.script.append(fake.refusal(500, "InternalError"))
    async with connected(fake.url) as client:
        with pytest.raises(ApiError):
            await role_state(client, "onboarding:admin")
    async with connected("http://127.0.0.1:1") as client:
        with pytest.raises(UnreachableError):
            await role_state(client, "onboarding:admin")


async def test_a_policy_whose_role_is_missing_is_refused_until_it_is_there(running: Running, hub: Hub) -> None:
    hub.roles.clear()
    running.offered.put(POLICIES, offer("default", {**GOOD, "journeys": ["a"]}, 200))
    await running.platform.look()
    assert running.declared.policy("default")[0] is None
    reason, message = hub.condition(POLICIES, "default")
    assert reason == "Invalid"
    assert message.startswith("spec.personas[0].clusterRole: ClusterRole onboarding:admin does not exist")
    hub.roles.update(hub.bindable)
    running.offered.doubt_roles()
    await running.platform.look()
    assert running.declared.policy("default")[1] == ""
    assert hub.condition(POLICIES, "default")[0] == "Accepted"


async def test_a_refused_status_stops_no_other_and_is_tried_again(running: Running, hub: Hub) -> None:
    running.offered.put(POLICIES, offer("draft", GOOD, 200))
    running.offered.put(POLICIES, offer("late", GOOD, 201))
    hub.objects[POLICIES] |= {"draft": offer("draft", GOOD, 200), "late": offer("late", GOOD, 201)}
    hub.refuses = 1
    with pytest.raises(ApiError, match="403"):
        await running.platform.look()
    assert "late" in hub.written
    await running.platform.look()
    assert sorted(hub.written[-2:]) == ["draft", "late"]


async def test_the_status_of_what_is_gone_is_not_written_and_troubles_nooffer(running: Running, hub: Hub) -> None:
    running.offered.put(POLICIES, offer("gone", GOOD, 200))
    await running.platform.look()
    assert "gone" not in hub.written


async def test_a_status_is_applied_to_exactly_the_object_that_was_judged(fake: FakeApiServer) -> None:
    fake.script.append(fake.json({}))
    async with connected(fake.url) as client:
        await write_status(client, TARGETS, "main", {"observedGeneration": 2}, uid=UID)
    (request,) = fake.requests
    assert request.path == "/apis/projectonboarding.io/v1alpha1/hostingtargets/main/status"
    assert request.query["fieldValidation"] == "Strict"
    assert orjson.loads(fake.bodies[0]) == {
        "apiVersion": "projectonboarding.io/v1alpha1",
        "kind": "HostingTarget",
        "metadata": {"name": "main", "uid": UID},
        "status": {"observedGeneration": 2},
    }


async def test_the_effect_of_a_change_of_the_policy_is_written_once(running: Running, hub: Hub) -> None:
    hub.objects[POLICIES]["default"] = offer("default", {"stages": []}, 200)
    hub.version = 200
    running.offered.put(POLICIES, hub.objects[POLICIES]["default"])
    hub.written.clear()
    await running.platform.look()
    await running.platform.look()
    assert hub.written == ["default"]
    change = hub.objects[POLICIES]["default"]["status"]["lastChange"]
    assert (change["generation"], change["formerGeneration"], change["pending"]) == (200, 1, 0)
