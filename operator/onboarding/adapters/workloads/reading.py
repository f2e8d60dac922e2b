"""What a check cares about of the objects in a namespace; pure.

Texts that the API server does not bound are cut; it has validated the built-in kinds, and of the others only what is
looked at here has to have its form: KeyError, TypeError, ValueError or AttributeError where it has not.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from onboarding.build.kinds import Manifest
from onboarding.checks.probe import Workload, WorkloadContainer

_CONTAINERS = 50
"""A workload of more is not looked at."""
_LABELS = 64
_PORTS = 20
_IMAGE = 300
"""Characters of an image; the longest that a registry takes has some 250."""
_COMPARED = ("cpu", "memory")
_MESSAGE = 500
_REFUSED_POD = re.compile(r'^(?:pods "[^"]*" is forbidden|Pod "[^"]*" is invalid): ')
_SCALED = frozenset({"Deployment", "StatefulSet"})


class Scaling(NamedTuple):
    """A HorizontalPodAutoscaler."""

    target: str
    """``Kind/name`` of what it scales; the empty string where that is none of our workloads."""
    least: int


def read_workload(kind: str, item: Manifest) -> Workload | None:
    """Return a workload of one of the four kinds; None where it has more containers than are looked at."""
    spec = item["spec"]
    template = (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]
    pod = template["spec"]
    if len(pod["containers"]) + len(pod.get("initContainers") or ()) > _CONTAINERS:
        return None
    labels = template.get("metadata", {}).get("labels") or {}
    return Workload(
        kind=kind,
        name=item["metadata"]["name"],
        labels=dict(sorted(labels.items())[:_LABELS]),
        containers=_containers(pod),
        replicas=spec.get("replicas", 1),
        spread=_is_spread(pod),
        host_path=any("hostPath" in volume for volume in pod.get("volumes") or ()),
        replica_failure=_replica_failure(item),
    )


def read_scaling(item: Manifest) -> Scaling:
    """Return what a HorizontalPodAutoscaler scales."""
    spec = item["spec"]
    target = spec["scaleTargetRef"]
    ours = target.get("apiVersion", "").startswith("apps/") and target["kind"] in _SCALED
    return Scaling(f"{target['kind']}/{target['name']}" if ours else "", spec.get("minReplicas", 1))


def read_selector(item: Manifest) -> Mapping[str, Any] | None:
    """Return the selector of a PodDisruptionBudget."""
    selector: Mapping[str, Any] | None = item["spec"].get("selector")
    return selector


def read_name(item: Manifest) -> str:
    """Return the name of an object."""
    name: str = item["metadata"]["name"]
    return name


def certificate_facts(item: Manifest) -> tuple[str, bool]:
    """Return the name of a Certificate, and whether cert-manager calls it ready."""
    conditions = item.get("status", {}).get("conditions") or ()
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return read_name(item), ready


def backs_up(item: Manifest, namespace: str) -> bool:
    """Return whether a Schedule of Velero makes backups of a namespace; one that includes none includes all."""
    spec = item["spec"]
    template = spec["template"]
    included = template.get("includedNamespaces") or ["*"]
    excluded = template.get("excludedNamespaces") or ()
    refused = item.get("status", {}).get("phase") == "FailedValidation"
    return bool(
        not spec.get("paused") and not refused and {"*", namespace} & set(included) and namespace not in excluded
    )


def _replica_failure(item: Manifest) -> str:
    """Return what a Deployment says of pods that it cannot make, in a line without the name of the one it tried."""
    for condition in item.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            first = condition.get("message", "").partition("\n")[0]
            return _REFUSED_POD.sub("", first)[:_MESSAGE]
    return ""


def _containers(pod: Mapping[str, Any]) -> tuple[WorkloadContainer, ...]:
    own = [_container(container, pod, ends=False) for container in pod["containers"]]
    first = [
        _container(container, pod, ends=container.get("restartPolicy") != "Always")
        for container in pod.get("initContainers") or ()
    ]
    return tuple(own + first)


def _container(container: Mapping[str, Any], pod: Mapping[str, Any], *, ends: bool) -> WorkloadContainer:
    """Return a container; one that ends before its pod is ready needs no probes, so it lacks none."""
    context = {**(pod.get("securityContext") or {}), **(container.get("securityContext") or {})}
    return WorkloadContainer(
        name=container["name"],
        image=container.get("image", "")[:_IMAGE],
        readiness=ends or "readinessProbe" in container,
        liveness=ends or "livenessProbe" in container,
        requests=_amounts("requests", pod, container),
        limits=_amounts("limits", pod, container),
        # The lowest, since those are the privileged ones.
        ports=tuple(sorted(port["containerPort"] for port in container.get("ports") or ())[:_PORTS]),
        run_as_non_root=context.get("runAsNonRoot"),
        run_as_user=context.get("runAsUser"),
        # Escalation is allowed unless it is refused.
        privileged=context.get("privileged", False) or context.get("allowPrivilegeEscalation", True),
    )


def _amounts(field: str, *givers: Mapping[str, Any]) -> dict[str, str]:
    """Return the CPU and memory that the last giver has set, else those of one before it."""
    given: dict[str, str] = {}
    for giver in givers:
        given |= (giver.get("resources") or {}).get(field) or {}
    return {name: given[name] for name in _COMPARED if name in given}


def _is_spread(pod: Mapping[str, Any]) -> bool:
    apart = (pod.get("affinity") or {}).get("podAntiAffinity") or {}
    return bool(pod.get("topologySpreadConstraints") or any(apart.values()))
