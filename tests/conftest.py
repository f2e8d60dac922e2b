"""Fixtures that every suite may use: one real control plane, and everything installed on it."""

from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from devcluster.pytest_plugin import control_plane  # noqa: F401 - a fixture
from tests.support.installing import install
from tests.support.operator import OperatorProcess


@pytest.fixture(scope="session")
def installed(control_plane: ControlPlane) -> ControlPlane:  # noqa: F811
    """A control plane with Argo CD's CRDs, our manifests and the default profile."""
    install(control_plane)
    return control_plane


@pytest.fixture(scope="module")
def operator(installed: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, running on the installed control plane."""
    process = OperatorProcess.on(installed, tmp_path_factory.mktemp("operator"))
    yield process
    process.stop()
