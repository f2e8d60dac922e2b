"""What deploys: a node for pods, a Git server with the project's repository, and Argo CD's real controllers."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.progress import Progress
from devcluster import ArgoCD, ControlPlane, GitServer, Nodes
from devcluster.git_repository import Repository
from devcluster.programs import Programs

_FILES = Path(__file__).parent / "repository"
_SCALED = "deploy/deployment.yaml"
_BEFORE, AFTER = 2, 3
"""Replicas that the repository asks for at first, and after the demo's commit."""


@dataclass(frozen=True)
class Delivery:
    """What deploys the project."""

    argocd: ArgoCD
    repository: Repository

    def commit(self) -> str:
        """Ask for another replica in Git, and return the commit."""
        text = _files()[_SCALED].replace(f"replicas: {_BEFORE}", f"replicas: {AFTER}")
        return self.repository.commit({_SCALED: text}, message="Another replica")


def start(control_plane: ControlPlane, folder: Path, progress: Progress) -> Delivery:
    """Start what does not run yet; the folder is that of the Git server."""
    with progress.step("Starting Argo CD", "Argo CD: its real controllers and repository server") as tell:
        runs = ArgoCD.runs(control_plane)
        argocd = ArgoCD.load(control_plane) if runs else ArgoCD.start(control_plane, progress=tell)
    with progress.step("Starting a Git server", "A Git server with the project's repository: demo/repository"):
        # Anew each time, under another address: Argo CD remembers for a while what it read from the former one.
        stop(folder)
        repository = GitServer.start(folder, detached=True).create("dossier/infra", _files())
    # Last: a build before it would keep the node's lease waiting, and Kubernetes gives such a node up.
    with progress.step("Starting a node", "A node, played by kwok: its pods are Ready without a container") as tell:
        Nodes.start(control_plane, count=1, progress=tell)
    return Delivery(argocd, repository)


def stop(folder: Path) -> None:
    """End the Git server, if one runs, and delete its repositories."""
    Programs(folder).stop_all()
    shutil.rmtree(folder, ignore_errors=True)


def _files() -> Mapping[str, str]:
    """Return what the repository holds at first, by path."""
    return {str(path.relative_to(_FILES)): path.read_text() for path in sorted(_FILES.glob("**/*.yaml"))}
