"""Argo CD's manifests and scripts, from its own Go module."""

import json
from pathlib import Path

from devcluster import golang

_MODULE = Path(__file__).parent / "argocd"
_PATH = "github.com/argoproj/argo-cd/v3"
_FILES = ("application-crd.yaml", "appproject-crd.yaml", "applicationset-crd.yaml")


def argocd_crds() -> list[Path]:
    """Return the files to apply with kubectl apply --server-side."""
    folder = argocd_manifests() / "crds"
    return [folder / name for name in _FILES]


def argocd_manifests() -> Path:
    """Return the folder of the release's manifests."""
    return argocd_release() / "manifests"


def argocd_release() -> Path:
    """Return the folder of the release; go proves it against the recorded checksum."""
    version = golang.run(["list", "-m", "-f", "{{.Version}}", _PATH], _MODULE).strip()
    module = json.loads(golang.run(["mod", "download", "-json", f"{_PATH}@{version}"], _MODULE))
    return Path(module["Dir"])
