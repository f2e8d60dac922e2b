"""A pytest plugin that offers one control plane, and what may run beside it, to all tests of a session."""

import contextlib
import os
from collections.abc import Iterator

import pytest

from devcluster import ArgoCD, ControlPlane, GitServer, Nodes, binaries
from devcluster.builds import ARGOCD, HELM, KWOK
from devcluster.controlplane import KUBECONFIG_VARIABLE
from devcluster.progress import progress_line


def build_programs(config: pytest.Config) -> None:
    """Build everything that control planes, nodes and Argo CD run, where it is not there; it takes a while, once."""
    with _uncaptured(config), progress_line() as progress:
        if KUBECONFIG_VARIABLE not in os.environ:
            binaries.find(progress)
        for build in (KWOK, ARGOCD, HELM):
            build.folder(progress)


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """Start a control plane without custom resource definitions; its logs are kept if a test fails."""
    with _uncaptured(request.config), progress_line() as progress:
        control_plane = ControlPlane.start("tests", progress=progress)
    failed_before = request.session.testsfailed
    yield control_plane
    failed = control_plane.is_ours and request.session.testsfailed > failed_before
    control_plane.stop(keep_logs=failed)
    if failed:
        with _uncaptured(request.config):
            print(f"\nthe control plane's logs are kept in {control_plane.directory}")


@pytest.fixture(scope="session")
def nodes(request: pytest.FixtureRequest, control_plane: ControlPlane) -> Iterator[Nodes]:
    """Let pods on the session's control plane become ready."""
    with _uncaptured(request.config), progress_line() as progress:
        nodes = Nodes.start(control_plane, count=2, progress=progress)
    with nodes:
        yield nodes


@pytest.fixture(scope="session")
def git_server() -> Iterator[GitServer]:
    """Serve Git repositories."""
    with GitServer.start() as server:
        yield server


@pytest.fixture(scope="session")
def argocd(request: pytest.FixtureRequest, control_plane: ControlPlane) -> Iterator[ArgoCD]:
    """Run Argo CD, with impersonation, beside the session's control plane."""
    with _uncaptured(request.config), progress_line() as progress:
        argocd = ArgoCD.start(control_plane, application_sets=True, progress=progress)
    with argocd:
        yield argocd


def _uncaptured(config: pytest.Config) -> contextlib.AbstractContextManager[None]:
    """Let what is printed be seen at once."""
    capture = config.pluginmanager.getplugin("capturemanager")
    return capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()
