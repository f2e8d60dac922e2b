"""A commit that drops an environment, and its revert: what was detached is the project's again, and nothing is lost."""

from itertools import product

import orjson
import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import NAMESPACE, RESOURCE_QUOTA, ROLE_BINDING, Manifest
from tests.support.api import Api, RefusedError
from tests.support.audit import Audit
from tests.support.detaching import DEV, TEST, detach
from tests.support.hub import REPOSITORY, Hub, detached_from, own_labels
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
DETACHED_POLICY = names.GUARD_POLICIES[-1]
TEAM = {"groups": {"admin": ["team-admins"], "viewer": ["support"]}}


@pytest.fixture
def squatter(hub: Hub, installed: ControlPlane) -> Api:
    """Somebody who may make and change every namespace, as the users of a self-service for namespaces may."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "squatters"}
    rules = [{"apiGroups": [""], "resources": ["namespaces", "namespaces/status"], "verbs": ["*"]}]
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "squatter"}
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "squatters"}}
    roles = "/apis/rbac.authorization.k8s.io/v1"
    hub.api.apply(f"{roles}/clusterroles/squatters", {**head, "kind": "ClusterRole", "rules": rules})
    binding = {**head, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]}
    hub.api.apply(f"{roles}/clusterrolebindings/squatters", binding)
    return Api(installed, installed.kubeconfig_for("squatter"))


def test_case_15_environment_removed_and_reverted(hub: Hub) -> None:
    """Case 15: the environment is managed again at once, the same namespace with all it holds; nothing is deleted."""
    spec = {"repositories": [REPOSITORY], "team": TEAM}
    before = detach(hub, "f15", **spec)
    settings = hub.api.get("/api/v1/namespaces/f15-test/configmaps/settings")
    quota = hub.one(RESOURCE_QUOTA, "onboarding", "f15-test")
    audit = Audit(hub.cluster)
    hub.declare("f15", **spec, environments=[DEV, TEST])
    hub.wait("f15")
    assert hub.faults("f15") == []
    after = hub.one(NAMESPACE, "f15-test")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert names.ANNOTATION_DETACHED not in after["metadata"]["annotations"]
    assert hub.api.get("/api/v1/namespaces/f15-test/configmaps/settings") == settings
    assert hub.one(RESOURCE_QUOTA, "onboarding", "f15-test")["metadata"]["uid"] == quota["metadata"]["uid"]
    assert [write for write in audit.of_objects("f15") if write.verb == "delete"] == []
    created = {write.resource for write in audit.of_objects("f15") if write.verb == "create"}
    assert created == {"applications", "rolebindings", "serviceaccounts"}, "what the detachment had deleted"
    hub.fence("after-the-revert")
    assert hub.faults("f15") == []


def test_what_was_changed_in_the_meantime_is_put_right(hub: Hub) -> None:
    """A quota that somebody enlarged, a policy that somebody deleted, a group that has left: all of it as declared."""
    detach(hub, "mended", team=TEAM)
    hub.api.patch(RESOURCE_QUOTA.path("mended-test", "onboarding"), {"spec": {"hard": {"pods": "999"}}})
    hub.api.delete("/apis/networking.k8s.io/v1/namespaces/mended-test/networkpolicies/default-deny")
    hub.declare("mended", team={"groups": {"admin": ["team-admins"]}}, environments=[DEV, TEST])
    hub.wait("mended")
    wait_until(lambda: hub.faults("mended") == [], what="all is as declared")
    bindings = {item["metadata"]["name"] for item in hub.api.items(ROLE_BINDING.path("mended-test"))}
    assert bindings == {"admin:onboarding:admin", "sync:onboarding:sync"}


def test_a_project_made_again_is_told_that_nothing_is_lost(hub: Hub) -> None:
    """Only the very project that it came from takes it back, and not one that has its name by now."""
    detached = detach(hub, "origin", team=TEAM)
    hub.delete("origin")
    hub.wait_gone("origin")
    hub.declare("origin", team=TEAM, environments=[TEST])
    condition = hub.wait("origin", "False", "FormerIncarnation")
    assert "nothing is lost" in condition["message"]
    assert detached_from(detached)["uid"] in condition["message"]
    assert hub.one(NAMESPACE, "origin-test") == detached


def test_a_forged_origin_is_refused_by_the_server(hub: Hub, squatter: Api) -> None:
    """Who may write namespaces may not write where they were detached from: it would bring workloads into his own."""
    uid = hub.declare("forged", team=TEAM)["metadata"]["uid"]
    hub.wait("forged")
    installation = hub.one(NAMESPACE, "forged-dev")["metadata"]["labels"][names.LABEL_INSTALLATION]
    origin = {"installation": installation, "project": "forged", "uid": uid, "environment": "test"}
    claims = [says(origin, annotation) for annotation in (names.ANNOTATION_DETACHED, names.ANNOTATION_RELEASED)]
    rule = f"rule {DETACHED_POLICY}"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "forged-test"}}
    for claim in claims:
        with pytest.raises(RefusedError, match=rule):
            squatter.create(NAMESPACE.path(), {**manifest, "metadata": {**manifest["metadata"], **claim["metadata"]}})
    squatter.create(NAMESPACE.path(), manifest)
    for claim, path in product(claims, ("", "/status")):
        with pytest.raises(RefusedError, match=rule):
            squatter.patch(f"{NAMESPACE.path(name='forged-test')}{path}", claim)
    hub.declare("forged", team=TEAM, environments=[DEV, TEST])
    condition = hub.wait("forged", "False", "Conflict")
    assert "carries no label of ours" in condition["message"]
    assert own_labels(hub.one(NAMESPACE, "forged-test")) == set()


def test_what_was_written_before_the_policy_came_is_confirmed_by_an_administrator(hub: Hub) -> None:
    """Without the mark of the policy's binding it is anybody's word; with it the namespace comes back as it is."""
    bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    detached = detach(hub, "planted", team=TEAM)
    origin = detached_from(detached)
    assert origin["guard"] == hub.api.get(f"{bindings}/{DETACHED_POLICY}")["metadata"]["uid"]
    path = NAMESPACE.path(name="planted-test")
    before = hub.api.patch(path, says({key: value for key, value in origin.items() if key != "guard"}))
    hub.declare("planted", team=TEAM, environments=[DEV, TEST])
    assert "nothing is lost" in hub.wait("planted", "False", "Conflict")["message"]
    assert hub.one(NAMESPACE, "planted-test") == before
    hub.api.patch(path, says(origin))
    hub.wait("planted")
    assert hub.faults("planted") == []
    assert hub.one(NAMESPACE, "planted-test")["metadata"]["uid"] == detached["metadata"]["uid"]


def says(origin: Manifest, annotation: str = names.ANNOTATION_DETACHED) -> Manifest:
    """Return the patch that lets a namespace say where it was detached from, as a detachment writes it."""
    return {"metadata": {"annotations": {annotation: orjson.dumps(origin).decode()}}}


def test_a_detached_namespace_is_free_for_its_people(hub: Hub, squatter: Api) -> None:
    """Labels and annotations of their own, and the annotation taken off for good: then it is a stranger's."""
    detach(hub, "freed", team=TEAM)
    path = NAMESPACE.path(name="freed-test")
    squatter.patch(path, {"metadata": {"labels": {"team": "blue"}, "annotations": {"note": "x"}}})
    squatter.patch(path, {"metadata": {"annotations": {names.ANNOTATION_DETACHED: None}}})
    hub.declare("freed", team=TEAM, environments=[DEV, TEST])
    assert "carries no label of ours" in hub.wait("freed", "False", "Conflict")["message"]
