"""Fixtures of the suite on the API server."""

import subprocess
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from devcluster import ControlPlane
from tests.api.insiders_people import People, a_shop, recorded_people
from tests.support import helm


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that renders the chart, with values as helm's --set-json takes them."""
    return partial(helm.render, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def people(installed: ControlPlane) -> Iterator[People]:
    """The component that records insiders, until the last test of the module, and people who write projects."""
    with recorded_people(installed) as people:
        yield people


@pytest.fixture
def shop(people: People) -> Iterator[str]:
    """A project that ann created."""
    with a_shop(people) as name:
        yield name
