"""Fixtures of the attacks."""

from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from tests.attack.world import World, a_world


@pytest.fixture(scope="module")
def world(installed: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Onboard two projects on the session's control plane, and let everybody log in who attacks."""
    with a_world(installed, tmp_path_factory.mktemp("matrix")) as world:
        yield world
