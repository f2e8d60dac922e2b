"""Making clusters and repositories known to an Argo CD, as its command line does: by Secrets with a label."""

import json
from collections.abc import Mapping

from devcluster.argocd_install import Manifest
from devcluster.cluster import Cluster
from devcluster.kubeconfig import encoded

_ACCOUNT = "argocd-manager"
_NAMESPACE = "kube-system"


def register_cluster(
    hub: Cluster, remote: Cluster, *, name: str, namespace: str = "argocd", labels: Mapping[str, str] | None = None
) -> None:
    """Let the Argo CD of the hub deploy to a remote cluster, with the rights its command line would ask for."""
    remote.apply(*_manager())
    config = {
        "bearerToken": remote.service_account_token(_NAMESPACE, _ACCOUNT),
        "tlsClientConfig": {"caData": encoded(remote.ca_file)},
    }
    content = {"name": name, "server": remote.server, "config": json.dumps(config)}
    hub.apply(_secret("cluster", f"cluster-{name}", namespace, content, labels or {}))


def register_repository(
    hub: Cluster, url: str, *, name: str, namespace: str = "argocd", username: str = "git", password: str | None = None
) -> None:
    """Tell the Argo CD of the hub how to read a Git repository."""
    login = {} if password is None else {"username": username, "password": password}
    hub.apply(_secret("repository", f"repository-{name}", namespace, {"type": "git", "url": url, **login}, {}))


def _secret(kind: str, name: str, namespace: str, content: dict[str, str], labels: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"argocd.argoproj.io/secret-type": kind, **labels},
        },
        "stringData": content,
    }


def _manager() -> list[Manifest]:
    subject = {"kind": "ServiceAccount", "name": _ACCOUNT, "namespace": _NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{_ACCOUNT}-role"}
    everything = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": _ACCOUNT, "namespace": _NAMESPACE}},
        {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": role["name"]}, "rules": everything},
        {
            "apiVersion": rbac,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{_ACCOUNT}-role-binding"},
            "roleRef": role,
            "subjects": [subject],
        },
    ]
