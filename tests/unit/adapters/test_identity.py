"""A connection is held to the cluster that it led to at first; before that is proven, nothing is asked or written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from kubernetes.aio import client as kubernetes

from onboarding import names
from onboarding.adapters.identity import ClusterIdentities, PinnedClient
from onboarding.errors import ApiError, OnboardingError, UnreachableError
from tests.unit.apiserver import Answer, FakeApiServer, serving
from tests.unit.fakes import merged

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
THINGS = "/api/v1/resourcequotas"
FAR = "far/kubeconfig"


class Judge:
    """Knows one cluster, and refuses all others."""

    def __init__(self) -> None:
        self.meant = "a"
        self.changes = 0

    async def confirm(self, uid: str) -> None:
        if uid != self.meant:
            raise UnreachableError(f"{uid} is not {self.meant}")

    def changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


@asynccontextmanager
async def held_to(server: FakeApiServer, judge: Judge, *script: Answer) -> AsyncIterator[PinnedClient]:
    """Return a client of a server that answers by a script."""
    server.script = list(script)
    configuration = kubernetes.Configuration()
    configuration.host = server.url
    client = PinnedClient(configuration, request_timeout=5, confirm=judge.confirm, changed=judge.changed)
    yield client
    await client.close()


def cluster(server: FakeApiServer, uid: str) -> Answer:
    return server.json({"metadata": {"name": "kube-system", "uid": uid}})


def asked(server: FakeApiServer) -> list[str]:
    return [request.path for request in server.requests]


async def test_a_cluster_is_proven_once_before_the_first_request(server: FakeApiServer) -> None:
    async with held_to(server, Judge(), cluster(server, "a"), server.json({})) as client:
        await client.request("POST", THINGS)
        await client.request("POST", THINGS)
    assert asked(server) == [KUBE_SYSTEM, THINGS, THINGS]


@pytest.mark.parametrize("verb", ["request", "watch"])
async def test_nothing_is_asked_of_another_cluster(server: FakeApiServer, verb: str) -> None:
    judge = Judge()
    async with held_to(server, judge, cluster(server, "b")) as client:
        for _ in range(2):
            with pytest.raises(UnreachableError, match="b is not a"):
                await use(client, verb)
        assert (client.problem, judge.changes) == ("b is not a", 1)
        judge.meant = "b"
        await client.prove()
        assert (client.problem, judge.changes) == ("", 2)
    assert set(asked(server)) == {KUBE_SYSTEM}


async def use(client: PinnedClient, verb: str) -> None:
    if verb == "request":
        await client.request("GET", THINGS)
        return
    async with client.watch(THINGS, query={}, accept="application/json", idle_timeout=5) as lines:
        async for _ in lines:
            pass


@pytest.mark.parametrize(
    ("verb", "trouble"),
    [("request", "no JSON"), ("request", "gone"), ("request", "too new"), ("watch", "gone"), ("watch", "too new")],
)
async def test_after_an_interruption_it_has_to_be_proven_anew(server: FakeApiServer, verb: str, trouble: str) -> None:
    broken = {
        "no JSON": server.text("<html>"),
        "gone": server.refusal(410, "Expired"),
        "too new": server.refusal(504, "Timeout"),
    }[trouble]
    async with held_to(server, Judge(), cluster(server, "a"), broken, cluster(server, "b")) as client:
        with pytest.raises(OnboardingError):
            await use(client, verb)
        with pytest.raises(UnreachableError, match="b is not a"):
            await use(client, verb)
    assert asked(server) == [KUBE_SYSTEM, THINGS, KUBE_SYSTEM]


async def test_a_refusal_casts_no_doubt(server: FakeApiServer) -> None:
    async with held_to(server, Judge(), cluster(server, "a"), server.refusal(404, "NotFound")) as client:
        for _ in range(2):
            with pytest.raises(ApiError):
                await client.request("GET", THINGS)
    assert asked(server) == [KUBE_SYSTEM, THINGS, THINGS]


async def test_a_refused_login_is_noticed_and_told_once(server: FakeApiServer) -> None:
    judge = Judge()
    refusal = server.refusal(401, "Unauthorized")
    async with held_to(server, judge, cluster(server, "a"), refusal, refusal, server.json({})) as client:
        for _ in range(2):
            with pytest.raises(ApiError):
                await client.request("GET", THINGS)
        assert (client.login_refused, judge.changes) == (True, 1)
        await client.request("GET", THINGS)
        assert not client.login_refused


class Hub:
    """The ConfigMap of the hub, as its API server keeps it."""

    def __init__(self, **pins: str) -> None:
        self.content: dict[str, Any] | None = None
        self.reads = 0
        self.refusal: ApiError | None = None
        if pins:
            self.content = {"metadata": {"resourceVersion": "1"}, "data": pins}

    @property
    def pins(self) -> dict[str, str]:
        return (self.content or {}).get("data", {})

    async def request(self, method: str, path: str, *, body: Any = None, content_type: str = "") -> dict[str, Any]:
        assert path.startswith("/api/v1/namespaces/own/configmaps")
        if self.refusal:
            raise self.refusal
        if method == "GET":
            self.reads += 1
            if self.content is None:
                raise ApiError(404, "NotFound", "there is none")
            return self.content
        if method == "POST":
            assert body["metadata"]["name"] == names.CLUSTERS_CONFIGMAP
            self.content = {"metadata": {"resourceVersion": "1"}, "data": body["data"]}
        else:
            assert (method, content_type) == ("PATCH", "application/merge-patch+json")
            assert body["metadata"] == {"resourceVersion": self.content["metadata"]["resourceVersion"]}
            self.content = {**self.content, "data": merged(self.pins, body["data"])}
        return self.content


def pins(hub: Hub, *followed: str) -> ClusterIdentities:
    made = ClusterIdentities(hub, "own")  # type: ignore[arg-type]
    made.connections = followed
    return made


async def test_what_is_found_at_first_is_remembered() -> None:
    hub = Hub()
    first = pins(hub, "hub", FAR)
    await first.confirm("hub", "a")
    await first.confirm(FAR, "b")
    assert hub.pins == {"hub": "a", "far_kubeconfig": "b"}
    reads = hub.reads
    await first.confirm(FAR, "b")
    assert hub.reads == reads, "what is known is not asked again"
    await pins(hub, "hub", FAR).confirm(FAR, "b")


async def test_another_cluster_is_refused_also_after_a_restart() -> None:
    hub = Hub(hub="a", far_kubeconfig="b")
    with pytest.raises(UnreachableError, match="another cluster than before") as refusal:
        await pins(hub, "hub", FAR).confirm(FAR, "c")
    for words in ("c, before: b", "remove the key far_kubeconfig", f"own/{names.CLUSTERS_CONFIGMAP}"):
        assert words in str(refusal.value)
    assert hub.pins == {"hub": "a", "far_kubeconfig": "b"}


async def test_another_cluster_is_taken_once_an_administrator_has_removed_the_former() -> None:
    hub = Hub(hub="a", far_kubeconfig="b")
    kept = pins(hub, "hub", FAR)
    await kept.confirm(FAR, "b")
    del hub.pins["far_kubeconfig"]
    await kept.confirm(FAR, "c")
    assert hub.pins == {"hub": "a", "far_kubeconfig": "c"}


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        ("a", "it leads to the same cluster as hub: leave kubeconfigSecret out"),
        ("b", "it leads to the same cluster as far/kubeconfig: name that Secret in every target"),
    ],
    ids=["the operator's own", "another site"],
)
async def test_two_connections_to_one_cluster_are_refused(uid: str, words: str) -> None:
    hub = Hub(hub="a", far_kubeconfig="b")
    with pytest.raises(UnreachableError, match=words):
        await pins(hub, "hub", FAR, "twin/kubeconfig").confirm("twin/kubeconfig", uid)
    assert hub.pins == {"hub": "a", "far_kubeconfig": "b"}


async def test_a_secret_may_get_another_name() -> None:
    hub = Hub(hub="a", far_kubeconfig="b")
    await pins(hub, "hub", "new/kubeconfig").confirm("new/kubeconfig", "b")
    assert hub.pins == {"hub": "a", "new_kubeconfig": "b"}


async def test_without_the_record_nothing_is_confirmed() -> None:
    hub = Hub()
    hub.refusal = ApiError(403, "Forbidden", "no")
    with pytest.raises(UnreachableError, match="ConfigMap own/project-onboarding-clusters cannot be read or written"):
        await pins(hub, "hub").confirm("hub", "a")
