"""What Argo CD's own installation puts into a cluster, but for what would run there as a pod."""

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from devcluster.cluster import Cluster
from devcluster.crds import argocd_crds, argocd_manifests

_KINDS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "Secret"}
_WORKLOADS = {
    "argocd-application-controller": "application-controller/argocd-application-controller-statefulset.yaml",
    "argocd-applicationset-controller": "applicationset-controller/argocd-applicationset-controller-deployment.yaml",
    "argocd-repo-server": "repo-server/argocd-repo-server-deployment.yaml",
}
_EVERYTHING = [{"group": "*", "kind": "*"}]

Manifest = dict[str, Any]


def install(cluster: Cluster, namespace: str, settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:
    """Apply the kinds, identities, roles and settings of Argo CD; what is there already stays or is updated."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    crds = [f"--filename={path}" for path in argocd_crds()]
    cluster.kubectl("apply", "--server-side", "--force-conflicts", *crds)
    cluster.kubectl("wait", "--for=condition=Established", "crd", "appprojects.argoproj.io", "--timeout=30s")
    changes: dict[tuple[str, str], Mapping[str, Mapping[str, str]]] = {
        ("ConfigMap", "argocd-cm"): {"data": settings},
        ("ConfigMap", "argocd-cmd-params-cm"): {"data": parameters},
        ("Secret", "argocd-secret"): {"stringData": {"server.secretkey": secrets.token_urlsafe()}},
    }
    objects = []
    for item in _stock(namespace):
        for field, added in changes.get((item["kind"], item["metadata"]["name"]), {}).items():
            item[field] = {**item.get(field, {}), **added}
        objects.append(item)
    cluster.apply(*objects, _default_project(namespace))


def workload_environment(part: str, cluster: Cluster, namespace: str) -> dict[str, str]:
    """Return the variables that a part's pod would take from Argo CD's settings."""
    answer = cluster.kubectl("get", "configmaps", f"--namespace={namespace}", "--output=json").stdout
    maps = {item["metadata"]["name"]: item.get("data", {}) for item in json.loads(answer)["items"]}
    workload = yaml.safe_load((argocd_manifests() / "base" / _WORKLOADS[part]).read_text())
    found = {}
    for variable in workload["spec"]["template"]["spec"]["containers"][0]["env"]:
        reference = variable.get("valueFrom", {}).get("configMapKeyRef")
        if reference and reference["key"] in maps.get(reference["name"], {}):
            found[variable["name"]] = maps[reference["name"]][reference["key"]]
    return found


def _stock(namespace: str) -> Iterator[Manifest]:
    for path in _files():
        for item in yaml.safe_load_all(path.read_text()):
            if item["kind"] not in _KINDS:
                continue
            if not item["kind"].startswith("Cluster"):
                item["metadata"]["namespace"] = namespace
            for subject in item.get("subjects", []):
                subject["namespace"] = namespace
            yield item


def _files() -> list[Path]:
    manifests = argocd_manifests()
    found = [path for part in ("base", "cluster-rbac") for path in (manifests / part).glob("*/*.yaml")]
    return sorted(path for path in found if path.name != "kustomization.yaml")


def _default_project(namespace: str) -> Manifest:
    """Return the project that Argo CD's API server makes when it starts for the first time."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": _EVERYTHING,
        },
    }
