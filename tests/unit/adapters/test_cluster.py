"""One cluster: what the answers to its reads and writes do to its cache, and when it has to be connected to anew."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from kubernetes.aio import client as kubernetes

from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.identity import PinnedClient
from onboarding.build.kinds import HUB, RESOURCE_QUOTA, Manifest, ObjectKey
from onboarding.build.naming import ownership_labels
from onboarding.build.revision import Owner
from onboarding.errors import UnreachableError
from onboarding.reconcile.observed.capacity import CapacityLedger
from onboarding.runtime.ending import cause_of
from tests.unit.apiserver import Answer, FakeApiServer, serving

KEY = ObjectKey(HUB, RESOURCE_QUOTA, "shop-dev", "onboarding")


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


def quota(version: int) -> Manifest:
    labels = ownership_labels(Owner("inst-1", "shop", "p"))
    metadata = {"name": KEY.name, "namespace": KEY.namespace, "uid": "u", "resourceVersion": str(version)}
    return {"metadata": {**metadata, "labels": labels}, "spec": {}}


@pytest.fixture
async def cluster(server: FakeApiServer) -> AsyncIterator[KubeCluster]:
    """A cluster whose informers were not started."""
    configuration = kubernetes.Configuration()
    configuration.host = server.url

    async def confirm(_uid: str) -> None:
        return

    client = PinnedClient(configuration, request_timeout=5, confirm=confirm, changed=lambda: None)
    found = KubeCluster(
        HUB,
        client,
        ledger=CapacityLedger("inst-1", lambda _: None),
        idle_timeout=60,
        writes_in_flight=1,
        project_changed=lambda _: None,
        state_changed=lambda: None,
        on_write=lambda *_: None,
    )
    found._store.on_update(RESOURCE_QUOTA, quota(20))
    yield found
    await found.close()


def identified(server: FakeApiServer, *answers: Answer) -> list[Answer]:
    return [server.json({"metadata": {"uid": "kube-system"}}), *answers]


async def test_a_read_of_an_object_that_is_older_than_known_ends_the_work_on_its_cluster(
    server: FakeApiServer, cluster: KubeCluster
) -> None:
    server.script = identified(server, server.json(quota(19)))
    with pytest.raises(UnreachableError, match="went back"):
        await cluster.read(KEY)
    assert "it is at version 19, and 20 was seen before" in cluster.reconnect_reason
    assert (cluster.state.problem, cluster.state.known) == (cluster.reconnect_reason, False)
    found = cluster.cached(KEY)
    assert found is not None
    assert found.version == 20


async def test_the_answer_to_a_patch_that_changed_nothing_may_be_old(
    server: FakeApiServer, cluster: KubeCluster
) -> None:
    """It comes out of the server's cache."""
    server.script = identified(server, server.json(quota(19)))
    live = cluster.cached(KEY)
    assert live is not None
    await cluster.change(KEY, {}, live)
    assert cluster.reconnect_reason == ""
    assert cluster.cached(KEY) == live


async def test_the_answer_to_a_patch_brings_nothing_back_whose_deletion_was_told_before(
    server: FakeApiServer, cluster: KubeCluster
) -> None:
    async def told_first(request: web.Request) -> web.StreamResponse:
        cluster._store.on_delete(RESOURCE_QUOTA, quota(22))
        return await server.json(quota(21))(request)

    server.script = identified(server, told_first)
    live = cluster.cached(KEY)
    assert live is not None
    await cluster.change(KEY, {}, live)
    assert cluster.cached(KEY) is None


async def test_a_read_of_the_same_version_is_no_older_one(server: FakeApiServer, cluster: KubeCluster) -> None:
    server.script = identified(server, server.json(quota(20)))
    assert await cluster.read(KEY) == quota(20)
    assert cluster.reconnect_reason == ""


async def test_a_cluster_whose_server_went_back_is_written_to_no_more_and_lets_its_tasks_end(
    server: FakeApiServer, cluster: KubeCluster
) -> None:
    """The pool connects to a site anew where it is lost; of the hub a task that ends is the end of the operator."""
    version = 30

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal version
        if request.path.endswith("/kube-system"):
            return web.json_response({"metadata": {"uid": "kube-system"}})
        if "watch" in request.query:
            version = 29
            return web.Response()
        return web.json_response({"metadata": {"resourceVersion": str(version)}, "items": []})

    server.script = [answer]
    tasks = cluster.start()
    async with asyncio.timeout(10):
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    assert "went back to an earlier state" in cluster.reconnect_reason
    assert (cluster.state.problem, cluster.state.known) == (cluster.reconnect_reason, False)
    died = next(task for task in tasks if task.done())
    assert str(cause_of(died)) == cluster.reconnect_reason


async def test_the_cause_of_an_end_is_the_error_that_was_raised_on_purpose() -> None:
    async def broken() -> None:
        raise ValueError("a bug")

    task = asyncio.create_task(broken(), name="queue")
    await asyncio.wait([task])
    assert str(cause_of(task)).startswith("a part of the operator died: <Task finished name='queue'")
