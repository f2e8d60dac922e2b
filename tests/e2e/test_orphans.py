"""What is left of a project whose finalizers somebody took off is counted and told, until it is governed or gone."""

from onboarding import names
from tests.e2e.test_metrics import wait_for, warnings
from tests.support.hub import PROJECTS, Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

SAMPLE = 'onboarding_orphaned_objects{cluster="hub"}'
SELECTOR = f"{names.LABEL_PROJECT}=ghost"
SYNC = f"/api/v1/namespaces/{names.SYNC_NAMESPACE}/serviceaccounts"


def test_objects_of_a_project_that_is_gone_are_counted_and_told(hub: Hub, operator: OperatorProcess) -> None:
    wait_for(operator, SAMPLE, 0)
    hub.declare("ghost", deletionPolicy="Delete")
    hub.wait("ghost")
    hub.delete("ghost")
    hub.wait("ghost", "False", "AwaitingConfirmation")
    # The administrator of the cluster holds bypass.
    hub.api.patch(f"{PROJECTS}/ghost", {"metadata": {"finalizers": None}})
    hub.wait_gone("ghost")
    left = len(hub.live("ghost"))
    assert left > 5
    wait_for(operator, SAMPLE, left)
    told = wait_until(lambda: warnings(hub, "default").get("Orphaned"), what="the policy has an Event", within=60)
    assert len(told) == 1
    assert told[0].startswith(f"objects are left of project ghost, which does not exist: {left} on hub. Nobody governs")
    hub.api.delete("/api/v1/namespaces/ghost-dev")
    for account in hub.api.items(SYNC, SELECTOR):
        hub.api.delete(f"{SYNC}/{account['metadata']['name']}")
    wait_for(operator, SAMPLE, 0, within=60)
