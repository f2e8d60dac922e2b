"""A Kubernetes control plane for development, tests and measurements, without containers."""

from devcluster.argocd import ArgoCD
from devcluster.controlplane import ControlPlane
from devcluster.crds import argocd_crds
from devcluster.errors import (
    AlreadyRunningError,
    DevclusterError,
    KubectlError,
    NotRunningError,
)
from devcluster.git_server import GitServer
from devcluster.nodes import Nodes

__all__ = [
    "AlreadyRunningError",
    "ArgoCD",
    "ControlPlane",
    "DevclusterError",
    "GitServer",
    "KubectlError",
    "Nodes",
    "NotRunningError",
    "argocd_crds",
]
