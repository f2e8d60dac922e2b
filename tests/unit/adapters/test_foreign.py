"""Guard rails of others are kept for our namespaces alone, whenever a namespace becomes ours, and told once."""

import asyncio
from typing import Any

import pytest

from onboarding.adapters.foreign import ForeignGuards
from onboarding.build.kinds import HUB, LIMIT_RANGE, NAMESPACE, ROLE_BINDING, ChildKind, Manifest, ObjectKey
from onboarding.build.revision import Owner
from onboarding.errors import UnreachableError
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.foreign import GUARD_KINDS

MINE = Owner("inst-1", "shop", "p")
SPACE = ObjectKey(HUB, NAMESPACE, "", "shop-dev")


class Server:
    """Answers lists of one namespace, after ``failing`` refusals."""

    def __init__(self) -> None:
        self.there: dict[ChildKind, list[Manifest]] = {}
        self.asked: list[str] = []
        self.failing = 0
        self.meanwhile: Any = lambda: None

    async def request(self, _method: str, path: str, *, query: dict[str, str]) -> dict[str, Any]:
        assert query == {"labelSelector": "!projectonboarding.io/installation"}
        self.asked.append(path)
        if self.failing:
            self.failing -= 1
            raise UnreachableError("no answer")
        self.meanwhile()
        return {"items": next((found for kind, found in self.there.items() if kind.path("shop-dev") == path), None)}


class Watch(ForeignGuards):
    """The guard rails of others, and the news that they brought."""

    def __init__(self) -> None:
        self.server = Server()
        self.told: list[str] = []
        super().__init__(
            HUB,
            self.server,  # type: ignore[arg-type]
            "inst-1",
            idle_timeout=60,
            project_changed=self.told.append,
            state_changed=lambda: None,
        )

    def names(self) -> list[str]:
        return [item.name for item in self.of("shop-dev")]


@pytest.fixture
async def watch() -> Watch:
    """One that knows every namespace, and that shop-dev is ours."""
    found = Watch()
    found.on_namespace("shop-dev", space(MINE))
    found.namespaces_listed()
    return found


def space(owner: Owner | None) -> CachedObject:
    return CachedObject("u", 1, owner, "dev", False, False, b"", b"")


def item(name: str, namespace: str = "shop-dev", **spec: Any) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "resourceVersion": "1"}
    return {"kind": "LimitRange", "metadata": metadata, "spec": spec, "status": {"used": name}}


async def reading(watch: Watch) -> None:
    """Let the reading of new namespaces run until it has nothing left."""
    task = asyncio.create_task(watch.read_new())
    async with asyncio.timeout(10):
        while watch._unread:  # noqa: ASYNC110 - nothing tells that nothing is left
            await asyncio.sleep(0.01)
    task.cancel()


async def test_what_is_in_our_namespaces_is_kept_and_told_when_it_changes(watch: Watch) -> None:
    watch.on_update(LIMIT_RANGE, item("theirs", limits=[]))
    watch.on_update(LIMIT_RANGE, item("theirs", limits=[]))
    watch.on_update(LIMIT_RANGE, item("elsewhere", "kube-system"))
    assert (watch.names(), watch.told, watch.of("kube-system")) == (["theirs"], ["shop"], ())
    watch.on_update(LIMIT_RANGE, item("theirs", limits=[{}]))
    assert watch.told == ["shop", "shop"], "its content is another"
    watch.on_delete(LIMIT_RANGE, item("theirs"))
    watch.on_delete(LIMIT_RANGE, item("theirs"))
    assert (watch.names(), watch.told) == ([], ["shop"] * 3)


async def test_a_list_drops_what_it_lacks_of_its_kind(watch: Watch) -> None:
    watch.on_update(LIMIT_RANGE, item("stays"))
    watch.on_update(LIMIT_RANGE, item("goes"))
    watch.on_update(ROLE_BINDING, item("binding"))
    watch.on_list(LIMIT_RANGE, {("shop-dev", "stays")})
    assert watch.names() == ["stays", "binding"]


async def test_a_start_costs_no_request_per_namespace(watch: Watch) -> None:
    watch.on_namespace("shop-dev", space(MINE))
    await reading(watch)
    assert watch.server.asked == []


async def test_a_namespace_that_becomes_ours_later_is_read_once(watch: Watch) -> None:
    watch.on_namespace("shop-dev", space(None))
    assert watch.names() == []
    watch.server.there = {LIMIT_RANGE: [item("old")], ROLE_BINDING: [item("older")]}
    watch.on_namespace("shop-dev", space(MINE))
    await reading(watch)
    assert watch.names() == ["old", "older"]
    assert watch.server.asked == [kind.path("shop-dev") for kind in GUARD_KINDS]
    watch.on_namespace("shop-dev", space(MINE))
    await reading(watch)
    assert len(watch.server.asked) == len(GUARD_KINDS)


async def test_what_goes_while_it_is_read_does_not_come_back(watch: Watch) -> None:
    watch.on_namespace("shop-dev", None)
    watch.server.there = {LIMIT_RANGE: [item("gone"), item("there")]}
    watch.server.meanwhile = lambda: watch.on_delete(LIMIT_RANGE, item("gone"))
    watch.on_namespace("shop-dev", space(MINE))
    await reading(watch)
    assert watch.names() == ["there"]


async def test_a_namespace_that_cannot_be_read_is_read_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onboarding.adapters.foreign._RETRY_FIRST", 0.001)
    watch.on_namespace("shop-dev", None)
    watch.server.there, watch.server.failing = {LIMIT_RANGE: [item("old")]}, 2
    watch.on_namespace("shop-dev", space(MINE))
    await reading(watch)
    assert watch.names() == ["old"]


async def test_what_comes_before_the_answer_to_our_create_is_kept(watch: Watch) -> None:
    """OpenShift makes RoleBindings as soon as a namespace is there."""
    watch.on_namespace("shop-dev", None)
    with watch.creating(SPACE):
        watch.on_update(ROLE_BINDING, item("system:deployers"))
        assert watch.told == []
        watch.on_namespace("shop-dev", space(MINE))
    assert (watch.names(), watch.told) == (["system:deployers"], ["shop"])
    await reading(watch)
    assert watch.server.asked == [], "a namespace that we have made holds nothing older"


async def test_a_namespace_that_we_could_not_make_is_forgotten(watch: Watch) -> None:
    watch.on_namespace("shop-dev", space(None))

    def create() -> None:
        with watch.creating(SPACE):
            watch.on_update(ROLE_BINDING, item("theirs"))
            raise UnreachableError("no answer")

    with pytest.raises(UnreachableError):
        create()
    assert watch.names() == []
    watch.on_namespace("shop-dev", space(MINE))
    assert watch._unread == {"shop-dev"}, "it is read when it becomes ours all the same"


async def test_another_installation_is_none_of_ours(watch: Watch) -> None:
    watch.on_update(LIMIT_RANGE, item("theirs"))
    watch.on_namespace("shop-dev", space(Owner("other", "shop", "p")))
    watch.on_update(LIMIT_RANGE, item("more"))
    assert watch.names() == []


async def test_the_watches_begin_when_the_namespaces_are_known() -> None:
    watch = Watch()
    tasks = [asyncio.create_task(work) for work in watch.work()]
    await asyncio.sleep(0)
    assert not any(informer.warm for informer in watch.informers)
    assert watch.server.asked == []
    for task in tasks:
        task.cancel()
