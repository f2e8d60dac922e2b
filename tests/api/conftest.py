"""Fixtures of the suite on the API server."""

import subprocess
from collections.abc import Callable
from functools import partial

import pytest

from tests.api.insiders import people, shop  # noqa: F401 - fixtures; other modules have people of their own
from tests.support import helm


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that renders the chart, with values as helm's --set-json takes them."""
    return partial(helm.render, tmp_path_factory.mktemp("helm"))
