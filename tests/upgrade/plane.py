"""A control plane as a version has it: its definitions and manifests, and the people who decide."""

import json
from collections.abc import Iterable, Sequence

from devcluster import ControlPlane
from devcluster.errors import KubectlError
from onboarding.build.kinds import Manifest
from tests.support.api import Api
from tests.support.hub import ROOT
from tests.support.installing import apply, install_argocd
from tests.support.waiting import wait_until

_ROLES = ("demand-pilot", "service-team", "network", "security", "poa", "platform", "operations")
_RBAC = "rbac.authorization.k8s.io"
_EVERYBODY = "system:authenticated"


def install(cluster: ControlPlane, definitions: Sequence[Manifest], manifests: Sequence[Manifest]) -> None:
    """Install a version, with Argo CD's kinds beside it and a group for each role that decides."""
    apply(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    install_argocd(cluster)
    cluster.apply(*definitions, *manifests, *map(_holders, _ROLES))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


def apply_soon(cluster: ControlPlane, manifests: Iterable[Manifest]) -> None:
    """Apply objects of our kinds; the API server may need a moment after it has established them."""
    items = list(manifests)

    def applied() -> bool:
        try:
            apply(cluster, *items)
        except KubectlError as error:
            if "no matches for kind" not in str(error):
                raise
            return False
        return True

    wait_until(applied, what="our kinds are known")


def author(role: str) -> dict[str, object]:
    """Return ``spec.by`` of a decision that somebody of a role makes."""
    return {"username": role, "groups": [f"{role}s", _EVERYBODY]}


def decide(cluster: ControlPlane, decisions: Iterable[Manifest]) -> None:
    """Create decisions, each as its author."""
    by_author: dict[str, list[Manifest]] = {}
    for decision in decisions:
        by_author.setdefault(json.dumps(decision["spec"]["by"]), []).append(decision)
    for by, made in by_author.items():
        person = json.loads(by)
        groups = [group for group in person["groups"] if group != _EVERYBODY]
        api = Api(cluster, cluster.kubeconfig_for(person["username"], groups))
        for decision in made:
            api.create(f"{ROOT}/onboardingdecisions", decision)


def _holders(role: str) -> Manifest:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{role}s"},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": f"onboarding:{role}"},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": f"{role}s"}],
    }
