"""Helm, and what it makes of the chart."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from devcluster.builds import HELM

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "project-onboarding-operator"
HELM_ONLY = {
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
    "helm.sh/resource-policy",
}

Objects = dict[tuple[str, str, str], dict[str, Any]]


def helm(home: Path, *arguments: str | Path, values: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run helm, with values as its --set-json takes them; it keeps its files in a folder ``home``."""
    folders = {f"HELM_{name}_HOME": str(home) for name in ("CACHE", "CONFIG", "DATA")}
    settings = [argument for value in values for argument in ("--set-json", value)]
    command = [HELM.folder(lambda _message: None) / "helm", *arguments, *settings]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **folders})


def render(home: Path, *values: str, served: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Render the chart for a cluster that serves these kinds besides those that helm takes for granted."""
    versions = [f"--api-versions={kind}" for kind in served]
    fixed = ("--include-crds", "--kube-version=1.36.3")
    return helm(home, "template", "onboarding", CHART, *fixed, *versions, values=values)


def notes(home: Path, kubeconfig: Path, *values: str) -> str:
    """Return what helm tells whoever installs the chart on a cluster, without installing it."""
    # The cluster may hold the same objects from kustomize, which helm would else refuse to take over.
    dry = ("--dry-run=client", "--take-ownership")
    done = helm(home, "install", "onboarding", CHART, *dry, f"--kubeconfig={kubeconfig}", values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("NOTES:\n")[2]


def objects(text: str) -> Objects:
    """Return the objects of a stream by kind, namespace and name, without what helm alone adds."""
    found = {}
    for item in yaml.safe_load_all(text):
        metadata = item["metadata"]
        for field in ("labels", "annotations"):
            kept = {key: value for key, value in metadata.pop(field, {}).items() if key not in HELM_ONLY}
            metadata |= {field: kept} if kept else {}
        found[item["kind"], metadata.get("namespace", ""), metadata["name"]] = item
    return found


def rendered(done: subprocess.CompletedProcess[str]) -> Objects:
    """Return the objects that helm rendered; AssertionError with its words where it refused."""
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)
