"""Of an object in a namespace that is kept which a check asks for, as Kubernetes understands it, and within bounds."""

from typing import Any

import pytest

from onboarding.adapters.workloads.reading import (
    backs_up,
    certificate_facts,
    read_scaling,
    read_workload,
)
from onboarding.adapters.workloads.selector import selects
from onboarding.checks.probe import Workload, WorkloadContainer

CONTAINER = {"name": "app", "image": "a:1"}


def deployment(pod: Any = None, **spec: Any) -> dict[str, Any]:
    """Return a Deployment with the fields that the API server always sets, and these."""
    pod = {"containers": [CONTAINER], **(pod or {})}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    return {"metadata": {"name": "web"}, "spec": {"replicas": 2, "template": template, **spec}}


def workload(item: dict[str, Any], kind: str = "Deployment") -> Workload:
    found = read_workload(kind, item)
    assert found is not None
    return found


def container(pod: Any = None, **fields: Any) -> WorkloadContainer:
    return workload(deployment({"containers": [{**CONTAINER, **fields}], **(pod or {})})).containers[0]


def test_a_deployment_is_read() -> None:
    assert workload(deployment()) == Workload(
        "Deployment", "web", {"app": "web"}, (WorkloadContainer("app", "a:1", privileged=True),), replicas=2
    )


QUOTA = "exceeded quota: onboarding, requested: limits.cpu=5, used: limits.cpu=0, limited: limits.cpu=2"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"type": "ReplicaFailure", "status": "True", "message": f'pods "web-5f-x7" is forbidden: {QUOTA}'}, QUOTA),
        ({"type": "ReplicaFailure", "status": "True", "message": 'Pod "web-5f-x7" is invalid: why'}, "why"),
        ({"type": "ReplicaFailure", "status": "True", "message": "first\nsecond"}, "first"),
        ({"type": "ReplicaFailure", "status": "True", "message": "x" * 9000}, "x" * 500),
        ({"type": "ReplicaFailure", "status": "True"}, ""),
        ({"type": "ReplicaFailure", "status": "False", "message": "no more"}, ""),
        ({"type": "Progressing", "status": "True", "message": "on its way"}, ""),
    ],
)
def test_what_keeps_its_pods_from_being_made_is_read_without_their_names(status: dict[str, Any], told: str) -> None:
    """A pod that is refused has another name at every attempt."""
    assert workload({**deployment(), "status": {"conditions": [status]}}).replica_failure == told


def test_a_cron_job_is_read_from_the_template_of_its_jobs() -> None:
    inner = deployment()["spec"]["template"]
    item = {"metadata": {"name": "tidy"}, "spec": {"jobTemplate": {"spec": {"template": inner}}}}
    found = workload(item, "CronJob")
    assert (found.name, found.labels, found.replicas) == ("tidy", {"app": "web"}, 1)
    assert found.containers == workload(deployment()).containers


def test_a_daemon_set_has_no_replicas_and_counts_as_one() -> None:
    item = deployment()
    del item["spec"]["replicas"]
    assert workload(item, "DaemonSet").replicas == 1


def test_probes_are_those_of_the_container() -> None:
    assert (container().readiness, container().liveness) == (False, False)
    probed = container(readinessProbe={}, livenessProbe={})
    assert (probed.readiness, probed.liveness) == (True, True)


def test_a_container_that_ends_before_its_pod_is_ready_lacks_no_probe_and_is_looked_at() -> None:
    sidecar = {"name": "proxy", "image": "p:1", "restartPolicy": "Always"}
    found = workload(deployment({"initContainers": [{"name": "first", "image": "i:1"}, sidecar]}))
    assert [(each.name, each.image, each.liveness) for each in found.containers] == [
        ("app", "a:1", False),
        ("first", "i:1", True),
        ("proxy", "p:1", False),
    ]


def test_amounts_of_a_container_come_before_those_of_its_pod() -> None:
    pod = {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    found = container(pod, resources={"requests": {"cpu": "2", "example.org/gpu": "1"}, "limits": {"cpu": "3"}})
    assert (found.requests, found.limits) == ({"cpu": "2", "memory": "1Gi"}, {"cpu": "3"})


SECURITY: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[bool | None, int | None, bool]]] = {
    "nothing is said": ({}, {}, (None, None, True)),
    "by the pod": ({"runAsNonRoot": True, "runAsUser": 7}, {"allowPrivilegeEscalation": False}, (True, 7, False)),
    "by the container, against its pod": (
        {"runAsNonRoot": True, "runAsUser": 7},
        {"runAsNonRoot": False, "runAsUser": 0, "allowPrivilegeEscalation": False},
        (False, 0, False),
    ),
    "privileged": ({}, {"privileged": True, "allowPrivilegeEscalation": False}, (None, None, True)),
    "it may escalate": ({}, {"allowPrivilegeEscalation": True}, (None, None, True)),
}


@pytest.mark.parametrize(("pod", "own", "expected"), SECURITY.values(), ids=SECURITY)
def test_who_a_container_runs_as(pod: Any, own: Any, expected: Any) -> None:
    found = container({"securityContext": pod}, securityContext=own)
    assert (found.run_as_non_root, found.run_as_user, found.privileged) == expected


SPREAD: dict[str, tuple[dict[str, Any], bool]] = {
    "not": ({}, False),
    "by an empty affinity": ({"affinity": {"podAntiAffinity": {}}}, False),
    "together": ({"affinity": {"podAffinity": {"preferred": [1]}}}, False),
    "by no constraint": ({"topologySpreadConstraints": []}, False),
    "by a constraint": ({"topologySpreadConstraints": [{"maxSkew": 1}]}, True),
    "by anti-affinity": (
        {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}},
        True,
    ),
}


@pytest.mark.parametrize(("pod", "expected"), SPREAD.values(), ids=SPREAD)
def test_whether_pods_are_kept_apart(pod: Any, expected: bool) -> None:
    assert workload(deployment(pod)).spread is expected


def test_a_path_of_the_node_is_seen_among_the_volumes() -> None:
    volumes = [{"name": "a", "emptyDir": {}}]
    assert not workload(deployment({"volumes": volumes})).host_path
    assert workload(deployment({"volumes": [*volumes, {"name": "b", "hostPath": {"path": "/"}}]})).host_path


def test_what_a_tenant_can_make_long_is_cut() -> None:
    ports = [{"containerPort": port} for port in range(9000, 8000, -1)]
    item = deployment({"containers": [{**CONTAINER, "image": "a" * 10**6, "ports": ports}]})
    item["spec"]["template"]["metadata"]["labels"] = {f"l{index:04}": "x" for index in range(1000)}
    found = workload(item)
    assert len(found.labels) == 64
    assert len(found.containers[0].image) == 300
    assert found.containers[0].ports == tuple(range(8001, 8021))


def test_a_workload_of_more_than_fifty_containers_is_not_looked_at() -> None:
    many = [{**CONTAINER, "name": f"c{index}"} for index in range(50)]
    assert len(workload(deployment({"containers": many})).containers) == 50
    assert read_workload("Deployment", deployment({"containers": many, "initContainers": [CONTAINER]})) is None


def scaler(api_version: str = "apps/v1", kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    target = {"apiVersion": api_version, "kind": kind, "name": "web"}
    return {"metadata": {"name": "any"}, "spec": {"scaleTargetRef": target, "maxReplicas": 9, **spec}}


def test_an_autoscaler_names_what_it_scales_and_keeps_one_unless_it_says_more() -> None:
    assert read_scaling(scaler(minReplicas=3)) == ("Deployment/web", 3)
    assert read_scaling(scaler(kind="StatefulSet")) == ("StatefulSet/web", 1)


def test_an_autoscaler_of_something_else_of_that_name_does_not_count() -> None:
    assert read_scaling(scaler("example.org/v1")).target == ""
    assert read_scaling(scaler(kind="ReplicaSet")).target == ""


CERTIFICATES: dict[str, tuple[dict[str, Any], bool]] = {
    "new": ({}, False),
    "without conditions": ({"status": {}}, False),
    "being issued": ({"status": {"conditions": [{"type": "Issuing", "status": "True"}]}}, False),
    "not ready": ({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, False),
    "ready": (
        {"status": {"conditions": [{"type": "Issuing", "status": "False"}, {"type": "Ready", "status": "True"}]}},
        True,
    ),
}


@pytest.mark.parametrize(("fields", "ready"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_is_ready_when_cert_manager_says_so(fields: Any, ready: bool) -> None:
    assert certificate_facts({"metadata": {"name": "web"}, **fields}) == ("web", ready)


SCHEDULES: dict[str, tuple[dict[str, Any], bool]] = {
    "everything": ({"template": {}}, True),
    "an empty list": ({"template": {"includedNamespaces": []}}, True),
    "every namespace": ({"template": {"includedNamespaces": ["*"]}}, True),
    "this one": ({"template": {"includedNamespaces": ["other", "shop-dev"]}}, True),
    "others": ({"template": {"includedNamespaces": ["other"]}}, False),
    "all but this one": ({"template": {"excludedNamespaces": ["shop-dev"]}}, False),
    "all but another": ({"template": {"excludedNamespaces": ["other"]}}, True),
    "paused": ({"paused": True, "template": {}}, False),
}


@pytest.mark.parametrize(("spec", "expected"), SCHEDULES.values(), ids=SCHEDULES)
def test_whether_a_schedule_saves_a_namespace(spec: Any, expected: bool) -> None:
    assert backs_up({"metadata": {"name": "daily"}, "spec": spec}, "shop-dev") is expected


def test_a_schedule_that_velero_refuses_saves_nothing() -> None:
    refused = {"metadata": {"name": "daily"}, "spec": {"template": {}}, "status": {"phase": "FailedValidation"}}
    assert not backs_up(refused, "shop-dev")


LABELS = {"app": "web", "tier": "front"}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


SELECTORS: dict[str, tuple[dict[str, Any] | None, bool]] = {
    "none": (None, False),
    "an empty one": ({}, True),
    "a label": ({"matchLabels": {"app": "web"}}, True),
    "another value": ({"matchLabels": {"app": "api"}}, False),
    "a label that is not there": ({"matchLabels": {"env": "dev"}}, False),
    "labels, of which one differs": ({"matchLabels": {"app": "web", "tier": "back"}}, False),
    "In": ({"matchExpressions": [expression("app", "In", "api", "web")]}, True),
    "In others": ({"matchExpressions": [expression("app", "In", "api")]}, False),
    "In, of a label that is not there": ({"matchExpressions": [expression("env", "In", "dev")]}, False),
    "NotIn": ({"matchExpressions": [expression("app", "NotIn", "api")]}, True),
    "NotIn these": ({"matchExpressions": [expression("app", "NotIn", "web")]}, False),
    "NotIn, of a label that is not there": ({"matchExpressions": [expression("env", "NotIn", "dev")]}, True),
    "Exists": ({"matchExpressions": [expression("app", "Exists")]}, True),
    "Exists, of a label that is not there": ({"matchExpressions": [expression("env", "Exists")]}, False),
    "DoesNotExist": ({"matchExpressions": [expression("env", "DoesNotExist")]}, True),
    "DoesNotExist, of a label that is there": ({"matchExpressions": [expression("app", "DoesNotExist")]}, False),
    "both, of which one fails": (
        {"matchLabels": {"app": "web"}, "matchExpressions": [expression("tier", "DoesNotExist")]},
        False,
    ),
}


@pytest.mark.parametrize(("selector", "expected"), SELECTORS.values(), ids=SELECTORS)
def test_a_selector_means_what_it_means_to_kubernetes(selector: Any, expected: bool) -> None:
    assert selects(selector, LABELS) is expected


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="Like"):
        selects({"matchExpressions": [expression("app", "Like", "w")]}, LABELS)
