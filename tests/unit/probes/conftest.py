"""Fixtures of the probes' tests."""

from collections.abc import AsyncIterator

import pytest

from tests.support.internet import Internet, an_internet


@pytest.fixture
async def internet() -> AsyncIterator[Internet]:
    """An internet of names, servers and certificates on the loopback address."""
    async with an_internet() as running:
        yield running
