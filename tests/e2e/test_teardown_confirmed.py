"""Off-boarding under Delete: nothing goes before a person who may has confirmed it, for this very project."""

import re
from typing import Any

import pytest

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE
from tests.support.api import RefusedError
from tests.support.audit import Audit
from tests.support.hub import ARGOCD, PROJECTS, REPOSITORY, Hub, detached_from, own_labels
from tests.support.operator import OperatorProcess
from tests.support.people import Decider
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
DEV = {"name": "dev", "stage": "dev"}
TEST = {"name": "test", "stage": "dev"}
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def platform(hub: Hub) -> Decider:
    """A person of the platform team, who may confirm deletions."""
    return Decider(hub, "confirming-person")


def passes(operator: OperatorProcess, outcome: str) -> float:
    """Return how many passes ended with an outcome."""
    found = re.search(
        rf'^onboarding_reconcile_total{{result="{outcome}"}} (\S+)$', operator.get("/metrics"), re.MULTILINE
    )
    return float(found.group(1)) if found else 0


def waiting(hub: Hub, name: str, **spec: object) -> str:
    """Bring a project under Delete to the point where its deletion waits; return its UID."""
    uid = hub.declare(name, deletionPolicy="Delete", **spec)["metadata"]["uid"]
    hub.wait(name)
    hub.delete(name)
    hub.wait(name, "False", "AwaitingConfirmation")
    return uid


def test_delete_waits_for_a_confirmation_and_says_so(hub: Hub, platform: Decider) -> None:
    """Before the decision nothing is written to and the status tells what is missing; after it everything goes."""
    name, application = "confirmed", APPLICATION.path(ARGOCD, "confirmed-dev-app")
    audit = Audit(hub.cluster)
    uid = waiting(hub, name, repositories=[REPOSITORY])
    found = hub.project(name)
    ready = hub.condition(name)
    assert uid in ready["message"]
    assert "ConfirmDelete" in ready["message"]
    assert found["status"]["summary"]["next"].startswith("platform: ")
    assert {write.verb for write in audit.of_objects(name)} == {"create"}
    assert "finalizers" not in hub.api.get(application)["metadata"], "no cascade before it is decided"
    platform.confirm("confirmed-1", name, uid)
    dying = wait_until(
        lambda: (item := hub.api.get(application)) and "deletionTimestamp" in item["metadata"] and item,
        what="the Application is being deleted",
    )
    assert dying["metadata"]["finalizers"] == [names.CASCADE_FINALIZER]
    assert hub.one(APP_PROJECT, name, ARGOCD)["spec"]["sourceRepos"] == [REPOSITORY["url"]]
    assert "deletionTimestamp" not in hub.one(NAMESPACE, f"{name}-dev")["metadata"]
    hub.wait_gone(name, within=60, meanwhile=lambda: hub.finish_applications(name))
    assert hub.one(NAMESPACE, f"{name}-dev") is None
    assert hub.one(APP_PROJECT, name, ARGOCD) is None
    gone = [write.resource for write in audit.of_objects(name) if write.verb == "delete"]
    assert gone.index("applications") < gone.index("namespaces")
    assert gone.index("applications") < gone.index("appprojects")


def test_a_decision_about_another_incarnation_does_not_count(
    hub: Hub, platform: Decider, operator: OperatorProcess
) -> None:
    """A confirmation that names another UID leaves the deletion waiting."""
    name = "mismatched"
    uid = waiting(hub, name)
    before = passes(operator, "AwaitingConfirmation")
    platform.confirm("mismatched-1", name, NOBODY)
    wait_until(lambda: passes(operator, "AwaitingConfirmation") > before, what="the decision was looked at")
    assert hub.condition(name)["reason"] == "AwaitingConfirmation"
    assert "deletionTimestamp" not in hub.one(NAMESPACE, f"{name}-dev")["metadata"]
    platform.confirm("mismatched-2", name, uid)
    hub.wait_gone(name, within=60)


def test_a_decision_by_somebody_without_the_right_is_refused(hub: Hub) -> None:
    """Who may create decisions but does not hold confirm-delete confirms nothing."""
    with pytest.raises(RefusedError, match="confirm-delete"):
        Decider(hub, "curious-person", may_confirm=False).confirm("curious-1", "anything", NOBODY)


def test_a_decision_for_one_environment_confirms_that_one_alone(hub: Hub, platform: Decider) -> None:
    """Of two environments that leave the spec under Delete, only the confirmed one is deleted."""
    name = "halved"
    uid = hub.declare(name, deletionPolicy="Delete", environments=[DEV, TEST])["metadata"]["uid"]
    hub.wait(name)
    hub.declare(name, deletionPolicy="Delete", environments=[])
    hub.wait(name, "True", "AwaitingConfirmation")
    platform.confirm("halved-1", name, uid, "dev")
    wait_until(lambda: hub.one(NAMESPACE, "halved-dev") is None, what="the confirmed one is gone", within=60)
    hub.wait(name, "True", "AwaitingConfirmation")
    kept = hub.one(NAMESPACE, "halved-test")["metadata"]
    assert "deletionTimestamp" not in kept
    assert kept["labels"][names.LABEL_PROJECT] == name
    assert [item["name"] for item in hub.project(name)["status"]["environments"]] == ["test"]


def test_a_decision_for_an_environment_does_not_confirm_the_project(
    hub: Hub, platform: Decider, operator: OperatorProcess
) -> None:
    """The deletion of a whole project needs a confirmation of the whole project."""
    name = "partly"
    uid = waiting(hub, name)
    before = passes(operator, "AwaitingConfirmation")
    platform.confirm("partly-1", name, uid, "dev")
    wait_until(lambda: passes(operator, "AwaitingConfirmation") > before, what="the decision was looked at")
    assert hub.condition(name)["reason"] == "AwaitingConfirmation"
    platform.confirm("partly-2", name, uid)
    hub.wait_gone(name, within=60)


def removals(hub: Hub, name: str) -> list[dict[str, Any]]:
    """Return the removals of a project that wait for a decision."""
    found: list[dict[str, Any]] = (hub.project(name) or {}).get("status", {}).get("removals", [])
    return found


def test_a_digest_of_the_namespaces_confirms_their_deletion_to_the_end(hub: Hub, platform: Decider) -> None:
    """The status shows count, names and one digest; another digest is told of and deletes nothing."""
    name = "counted"
    uid = waiting(hub, name, environments=[DEV, TEST])
    (removal,) = removals(hub, name)
    assert (removal["namespaces"], removal["first"]) == (2, ["counted-dev", "counted-test"])
    platform.confirm("counted-1", name, uid, digest=f"v2:{'0' * 64}")
    hub.wait(name, "False", "AwaitingConfirmation", words="its digest is that of other namespaces")
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.org/keep"]}}
    hub.api.create(f"/api/v1/namespaces/{name}-test/configmaps", held)
    platform.confirm("counted-2", name, uid, digest=removal["digest"])
    wait_until(lambda: hub.one(NAMESPACE, f"{name}-dev") is None, what="the first namespace is gone", within=60)
    left = hub.one(NAMESPACE, f"{name}-test")["metadata"]
    assert left["annotations"][names.ANNOTATION_CONFIRMED] == f"{removal['digest']}/{left['uid']}"
    assert (hub.condition(name) or {})["reason"] == "TearingDown", "the set is smaller, and the decision counts"
    hub.api.patch(f"/api/v1/namespaces/{name}-test/configmaps/held", {"metadata": {"finalizers": None}})
    hub.wait_gone(name, within=60)


def test_a_confirmation_is_spent_by_what_it_deleted(hub: Hub, platform: Decider) -> None:
    """The same environment, declared and removed again, has another namespace, which waits for another decision."""
    name = "spent"
    uid = hub.declare(name, deletionPolicy="Delete", environments=[DEV, TEST])["metadata"]["uid"]
    hub.wait(name)

    def remove() -> dict[str, Any]:
        hub.declare(name, deletionPolicy="Delete", environments=[TEST])
        hub.wait(name, "True", "AwaitingConfirmation")
        return removals(hub, name)[0]

    first = remove()
    platform.confirm("spent-1", name, uid, "dev", digest=first["digest"])
    wait_until(lambda: hub.one(NAMESPACE, f"{name}-dev") is None, what="the confirmed one is gone", within=60)
    hub.declare(name, deletionPolicy="Delete", environments=[DEV, TEST])
    hub.wait(name, "True", "Ready")
    again = remove()
    assert (again["environment"], again["first"]) == ("dev", ["spent-dev"])
    assert again["digest"] != first["digest"]
    assert "deletionTimestamp" not in hub.one(NAMESPACE, f"{name}-dev")["metadata"]


def test_a_waiting_deletion_is_detached_by_retain(hub: Hub) -> None:
    """Changing a project that waits for its deletion to Retain detaches its environments: the namespace stays."""
    name = "spared"
    uid = waiting(hub, name)
    hub.api.patch(f"{PROJECTS}/{name}", {"spec": {"deletionPolicy": "Retain"}})
    hub.wait_gone(name)
    namespace = hub.one(NAMESPACE, f"{name}-dev")
    assert own_labels(namespace) == set()
    assert detached_from(namespace)["uid"] == uid


def test_what_blocks_a_deletion_is_named(hub: Hub, platform: Decider) -> None:
    """A namespace that does not go is named with what holds it, so that somebody can let go of it."""
    name, finalizer = "blocked", "example.org/keep"
    uid = hub.declare(name, deletionPolicy="Delete")["metadata"]["uid"]
    hub.wait(name)
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": [finalizer]}}
    hub.api.create(f"/api/v1/namespaces/{name}-dev/configmaps", held)
    hub.delete(name)
    platform.confirm("blocked-1", name, uid)
    try:
        wait_until(
            lambda: finalizer in ((hub.condition(name) or {}).get("message") or ""),
            what=f"the status names {finalizer}",
            within=90,
        )
    finally:
        hub.api.patch(f"/api/v1/namespaces/{name}-dev/configmaps/held", {"metadata": {"finalizers": None}})
    hub.wait_gone(name, within=60)


def test_an_api_service_without_a_server_is_named_and_asks_the_platform(hub: Hub, platform: Decider) -> None:
    """Case 18: it keeps every namespace in Terminating, and only the platform can change that."""
    uid = hub.declare("f18", deletionPolicy="Delete")["metadata"]["uid"]
    hub.wait("f18")
    services = "/apis/apiregistration.k8s.io/v1/apiservices"
    spec = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443},
    }
    metadata = {"name": "v1beta1.metrics.k8s.io"}
    hub.api.create(
        services, {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": metadata, "spec": spec}
    )
    try:
        hub.delete("f18")
        platform.confirm("f18-1", "f18", uid)
        hub.wait("f18", "Unknown", words="APIService v1beta1.metrics.k8s.io gives no answer", within=60)
        action = hub.project("f18")["status"]["nextActions"][0]
        assert action["actor"] == "platform"
        assert "delete the APIService if nobody needs it" in action["action"]
    finally:
        hub.api.delete(f"{services}/v1beta1.metrics.k8s.io")
    hub.wait_gone("f18", within=90)
