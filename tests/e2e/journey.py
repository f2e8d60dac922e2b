"""The stage for a walk through the Cloud π profile: one cluster in the place of all, and services outside it."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from devcluster import ControlPlane
from onboarding.build.kinds import APPLICATION
from tests.api.persons import Person
from tests.api.test_workloads import CRDS, definition
from tests.support.api import Api
from tests.support.hub import ARGOCD, Hub
from tests.support.installing import ROOT, apply, install
from tests.support.operator import OperatorProcess
from tests.support.outside import Outside
from tests.support.waiting import wait_until

PROFILE = ROOT / "manifests/profiles/cloud-pi-native"
_HERE = {"name": "here"}
_ROLES = ("demand-pilot", "service-team", "network", "security", "poa", "platform", "requester")

_TARGETS = ("acceleration", "external-market", "cloud-pi-np", "cloud-pi-dr", "g-cloud")
_OFFERED = ("policy", *(f"target-{name}" for name in _TARGETS))


@dataclass(frozen=True)
class Journey:
    """A running operator under the Cloud π policy, and everybody who decides."""

    hub: Hub
    outside: Outside
    operator: OperatorProcess

    def person(self, role: str, *more: str) -> Person:
        """Return somebody who holds one of the example roles, and perhaps other groups besides."""
        user = "-".join((role, *more))
        return Person(self.hub.cluster, self.hub.cluster.kubeconfig_for(user, [f"{role}s", *more]))

    def decision(self, role: str, project: str, name: str, *more: str, **spec: Any) -> dict[str, Any]:
        """Return a decision as somebody of a role would write it."""
        declared = self.hub.project(project)
        assert declared is not None
        given = {
            "project": {"name": project, "uid": declared["metadata"]["uid"]},
            "by": {"username": "-".join((role, *more)), "groups": [f"{role}s", *more, "system:authenticated"]},
            "reason": "seen and agreed",
            **spec,
        }
        metadata = {"name": f"{project}-{name}"}
        return {
            "apiVersion": "projectonboarding.io/v1alpha1",
            "kind": "OnboardingDecision",
            "metadata": metadata,
            "spec": given,
        }

    def decides(self, role: str, project: str, name: str, *more: str, **spec: Any) -> None:
        """Create a decision as somebody of a role."""
        body = self.decision(role, project, name, *more, **spec)
        self.person(role, *more).does("create", "-f", "-", body=body)

    def withdraws(self, role: str, project: str, name: str) -> None:
        """Delete a decision as its author."""
        self.person(role).does("delete", "onboardingdecision", f"{project}-{name}")

    def status(self, project: str) -> dict[str, Any]:
        """Return the status of a project, of its present generation; empty while there is none."""
        found = self.hub.project(project)
        assert found is not None
        current = found["status"].get("observedGeneration") == found["metadata"]["generation"]
        return found["status"] if current else {}

    def gate(self, project: str, name: str) -> dict[str, Any]:
        """Return one gate of a project's status; empty while there is none."""
        gates = self.status(project).get("gates", ())
        return next((gate for gate in gates if gate["name"] == name), {})

    def asked(self, project: str, gate: str, environment: str) -> str:
        """Return the digest of the approval of an environment that a gate asks for."""
        asked = self.gate(project, gate)["approvals"]
        (digest,) = [item["digest"] for item in asked if item["environment"] == environment]
        return str(digest)

    def reaches(self, project: str, stage: str, *held_by: str, within: float = 30) -> None:
        """Wait until a project has reached a stage and the next gate waits for exactly these words."""

        def there() -> bool:
            status = self.status(project)
            held = next((gate for gate in status.get("gates", ()) if gate["state"] == "Held"), {})
            told = held.get("waitingFor", [])
            return (
                status.get("stage") == stage
                and len(told) == len(held_by)
                and all(any(words in text for text in told) for words in held_by)
            )

        try:
            wait_until(there, what=f"{project} reaches {stage}, held by {held_by}", within=within)
        except AssertionError as error:
            error.add_note(yaml.safe_dump(self.status(project), allow_unicode=True))
            raise

    def is_void(self, project: str, gate: str, words: str) -> None:
        """Wait until a gate says that a decision does not count, and why."""
        wait_until(
            lambda: any(words in text for text in self.gate(project, gate).get("void", ())),
            what=f"gate {gate} says {words!r}; it says {self.gate(project, gate)}",
        )

    def deploys(self, namespace: str, **labels: str) -> None:
        """Run a workload that keeps every rule, as Argo CD would have deployed it."""
        apply(self.hub.cluster, *compliant(namespace, f"{self.outside.host}/shop:v1", labels))

    def reports(self, name: str, health: str) -> None:
        """Play Argo CD: report the health of an Application."""
        path = APPLICATION.path(ARGOCD, name)
        self.hub.api.patch(path, {"status": {"health": {"status": health}, "sync": {"status": "Synced"}}})


@contextmanager
def a_journey(cluster: ControlPlane, directory: Path) -> Iterator[Journey]:
    """Install everything on a control plane and run the operator under the Cloud π policy."""
    with Outside(directory) as outside:
        install(cluster, profile=False)
        cluster.kubectl("apply", "-k", str(ROOT / "manifests/roles"))
        apply(cluster, *(definition(kind) for kind in CRDS))
        cluster.kubectl("create", "namespace", "velero")
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        apply(cluster, *(_holder(role) for role in _ROLES))
        wait_until(lambda: _applied(cluster, _platform(outside)), what="the profile is applied")
        operator = OperatorProcess.on(cluster, directory, trust=outside.ca_file, policy="cloud-pi-native")
        try:
            yield Journey(Hub(cluster), outside, operator)
        finally:
            operator.stop()


def _applied(cluster: ControlPlane, manifests: list[dict[str, Any]]) -> bool:
    api = Api(cluster)
    for manifest in manifests:
        plural = {"OnboardingPolicy": "onboardingpolicies", "HostingTarget": "hostingtargets"}[manifest["kind"]]
        api.apply(f"/apis/projectonboarding.io/v1alpha1/{plural}/{manifest['metadata']['name']}", manifest)
    return True


def _holder(role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{role}s"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"onboarding:{role}"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"{role}s"}],
    }


def _platform(outside: Outside) -> list[dict[str, Any]]:
    """Return the profile's policy, its targets on this one cluster, one site each, and probes that look at us."""
    policy, *targets = (copy.deepcopy(yaml.safe_load((PROFILE / f"{name}.yaml").read_text())) for name in _OFFERED)
    for target in targets:
        capacity = target["spec"]["sites"][0]["capacity"]
        target["spec"]["sites"] = [{**_HERE, "capacity": capacity}]
        # The cluster here is no OpenShift: its own resolver and ingress take the place of that flavour's.
        target["spec"]["flavour"] = "Kubernetes"
    policy["spec"]["probes"] = {
        "allowedNetworks": ["127.0.0.0/8"],
        "identityProvider": {"url": f"https://{outside.host}/scim"},
        "minutes": 1,
    }
    return [policy, *targets]


def compliant(namespace: str, image: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    """Return a Deployment that keeps every rule, with its disruption budget and its monitor."""
    every = {"app": "shop", "env": "dev", "tier": "backend", "criticality": "low", "component": "api", **labels}
    probe = {"httpGet": {"path": "/health", "port": 8080}}
    amounts = {"cpu": "100m", "memory": "64Mi"}
    container = {
        "name": "shop",
        "image": image,
        "ports": [{"containerPort": 8080}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": amounts, "limits": amounts},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "shop"}},
    }
    pod = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "topologySpreadConstraints": [spread],
    }
    selector = {"matchLabels": {"app": "shop"}}
    metadata = {"name": "shop", "namespace": namespace}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 2, "selector": selector, "template": {"metadata": {"labels": every}, "spec": pod}},
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {"minAvailable": 1, "selector": selector},
        },
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "ServiceMonitor",
            "metadata": metadata,
            "spec": {"selector": selector},
        },
        {
            "apiVersion": "velero.io/v1",
            "kind": "Schedule",
            "metadata": {"name": namespace, "namespace": "velero"},
            "spec": {"schedule": "0 2 * * *", "template": {"includedNamespaces": [namespace]}},
        },
    ]


def in_time(seconds: float) -> str:
    """Return a moment as decisions write it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
