"""Argo CD's custom resource definitions, from its own Go module."""

import json
from pathlib import Path

from devcluster import golang

_MODULE = Path(__file__).parent / "argocd"
_PATH = "github.com/argoproj/argo-cd/v3"
_FILES = ("application-crd.yaml", "appproject-crd.yaml", "applicationset-crd.yaml")


def argocd_crds() -> list[Path]:
    """Return the files to apply with kubectl apply --server-side; go proves them against the recorded checksum."""
    version = golang.run(["list", "-m", "-f", "{{.Version}}", _PATH], _MODULE).strip()
    module = json.loads(golang.run(["mod", "download", "-json", f"{_PATH}@{version}"], _MODULE))
    return [Path(module["Dir"]) / "manifests" / "crds" / name for name in _FILES]
