"""What the operator has not heard of yet: it deletes what it has looked at, and nothing that changed since."""

import pytest

from onboarding import names
from onboarding.build.kinds import APPLICATION, NAMESPACE
from tests.faults.conftest import Start
from tests.support.faultproxy import FaultProxy
from tests.support.hub import ARGOCD, REPOSITORY, Hub, own_labels
from tests.support.operator import OperatorProcess
from tests.support.people import Decider
from tests.support.waiting import wait_until


@pytest.fixture
def operator(start_behind: Start) -> OperatorProcess:
    """An operator behind the proxy that is ready."""
    operator = start_behind()
    operator.wait_ready()
    return operator


def test_a_cascade_of_which_nothing_was_heard_is_taken_back(
    hub: Hub, proxy: FaultProxy, operator: OperatorProcess
) -> None:
    """Detached with Argo CD's finalizer on it, an Application would take its workload along."""
    hub.declare("unheard", repositories=[REPOSITORY])
    hub.wait("unheard")
    proxy.hush("/applications")
    path = APPLICATION.path(ARGOCD, "unheard-dev-app")
    hub.api.patch(path, {"metadata": {"finalizers": [names.CASCADE_FINALIZER, "example.org/other"]}})
    hub.delete("unheard")
    dying = wait_until(
        lambda: (found := hub.api.get(path)) and "deletionTimestamp" in found["metadata"] and found,
        what="the Application is being deleted",
    )
    assert dying["metadata"]["finalizers"] == ["example.org/other"]
    proxy.cut()
    hub.api.patch(path, {"metadata": {"finalizers": None}})
    hub.wait_gone("unheard")


def test_a_namespace_that_was_taken_from_us_unheard_is_not_deleted(
    hub: Hub, proxy: FaultProxy, operator: OperatorProcess
) -> None:
    """The labels are the proof of ownership, and the proof has to hold when the namespace goes."""
    uid = hub.declare("stripped", deletionPolicy="Delete")["metadata"]["uid"]
    hub.wait("stripped")
    proxy.hush("/namespaces")
    path = NAMESPACE.path(name="stripped-dev")
    labels = own_labels(hub.api.get(path))
    hub.api.patch(path, {"metadata": {"labels": dict.fromkeys(labels)}})
    hub.delete("stripped")
    Decider(hub, "confirming-person").confirm("stripped-all", "stripped", uid)
    hub.wait_gone("stripped")
    assert "deletionTimestamp" not in hub.api.get(path)["metadata"]
