"""Fixtures of the probes' tests."""

from collections.abc import AsyncIterator

import pytest

from tests.support.internet import Internet, an_internet
from tests.support.questions import ProbeStage


@pytest.fixture
async def internet() -> AsyncIterator[Internet]:
    """An internet of names, servers and certificates on the loopback address."""
    async with an_internet() as running:
        yield running


@pytest.fixture
async def stage() -> AsyncIterator[ProbeStage]:
    """A probe runner in the test's own time."""
    made = ProbeStage()
    made.configure()
    yield made
    await made.runner.close()
