"""Fixtures of the end-to-end suite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import ControlPlane
from tests.e2e.argocd_stage import Stage, set_stage
from tests.e2e.journey import Journey, a_journey
from tests.e2e.two_sites import BOTH, PINS, SECRET, TARGET, connect, declare_lost, offer
from tests.support.api import Api
from tests.support.asked import Asked, asked_for
from tests.support.hub import Hub
from tests.support.installing import ROOT as FILES
from tests.support.operator import OperatorProcess
from tests.support.recording import recorded

LAST = "test_used_rights.py"
"""Compares what all other modules of this folder have asked the API servers for, so it runs behind them."""
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the last module of this folder behind all others of it."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    ordered = sorted((items[place] for place in places), key=lambda item: item.path.name == LAST)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


class Planes:
    """The control planes of the suite, and what the operator asked those for that have been stopped."""

    def __init__(self) -> None:
        self.running: list[ControlPlane] = []
        self.asked: set[Asked] = set()

    def heard(self) -> set[Asked]:
        """Return what the operator has asked all of them for."""
        return self.asked.union(*(asked_for(plane.audit_log) for plane in self.running))


@pytest.fixture(scope="session", autouse=True)
def planes(control_plane: ControlPlane) -> Iterator[Planes]:
    """Follow which control planes are started, and read the audit log of each before it goes."""
    planes, stop, enter = Planes(), ControlPlane.stop, ControlPlane.__enter__
    planes.running += [control_plane] if control_plane.is_ours else []

    def entered(plane: ControlPlane) -> ControlPlane:
        planes.running.append(plane)
        return enter(plane)

    def stopped(plane: ControlPlane, *, keep_logs: bool = False) -> None:
        if plane in planes.running:
            planes.asked |= asked_for(plane.audit_log)
            planes.running.remove(plane)
        stop(plane, keep_logs=keep_logs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ControlPlane, "__enter__", entered)
        patched.setattr(ControlPlane, "stop", stopped)
        yield planes


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


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """Another control plane, and the operator there under the Cloud π policy; all who decide."""
    with (
        ControlPlane.start("journey") as cluster,
        a_journey(cluster, tmp_path_factory.mktemp("journey")) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[ControlPlane]:
    """A second cluster with what ``manifests/site`` holds."""
    with ControlPlane.start("site") as cluster:
        cluster.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/site"))
        yield cluster


@pytest.fixture(scope="module")
def far(site: ControlPlane) -> Api:
    """The second cluster, as its administrator."""
    return Api(site)


@pytest.fixture(scope="module")
def both(hub: Hub, site: ControlPlane, operator: OperatorProcess) -> Iterator[None]:
    """A target of two sites, the second by a kubeconfig of the site's own account; one project Ready on both."""
    connect(hub, "far", site)
    offer(hub)
    hub.declare("twofold", **BOTH)
    hub.wait("twofold")
    yield
    # The projects of this module are on a cluster that ends: said once, so that none of them waits for it.
    declare_lost(hub)
    hub.api.delete(TARGET)
    hub.api.delete(SECRET)
    # Another module may have another cluster behind this Secret.
    hub.api.patch(PINS, {"data": {"far_kubeconfig": None}})
