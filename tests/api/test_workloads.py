"""What runs in a namespace is found on a real API server, with the rights of the operator's own service account."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import ControlPlane
from onboarding.adapters.client import Client
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.adapters.workloads.ask import ask_workloads
from onboarding.build.kinds import ChildKind
from onboarding.checks.inputs import RunningInputs
from onboarding.checks.probe import Answer, Workload, WorkloadContainer, WorkloadsFacts, WorkloadsRequest
from onboarding.checks.workloads import (
    disruption_budgeted,
    image_compliant,
    labels_present,
    no_host_path,
    pods_spread,
    ports_unprivileged,
    probes_defined,
    replicas_sufficient,
    resources_defined,
    rootless,
)
from tests.support.api import Api
from tests.support.installing import apply
from tests.support.operator import ACCOUNT, NAMESPACE
from tests.support.waiting import wait_until
from tests.unit.snapshots import NOW, POLICY, project_inputs, spec_of

DATA = Path(__file__).parent / "workloads"
ROOM = "seen-dev"
ASKED = WorkloadsRequest("hub", ROOM)
GOOD_CONTAINER = WorkloadContainer(
    name="app",
    image="ghcr.io/team/web:1.0",
    readiness=True,
    liveness=True,
    requests={"cpu": "100m", "memory": "64Mi"},
    limits={"cpu": "200m", "memory": "64Mi"},
    ports=(8080,),
    run_as_non_root=True,
)
CRDS = (
    ChildKind("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
    ChildKind("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors"),
    ChildKind("cert-manager.io", "v1", "Certificate", "certificates"),
    ChildKind("velero.io", "v1", "Schedule", "schedules"),
)


class Connected:
    """The hub, as an account is connected to it."""

    def __init__(self, client: Client) -> None:
        self.client = client


@asynccontextmanager
async def hub_as(cluster: ControlPlane, account: str) -> AsyncIterator[dict[str, Connected]]:
    kubeconfig = cluster.kubeconfig_for_service_account(NAMESPACE, account)
    client = await Client.from_environment(str(kubeconfig), request_timeout=10)
    try:
        yield {"hub": Connected(client)}
    finally:
        await client.close()


async def look(cluster: ControlPlane, request: WorkloadsRequest = ASKED) -> WorkloadsFacts:
    async with hub_as(cluster, ACCOUNT) as clusters:
        return await ask_workloads(clusters, request)


def objects(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DATA / name).read_text()))


@pytest.fixture(scope="module")
def room(installed: ControlPlane) -> ControlPlane:
    """A namespace in which a project runs what is good and what is not, with thirteen Deployments in all."""
    installed.kubectl("create", "namespace", ROOM)
    apply(installed, *objects("running.yaml"))
    api, path = Api(installed), ChildKind("apps", "v1", "Deployment", "deployments").path(ROOM)
    web = next(item for item in objects("running.yaml") if item["kind"] == "Deployment")
    for index in range(10):
        api.create(path, {**web, "metadata": {"name": f"copy-{index}", "namespace": ROOM}})
    return installed


@pytest.fixture(scope="module")
def extended(room: ControlPlane) -> Iterator[ControlPlane]:
    """The same where Prometheus, cert-manager and Velero have brought their kinds."""
    apply(room, *(definition(kind) for kind in CRDS))
    api = Api(room)
    for kind in CRDS:
        wait_until(lambda kind=kind: api.text("GET", kind.path())[0] == 200, what=f"{kind.plural} are served")
    room.kubectl("create", "namespace", "velero")
    apply(room, *objects("extended.yaml"))
    yield room
    room.kubectl("delete", "crd", *(f"{kind.plural}.{kind.group}" for kind in CRDS))
    room.kubectl("delete", "namespace", "velero", "--wait=false")


def definition(kind: ChildKind) -> dict[str, Any]:
    """Return a CustomResourceDefinition that takes everything."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": kind.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {"kind": kind.kind, "plural": kind.plural, "singular": kind.kind.lower()},
            "versions": [version],
        },
    }


async def test_a_namespace_without_anything_is_empty_and_one_that_is_not_there_too(installed: ControlPlane) -> None:
    installed.kubectl("create", "namespace", "seen-empty")
    for name in ("seen-empty", "seen-never"):
        found = await look(installed, WorkloadsRequest("hub", name))
        assert (found.workloads, found.omitted, found.protected) == ((), 0, ())


async def test_workloads_of_every_kind_are_found_over_several_pages(room: ControlPlane) -> None:
    found = await look(room)
    assert [(each.kind, each.name) for each in found.workloads] == [
        ("CronJob", "tidy"),
        ("DaemonSet", "agent"),
        *(("Deployment", f"copy-{index}") for index in range(10)),
        ("Deployment", "raw"),
        ("Deployment", "scaled"),
        ("Deployment", "web"),
        ("StatefulSet", "db"),
    ]
    assert found.omitted == 0


async def test_a_workload_is_read_as_the_server_stores_it(room: ControlPlane) -> None:
    by_name = {each.name: each for each in (await look(room)).workloads}
    expected = Workload(
        "Deployment", "web", {"app": "web", "tier": "front"}, (GOOD_CONTAINER,), replicas=2, spread=True
    )
    assert by_name["web"] == expected
    assert (by_name["raw"].host_path, by_name["raw"].replicas) == (True, 1)
    assert by_name["scaled"].replicas == 3
    assert [each.name for each in by_name["db"].containers] == ["app", "prepare"]


async def test_budgets_are_put_to_what_they_are_for(room: ControlPlane) -> None:
    found = await look(room)
    # By a label, and by an expression on another one.
    copies = (f"Deployment/copy-{index}" for index in range(10))
    assert found.protected == (*copies, "Deployment/web", "StatefulSet/db")


async def test_kinds_that_nobody_has_installed_are_named(room: ControlPlane) -> None:
    assert (await look(room)).not_served == ("Certificate", "PodMonitor", "Schedule", "ServiceMonitor")


async def test_the_checks_tell_the_good_from_the_bad(room: ControlPlane) -> None:
    answers = {ASKED: Answer(await look(room), "", NOW)}
    rules = POLICY.workloads.model_copy(update={"registries": ("ghcr.io/team",), "labels": ("app",)})
    policy = POLICY.model_copy(update={"workloads": rules})
    project = project_inputs(spec_of(), answers, policy=policy)
    inputs = RunningInputs(project, "dev", "dev", "main", "a", "hub", ROOM)
    expected = {
        image_compliant: "Deployment/raw (app): no tag: 'docker.io/library/nginx'",
        probes_defined: "Deployment/raw (app): no readiness and no liveness probe",
        resources_defined: "Deployment/raw (app): no cpu and memory requests, no cpu and memory limits",
        labels_present: "Deployment/raw: no label app",
        rootless: "Deployment/raw (app): runAsNonRoot is not true, privileged or may escalate",
        ports_unprivileged: "Deployment/raw (app): port 80",
        no_host_path: "Deployment/raw: a hostPath volume",
        replicas_sufficient: "Deployment/raw: 1 of 2 replicas",
        pods_spread: "Deployment/scaled: no topologySpreadConstraints and no podAntiAffinity",
        disruption_budgeted: "Deployment/scaled: no PodDisruptionBudget",
    }
    for check, message in expected.items():
        finding = check.run(inputs)
        assert finding is not None, check.id
        assert finding.message == message


async def test_a_right_that_is_missing_is_named(room: ControlPlane) -> None:
    async with hub_as(room, "default") as clusters:
        with pytest.raises(ProbeProblem, match=rf"may not list cronjobs.batch in namespace {ROOM}: apply the Cluster"):
            await ask_workloads(clusters, ASKED)


async def test_monitors_certificates_and_schedules_are_found_where_they_are_served(extended: ControlPlane) -> None:
    found = await look(extended)
    assert found.not_served == ()
    assert found.monitors == ("PodMonitor/web", "ServiceMonitor/web")
    assert found.certificates == {"late": False, "web": True}
    assert found.schedules == ("everything", "named")
