"""Fixtures of the end-to-end suite."""

import pytest

from devcluster import ControlPlane
from tests.support.hub import Hub


@pytest.fixture(scope="session")
def hub(installed: ControlPlane) -> Hub:
    """The installed control plane, on which projects are declared."""
    return Hub(installed)
