"""What happens while the operator is down is made good at its start, and nothing else is written."""

import pytest

from onboarding.build.kinds import APPLICATION, NAMESPACE, NETWORK_POLICY, RESOURCE_QUOTA
from tests.faults.conftest import Start
from tests.support.audit import Audit
from tests.support.hub import ARGOCD, REPOSITORY, Hub, own_labels
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def settled(hub: Hub, start: Start) -> None:
    """Let an operator bring everything that other tests left to rest, and end it."""
    operator = start()
    for name in ("down-a", "down-b"):
        hub.declare(name, repositories=[REPOSITORY])
        hub.wait(name)
    operator.kill()


def test_a_project_deleted_while_the_operator_is_down(hub: Hub, start: Start) -> None:
    """The deletion waits for the operator, whose start tears the project down; its neighbour is not written to."""
    hub.declare("down-c", repositories=[REPOSITORY])
    start_one = start()
    hub.wait("down-c")
    start_one.kill()
    hub.delete("down-c")
    assert "deletionTimestamp" in hub.project("down-c")["metadata"]
    audit = Audit(hub.cluster)
    start()
    hub.wait_gone("down-c")
    assert hub.live("down-c") == {}
    assert own_labels(hub.one(NAMESPACE, "down-c-dev")) == set()
    assert hub.one(APPLICATION, "down-c-dev-app", ARGOCD) is None
    assert audit.writes("down-a") == []


def test_drift_while_the_operator_is_down(hub: Hub, start: Start) -> None:
    """Each object that drifted meanwhile is repaired by one write at the start, and nothing else is written."""
    hub.api.delete(NETWORK_POLICY.path("down-a-dev", "default-deny"))
    hub.api.patch(RESOURCE_QUOTA.path("down-b-dev", "onboarding"), {"spec": {"hard": {"pods": "999"}}})
    audit = Audit(hub.cluster)
    start()
    wait_until(lambda: hub.faults("down-a") + hub.faults("down-b") == [], what="both are repaired")
    hub.fence("down-fence")
    assert sorted(write[:4] for write in audit.writes() if not write.about("down-fence")) == [
        ("create", "networkpolicies", "down-a-dev", "default-deny"),
        ("patch", "resourcequotas", "down-b-dev", "onboarding"),
    ]


def test_a_restart_of_a_quiet_cluster_writes_nothing(hub: Hub, start: Start) -> None:
    """Where nothing drifted, a start looks at every project and writes nothing at all."""
    audit = Audit(hub.cluster)
    start()
    hub.fence("quiet-fence")
    assert [write for write in audit.writes() if not write.about("quiet-fence")] == []
