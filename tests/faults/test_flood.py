"""Too many deletions at once, or the kind itself going, look like an accident: nothing is torn down."""

from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import NAMESPACE
from tests.faults.conftest import Start
from tests.support.audit import Audit
from tests.support.hub import Hub, own_labels
from tests.support.installing import install
from tests.support.waiting import wait_until

FLOOD = ("flood-a", "flood-b", "flood-c")
CRD = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/projectonboardings.{names.GROUP}"


@pytest.fixture(scope="module")
def doomed() -> Iterator[Hub]:
    """A control plane whose kinds will be deleted."""
    with ControlPlane.start("doomed") as cluster:
        install(cluster, argocd=False)
        yield Hub(cluster)


def test_more_deletions_than_the_limit_stop_all(hub: Hub, start: Start) -> None:
    """Above the limit no project is torn down and each says why; with a higher limit all of them go."""
    operator = start()
    for name in FLOOD:
        hub.declare(name)
    for name in FLOOD:
        hub.wait(name)
    operator.kill()
    for name in FLOOD:
        hub.delete(name)
    audit = Audit(hub.cluster)
    operator = start(teardown_limit="2")
    for name in FLOOD:
        condition = hub.wait(name, "False", "TeardownHeld")
        assert "ONBOARDING_TEARDOWN_LIMIT" in condition["message"]
        assert "3 projects" in condition["message"]
        assert own_labels(hub.one(NAMESPACE, f"{name}-dev"))
    assert audit.of_objects() == []
    hub.fence("beside-the-flood")
    operator.kill()
    start(teardown_limit="3")
    for name in FLOOD:
        hub.wait_gone(name)


def test_the_kind_being_deleted_stops_teardown(doomed: Hub, start: Start) -> None:
    """Deleting our CRD deletes every project with it: none is torn down, and each says why."""
    start(doomed.cluster)
    for name in FLOOD:
        doomed.declare(name)
    for name in FLOOD:
        doomed.wait(name)
    audit = Audit(doomed.cluster)
    doomed.api.delete(CRD)
    for name in FLOOD:
        wait_until(
            lambda at=name: "deletionTimestamp" in doomed.project(at)["metadata"], what="the project is being deleted"
        )
        condition = doomed.wait(name, "False", "TeardownHeld")
        assert "CustomResourceDefinition" in condition["message"]
        assert own_labels(doomed.one(NAMESPACE, f"{name}-dev"))
    assert audit.of_objects() == []
