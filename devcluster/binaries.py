"""Finding the programs of a control plane: on this machine, in the cache, or by building them."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devcluster.build import cached_kubectl
from devcluster.builds import KUBE
from devcluster.errors import DevclusterError

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class Binaries:
    """Where each part of a control plane, and kubectl, lies."""

    parts: dict[str, Path]
    kubectl: Path

    @property
    def folder(self) -> Path:
        """Return the folder to set as KUBEBUILDER_ASSETS."""
        return self.parts["kube-apiserver"].parent


def find(progress: Callable[[str], None]) -> Binaries:
    """Take the programs from KUBEBUILDER_ASSETS or the PATH if all parts are there, else from the cached build."""
    found = {part: path for part in PARTS if (path := _on_this_machine(part))}
    if len(found) < len(PARTS):
        folder = KUBE.folder(progress)
        return Binaries({part: folder / part for part in PARTS}, folder / "kubectl")
    for path in found.values():
        _check(path, "--version")
    return Binaries(found, find_kubectl())


def find_kubectl() -> Path:
    """Take kubectl from KUBEBUILDER_ASSETS, the PATH or a build that happens to be there."""
    kubectl = _on_this_machine("kubectl") or cached_kubectl()
    if kubectl is None:
        raise DevclusterError("kubectl is missing: put it into the folder KUBEBUILDER_ASSETS names, or on the PATH")
    return kubectl


def _on_this_machine(name: str) -> Path | None:
    folders = [os.environ.get("KUBEBUILDER_ASSETS", ""), os.environ.get("PATH", os.defpath)]
    found = shutil.which(name, path=os.pathsep.join(filter(None, folders)))
    return Path(found).absolute() if found else None


def _check(path: Path, *arguments: str) -> None:
    """Prove that a program runs here before several of them are started in the background."""
    try:
        subprocess.run([path, *arguments], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise DevclusterError(
            f"{path} does not run here ({error}): replace it, or take it from KUBEBUILDER_ASSETS and the PATH"
        ) from error
