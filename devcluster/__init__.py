"""A Kubernetes control plane for development, tests and measurements, without containers."""

from devcluster.controlplane import ControlPlane
from devcluster.crds import argocd_crds
from devcluster.errors import (
    AlreadyRunningError,
    DevclusterError,
    KubectlError,
    NotRunningError,
)

__all__ = ["AlreadyRunningError", "ControlPlane", "DevclusterError", "KubectlError", "NotRunningError", "argocd_crds"]
