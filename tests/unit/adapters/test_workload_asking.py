"""What runs in a namespace is listed in small pages, within bounds; where that fails the reason is for people."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiohttp import web

from onboarding.adapters.client import Client
from onboarding.adapters.pool import DisconnectedCluster
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.adapters.workloads.ask import COMPANION_KINDS, WORKLOAD_KINDS, ask_workloads
from onboarding.checks.probe import WorkloadsFacts, WorkloadsRequest
from tests.unit.apiserver import connected, serving

MANIFESTS = Path(__file__).parents[3] / "manifests"
ASKED = WorkloadsRequest("hub", "shop-dev")
SECRET = "s3cret"


@dataclass
class Cluster:
    """A cluster with a connection."""

    client: Client


class Namespace:
    """An API server with these objects by the plural of their kind; lists come in pages, as the real one sends them."""

    def __init__(self, **objects: list[Any]) -> None:
        self.objects = objects
        self.not_served: set[str] = set()
        self.faults: dict[str, list[int]] = {}
        """By plural: statuses of the next answers; 0 is an answer as it should be."""
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        plural = request.path.rpartition("/")[2]
        self.asked.append((request.path, dict(request.query)))
        faults = self.faults.get(plural, [])
        status = faults.pop(0) if faults else 404 if plural in self.not_served else 0
        if status:
            return web.json_response({"kind": "Status", "reason": "Any", "message": SECRET}, status=status)
        items = self.objects.get(plural, [])
        first, limit = int(request.query.get("continue", "0")), int(request.query["limit"])
        page, rest = items[first : first + limit], len(items[first + limit :])
        metadata = {"continue": str(first + limit), "remainingItemCount": rest} if rest else {}
        return web.Response(body=orjson.dumps({"items": page, "metadata": metadata}))

    @asynccontextmanager
    async def cluster(self) -> AsyncIterator[Cluster]:
        async with serving() as server, connected(server.url) as client:
            server.script = [self.answer]
            yield Cluster(client)

    async def facts(self) -> WorkloadsFacts:
        async with self.cluster() as cluster:
            return await ask_workloads({"hub": cluster}, ASKED)

    async def problem(self) -> str:
        async with self.cluster() as cluster:
            with pytest.raises(ProbeProblem) as problem:
                await ask_workloads({"hub": cluster}, ASKED)
        assert SECRET not in str(problem.value)
        return str(problem.value)


def deployment(name: str, *, replicas: int = 1, containers: int = 1) -> dict[str, Any]:
    pod = {"containers": [{"name": f"c{index}", "image": "a:1"} for index in range(containers)]}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas, "template": template}}


def deployments(count: int) -> list[Any]:
    return [deployment(f"d{index:04}") for index in range(count)]


def scaler(name: str, least: int) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {"metadata": {"name": f"any-{name}-{least}"}, "spec": {"scaleTargetRef": target, "minReplicas": least}}


def budget(selector: Any) -> dict[str, Any]:
    return {"metadata": {"name": "any"}, "spec": {"selector": selector}}


def named(*names: str, **spec: Any) -> list[Any]:
    return [{"metadata": {"name": name}, "spec": spec} for name in names]


async def test_an_empty_namespace_has_nothing_in_it() -> None:
    assert await Namespace().facts() == WorkloadsFacts()


async def test_only_the_namespace_and_that_of_velero_are_listed() -> None:
    namespace = Namespace()
    await namespace.facts()
    paths = {path for path, _ in namespace.asked}
    kinds = (*WORKLOAD_KINDS, *COMPANION_KINDS)
    assert paths == {kind.path("velero" if kind.kind == "Schedule" else "shop-dev") for kind in kinds}


async def test_workloads_are_sorted_by_kind_and_name() -> None:
    found = await Namespace(statefulsets=[deployment("a")], deployments=[deployment("a"), deployment("b")]).facts()
    assert [(each.kind, each.name) for each in found.workloads] == [
        ("Deployment", "a"),
        ("Deployment", "b"),
        ("StatefulSet", "a"),
    ]


async def test_replicas_are_those_that_an_autoscaler_keeps() -> None:
    found = await Namespace(
        deployments=[deployment("a", replicas=7), deployment("b"), deployment("c", replicas=0), deployment("d")],
        horizontalpodautoscalers=[scaler("a", 1), scaler("b", 3), scaler("b", 2), scaler("c", 3), scaler("gone", 3)],
    ).facts()
    assert {each.name: each.replicas for each in found.workloads} == {"a": 1, "b": 2, "c": 0, "d": 1}


async def test_a_budget_protects_what_it_selects() -> None:
    found = await Namespace(
        deployments=[deployment("a"), deployment("b")],
        statefulsets=[deployment("b")],
        poddisruptionbudgets=[budget({"matchLabels": {"app": "b"}}), budget({"matchLabels": {"app": "b"}})],
    ).facts()
    assert found.protected == ("Deployment/b", "StatefulSet/b")


async def test_monitors_certificates_and_schedules_are_named() -> None:
    found = await Namespace(
        servicemonitors=named("b"),
        podmonitors=named("a"),
        certificates=named("web"),
        schedules=[*named("z", "y", template={}), *named("x", template={"includedNamespaces": ["other"]})],
    ).facts()
    assert found.monitors == ("PodMonitor/a", "ServiceMonitor/b")
    assert found.certificates == {"web": False}
    assert found.schedules == ("y", "z")


async def test_kinds_that_are_not_served_are_told() -> None:
    namespace = Namespace()
    namespace.not_served = {"certificates", "podmonitors", "schedules", "servicemonitors"}
    assert (await namespace.facts()).not_served == ("Certificate", "PodMonitor", "Schedule", "ServiceMonitor")


async def test_a_long_list_comes_in_small_pages_and_its_rest_is_counted() -> None:
    namespace = Namespace(deployments=deployments(1000))
    found = await namespace.facts()
    assert [each.name for each in found.workloads] == [f"d{index:04}" for index in range(200)]
    assert found.omitted == 800
    limits = [int(query["limit"]) for path, query in namespace.asked if path.endswith("deployments")]
    assert max(limits) <= 10
    assert sum(limits) == 200


async def test_what_is_beyond_the_bound_is_counted_for_every_kind() -> None:
    namespace = Namespace(cronjobs=[], deployments=deployments(200), statefulsets=deployments(3))
    found = await namespace.facts()
    assert (len(found.workloads), found.omitted) == (200, 3)


async def test_exactly_as_many_as_are_looked_at_leave_none_out() -> None:
    found = await Namespace(deployments=deployments(200)).facts()
    assert (len(found.workloads), found.omitted) == (200, 0)


async def test_a_workload_that_is_too_large_is_left_out_and_counted() -> None:
    found = await Namespace(deployments=[deployment("a", containers=51), deployment("b")]).facts()
    assert ([each.name for each in found.workloads], found.omitted) == (["b"], 1)


async def test_a_list_that_the_server_forgot_is_begun_again() -> None:
    namespace = Namespace(deployments=deployments(30))
    namespace.faults = {"deployments": [0, 410, 0, 0, 410]}
    found = await namespace.facts()
    assert len({each.name for each in found.workloads}) == len(found.workloads) == 30


async def test_a_list_that_the_server_forgets_every_time_is_a_problem() -> None:
    namespace = Namespace(deployments=deployments(30))
    namespace.faults = {"deployments": [410] * 9}
    assert "forgets its lists of deployments" in await namespace.problem()
    assert len(namespace.faults["deployments"]) == 6


REFUSALS = {
    403: "the operator may not list deployments.apps in namespace shop-dev: apply the ClusterRole",
    401: "the cluster refuses the operator's login",
    404: "the cluster does not serve deployments.apps",
    500: "the API server answers 500 to a list of deployments.apps",
}


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refusal_is_told_in_our_own_words(status: int) -> None:
    namespace = Namespace()
    namespace.faults = {"deployments": [status]}
    assert REFUSALS[status] in await namespace.problem()


async def test_a_right_that_is_missing_on_a_companion_is_named() -> None:
    namespace = Namespace()
    namespace.faults = {"schedules": [403]}
    assert "may not list schedules.velero.io in namespace velero" in await namespace.problem()


STRANGE: dict[str, list[Any]] = {
    "deployments": [{"metadata": {"name": "a"}}],
    "statefulsets": ["text"],
    "poddisruptionbudgets": [budget({"matchExpressions": [{"key": "app", "operator": "Like"}]})],
    "certificates": [{"metadata": {"name": "a"}, "status": {"conditions": ["text"]}}],
    "schedules": [{"metadata": {"name": "a"}, "spec": {"template": {"includedNamespaces": [{}]}}}],
}


@pytest.mark.parametrize("plural", STRANGE)
async def test_an_object_of_another_form_is_a_problem_and_no_crash(plural: str) -> None:
    namespace = Namespace(**{"deployments": [deployment("a")], plural: STRANGE[plural]})
    assert await namespace.problem() == f"the API server's list of {plural} cannot be read"


async def test_more_companions_than_are_looked_at_are_a_problem() -> None:
    many = await Namespace(certificates=named(*(f"c{index}" for index in range(201)))).problem()
    assert many == "namespace shop-dev holds more than 200 certificates: too many to look at"


async def test_velero_may_have_a_schedule_for_every_project() -> None:
    names = [f"s{index:04}" for index in range(1500)]
    found = await Namespace(schedules=named(*names, template={"includedNamespaces": ["shop-dev"]})).facts()
    assert found.schedules == tuple(names[:20])


async def test_large_objects_leave_only_what_is_kept_of_them() -> None:
    item = deployment("a")
    item["metadata"]["annotations"] = {"note": "x" * 250_000}
    item["spec"]["template"]["spec"]["containers"][0] |= {
        "image": "i" * 500_000,
        "env": [{"name": "PASSWORD", "value": SECRET * 50_000}],
    }
    found = await Namespace(deployments=[item] * 12).facts()
    assert len(found.workloads) == 12
    assert SECRET not in repr(found)
    assert len(repr(found)) < 20_000


UNREACHABLE: dict[str, Callable[[], dict[str, Any]]] = {
    "a cluster that no target names": dict,
    "a cluster without a connection": lambda: {"hub": DisconnectedCluster(SECRET)},
}


@pytest.mark.parametrize("clusters", UNREACHABLE.values(), ids=UNREACHABLE)
async def test_a_cluster_without_a_connection_is_a_problem(clusters: Callable[[], dict[str, Any]]) -> None:
    with pytest.raises(ProbeProblem) as problem:
        await ask_workloads(clusters(), ASKED)
    assert str(problem.value) == "the operator is not connected to the cluster"


async def test_a_server_that_does_not_answer_is_a_problem() -> None:
    async with connected("http://127.0.0.1:1") as client:
        with pytest.raises(ProbeProblem) as problem:
            await ask_workloads({"hub": Cluster(client)}, ASKED)
    assert str(problem.value) == "the cluster cannot be reached"


def test_the_operator_may_list_what_it_lists_and_no_more() -> None:
    role = yaml.safe_load((MANIFESTS / "cluster" / "clusterrole-site.yaml").read_text())
    groups = {kind.group for kind in (*WORKLOAD_KINDS, *COMPANION_KINDS)}
    rules = [rule for rule in role["rules"] if groups & set(rule["apiGroups"])]
    allowed = {(group, plural) for rule in rules for group in rule["apiGroups"] for plural in rule["resources"]}
    assert allowed == {(kind.group, kind.plural) for kind in (*WORKLOAD_KINDS, *COMPANION_KINDS)}
    assert all(rule["verbs"] == ["list"] for rule in rules)
