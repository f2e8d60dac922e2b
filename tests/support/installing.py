"""Install what the operator needs on a control plane, from the project's own files."""

import json
from pathlib import Path
from typing import Any

import yaml

from devcluster import ControlPlane, argocd_crds
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
SAFE_SETTINGS = ("impersonation.enabled", "requireOverridePrivilegeForRevisionSync")
"""Switches of Argo CD that are off by default, under ``application.sync``."""


def install(cluster: ControlPlane, *, argocd: bool = True, profile: bool = True) -> None:
    """Apply Argo CD's CRDs, our manifests and the default profile; wait until our kinds are served."""
    # Applied, since an Argo CD that has been started before has made it.
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    if argocd:
        install_argocd(cluster)
        cluster.apply(argocd_settings())
    for folder in ("install", "argocd-settings"):
        cluster.kubectl("apply", "--server-side", "-k", str(ROOT / "manifests" / folder))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    if profile:
        apply_profile(cluster)


def argocd_settings() -> dict[str, Any]:
    """Return the ConfigMap of an Argo CD with safe settings, for a cluster where none runs."""
    health: dict[str, Any] = yaml.safe_load((ROOT / "manifests/argocd/health.yaml").read_text())
    safe = {f"application.sync.{name}": "true" for name in SAFE_SETTINGS}
    metadata = {"name": "argocd-cm", "namespace": "argocd"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {**health["data"], **safe}}


def install_argocd(cluster: ControlPlane) -> None:
    """Apply Argo CD's CRDs."""
    for path in argocd_crds():
        cluster.kubectl("apply", "--server-side", "-f", str(path))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "applications.argoproj.io", "--timeout=30s")


def apply_profile(cluster: ControlPlane) -> None:
    """Apply the default policy and target; the API server may need a moment after their CRDs are established."""
    profile = str(ROOT / "manifests/profiles/default")
    wait_until(
        lambda: cluster.kubectl("apply", "-k", profile, check=False).returncode == 0, what="the profile is applied"
    )


def apply(cluster: ControlPlane, *manifests: dict[str, Any]) -> None:
    """Apply manifests as the administrator."""
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
    cluster.kubectl("apply", "-f", "-", stdin=items)


def get(cluster: ControlPlane, *arguments: str) -> dict[str, Any]:
    """Return ``kubectl get ... -o json``; empty where there is no such object."""
    answer = cluster.kubectl("get", *arguments, "-o", "json", "--ignore-not-found")
    found: dict[str, Any] = json.loads(answer.stdout or "{}")
    return found


def project(name: str, **spec: Any) -> dict[str, Any]:
    """Return a ProjectOnboarding with one environment ``dev`` unless the spec says otherwise."""
    return {
        "apiVersion": "projectonboarding.io/v1alpha1",
        "kind": "ProjectOnboarding",
        "metadata": {"name": name},
        "spec": {
            "owner": {"name": "Claire Martin", "email": "claire.martin@example.org"},
            "environments": [{"name": "dev", "stage": "dev"}],
            **spec,
        },
    }


def ready(cluster: ControlPlane, name: str) -> dict[str, Any] | None:
    """Return the Ready condition of a project if it is of its present generation."""
    found = get(cluster, "projectonboarding", name)
    status = found.get("status", {})
    if not found or status.get("observedGeneration") != found["metadata"]["generation"]:
        return None
    return next((item for item in status.get("conditions", []) if item["type"] == "Ready"), None)


def wait_ready(cluster: ControlPlane, name: str, *, status: str = "True", reason: str | None = None) -> dict[str, Any]:
    """Wait until Ready of a project has a status (and a reason), and return the condition."""

    def there() -> dict[str, Any] | None:
        found = ready(cluster, name)
        return found if found and found["status"] == status and reason in (None, found["reason"]) else None

    return wait_until(there, what=f"{name} is Ready={status} {reason or ''}; it is {ready(cluster, name)}")
