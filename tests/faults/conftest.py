"""Fixtures of the fault suite: operators that may die, and a proxy between them and the API server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devcluster import ControlPlane
from tests.support.faultproxy import FaultProxy
from tests.support.hub import Hub
from tests.support.operator import OperatorProcess

Start = Callable[..., OperatorProcess]


@pytest.fixture(scope="session")
def hub(installed: ControlPlane) -> Hub:
    """The installed control plane, on which projects are declared."""
    return Hub(installed)


@pytest.fixture
def start(installed: ControlPlane, tmp_path: Path) -> Iterator[Start]:
    """Start operators with settings; all of them are killed in the end."""
    started: list[OperatorProcess] = []

    def start_one(cluster: ControlPlane = installed, **settings: str) -> OperatorProcess:
        started.append(OperatorProcess(cluster, tmp_path / f"operator-{len(started)}.log", **settings))
        started[-1].wait_ready()
        return started[-1]

    yield start_one
    for operator in started:
        operator.kill()


@pytest.fixture
def proxy(installed: ControlPlane, tmp_path: Path) -> Iterator[FaultProxy]:
    """A proxy before the hub's API server."""
    with FaultProxy(installed, tmp_path) as proxy:
        yield proxy


@pytest.fixture
def start_behind(installed: ControlPlane, proxy: FaultProxy, tmp_path: Path) -> Iterator[Start]:
    """Start operators behind the proxy; all of them are killed in the end."""
    started: list[OperatorProcess] = []

    def start_one(**settings: str) -> OperatorProcess:
        started.append(OperatorProcess(installed, tmp_path / f"behind-{len(started)}.log", proxy=proxy, **settings))
        return started[-1]

    yield start_one
    for operator in started:
        operator.kill()
