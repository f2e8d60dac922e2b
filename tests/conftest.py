"""Fixtures that every suite may use: one real control plane, and everything installed on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from devcluster import ControlPlane
from devcluster.pytest_plugin import build_programs, control_plane  # noqa: F401 - a fixture
from tests.support.installing import install
from tests.support.operator import OperatorProcess

# Every run tries the same examples; --hypothesis-profile=explore tries others, and many more.
settings.register_profile("explore", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("explore"), max_examples=50, derandomize=True, database=None)
settings.load_profile("quick")
_QUICK = tuple(Path(__file__).parent / folder for folder in ("unit", "golden"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the tests run before the time limit of the first of them begins."""
    slow = [item for item in session.items if not any(item.path.is_relative_to(folder) for folder in _QUICK)]
    if any(item.path.parent != Path(__file__).parent for item in slow) and not session.config.getoption("collectonly"):
        build_programs(session.config)


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
