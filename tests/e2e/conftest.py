"""Fixtures of the end-to-end suite."""

from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from tests.e2e.argocd_stage import Stage, set_stage
from tests.support.hub import Hub
from tests.support.recording import recorded


@pytest.fixture(scope="session")
def hub(installed: ControlPlane) -> Iterator[Hub]:
    """The installed control plane, on which projects are declared; no status of any of them ever breaks a rule."""
    with recorded(installed):
        yield Hub(installed)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two clusters with Argo CD's real controllers, and the operator."""
    with set_stage(tmp_path_factory.mktemp("stage")) as stage, recorded(stage.hub.cluster):
        yield stage
