"""A target of two sites, the hub and a second cluster, and what may happen to the second one."""

import contextlib
from collections.abc import Iterator

from devcluster import ControlPlane
from onboarding import names
from tests.support.hub import REPOSITORY, ROOT, Hub
from tests.support.operator import NAMESPACE as HOME

SITE = "project-onboarding-site"
TARGET = f"{ROOT}/hostingtargets/both-sites"
SECRET = f"/api/v1/namespaces/{HOME}/secrets/far"
PINS = f"/api/v1/namespaces/{HOME}/configmaps/{names.CLUSTERS_CONFIGMAP}"
"""Which cluster each connection leads to."""
GUARDS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
SITES = [
    {"name": "near"},
    {"name": "far", "kubeconfigSecret": {"name": "far"}, "argocd": {"destinationServer": "https://far.example.org"}},
]
BOTH = {"repositories": [REPOSITORY], "environments": [{"name": "dev", "stage": "dev", "target": "both-sites"}]}


def connect(hub: Hub, secret: str, cluster: ControlPlane) -> None:
    """Let a Secret of the operator's namespace lead to a cluster, with a new login of the site's own account."""
    kubeconfig = cluster.kubeconfig_for_service_account(HOME, SITE).read_text()
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret},
        "stringData": {"kubeconfig": kubeconfig},
    }
    hub.api.apply(f"/api/v1/namespaces/{HOME}/secrets/{secret}", body)


def verdict(hub: Hub, target: str) -> str:
    """Return the message of the Ready condition of a target; empty while there is none."""
    found = hub.api.get(f"{ROOT}/hostingtargets/{target}")
    assert found is not None
    conditions = found.get("status", {}).get("conditions", ())
    return next((item["message"] for item in conditions if item["type"] == "Ready"), "")


def offer(hub: Hub) -> None:
    """Create the target of two sites."""
    target = {"apiVersion": names.API_VERSION, "kind": "HostingTarget", "metadata": {"name": "both-sites"}}
    hub.api.create(TARGET.removesuffix("/both-sites"), {**target, "spec": {"sites": SITES}})


def declare_lost(hub: Hub) -> None:
    """Say in the target that the second cluster is gone for good."""
    hub.api.patch(TARGET, {"spec": {"sites": [SITES[0], {**SITES[1], "lost": True}]}})


@contextlib.contextmanager
def stopped(site: ControlPlane) -> Iterator[None]:
    """Stop the API server of a cluster for a while."""
    site.stop_part("kube-apiserver")
    try:
        yield
    finally:
        site.start_part("kube-apiserver")


def site_finalizers(hub: Hub, name: str) -> set[str]:
    """Return the finalizers of a project that stand for sites, without their domain."""
    found = (hub.project(name) or {"metadata": {}})["metadata"].get("finalizers", ())
    return {item.partition("/")[2] for item in found} - {"teardown"}
