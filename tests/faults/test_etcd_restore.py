"""Case 21, etcd-restore: where the API server goes back to an earlier state the operator ends, and its restart sees it.

A server that is only restarted ends nobody.
"""

from pathlib import Path

import pytest

from devcluster import ControlPlane
from onboarding.build.kinds import NAMESPACE, RESOURCE_QUOTA
from tests.faults.conftest import Start
from tests.support.etcd import Etcd
from tests.support.hub import PROJECTS, Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

LARGE = [{"name": "dev", "stage": "dev", "size": "large"}]


def cores(hub: Hub, name: str) -> str:
    """Return how much CPU the quota of a project's environment gives."""
    found = hub.one(RESOURCE_QUOTA, "onboarding", f"{name}-dev")
    assert found is not None
    return found["spec"]["hard"]["requests.cpu"]


def ended(operator: OperatorProcess) -> str:
    """Wait until the operator has ended by itself, and return its last words."""
    wait_until(lambda: operator.process.poll() is not None, what="the operator has ended", within=60)
    assert operator.process.returncode == 1
    return operator.log.read_text().splitlines()[-1]


def served(hub: Hub) -> None:
    wait_until(lambda: hub.api.text("GET", PROJECTS)[0] == 200, what="custom resources are served again")


def live_on(hub: Hub, words: str, small: str) -> None:
    """Declare again what the restore has undone."""
    assert hub.project(f"{words}a") is None
    assert cores(hub, words) == small
    hub.declare(f"{words}a")
    hub.wait(f"{words}a", within=60)
    assert hub.faults(f"{words}a") == []
    hub.declare(words, environments=LARGE)
    wait_until(lambda: cores(hub, words) != small, what="the change is seen")


@pytest.mark.parametrize("bumped", [False, True], ids=["plain", "bumped revisions"])
def test_case_21_etcd_restore(hub: Hub, installed: ControlPlane, start: Start, tmp_path: Path, bumped: bool) -> None:
    """A project that came after the snapshot, a change, and many other writes are undone; the operator says so."""
    name = "f21b" if bumped else "f21"
    operator, etcd = start(), Etcd(installed)
    hub.declare(name)
    hub.wait(name)
    small = cores(hub, name)
    etcd.save(tmp_path / "snapshot")
    served(hub)
    operator.wait_ready()
    hub.declare(f"{name}a")
    hub.wait(f"{name}a")
    hub.declare(name, environments=LARGE)
    wait_until(lambda: cores(hub, name) != small, what="the change is seen")
    for number in range(200):
        body = {"metadata": {"name": f"{name}-{number}"}, "apiVersion": "v1", "kind": "ConfigMap"}
        last = hub.api.create("/api/v1/namespaces/default/configmaps", body)
    hub.fence(f"{name}-last")
    beyond = int(last["metadata"]["resourceVersion"]) + 1000 if bumped else 0

    etcd.restore(tmp_path / "snapshot", beyond=beyond)
    words = ended(operator)
    assert words.startswith("operator stopped: ")
    assert "the API server went back to an earlier state, as after a restore of etcd (" in words
    assert "was seen before): everything has to be read anew" in words

    served(hub)
    start()
    assert hub.one(NAMESPACE, f"{name}a-dev") is None
    live_on(hub, name, small)


def test_a_server_that_only_restarts_ends_nobody(hub: Hub, installed: ControlPlane, start: Start) -> None:
    """Neither etcd nor the API server has to be there all the time."""
    operator = start()
    hub.declare("f21c")
    hub.wait("f21c")
    for number in range(2):
        Etcd(installed).restart()
        served(hub)
        operator.wait_ready()
        hub.fence(f"f21c-fence-{number}")
    small = cores(hub, "f21c")
    hub.declare("f21c", environments=LARGE)
    wait_until(lambda: cores(hub, "f21c") != small, what="the change is seen")
    assert operator.process.poll() is None
