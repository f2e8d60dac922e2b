"""Off-boarding under Retain: the operator lets go, and nothing that runs notices."""

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    CHILD_KINDS,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
)
from tests.support.audit import Audit
from tests.support.hub import ARGOCD, REPOSITORY, Hub, detached_from, own_labels
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
TEAM = {"groups": {"admin": ["team-admins"]}}


def run_a_workload(hub: Hub, namespace: str) -> dict[str, str]:
    """Put a ConfigMap and a Deployment into a namespace and return their UIDs by path."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template},
    }
    made = {}
    for collection, manifest in (
        (f"/api/v1/namespaces/{namespace}/configmaps", config),
        (f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment),
    ):
        made[f"{collection}/{manifest['metadata']['name']}"] = hub.api.create(collection, manifest)["metadata"]["uid"]
    return made


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_retain_lets_go_and_leaves_what_runs(hub: Hub, installed: ControlPlane, cascade: str) -> None:
    """Deleted in whatever way, a project under Retain leaves namespaces and workloads, marked with their origin."""
    name = f"retained-{cascade}"
    declared = hub.declare(name, repositories=[REPOSITORY], team=TEAM)
    hub.wait(name)
    workload = run_a_workload(hub, f"{name}-dev")
    audit = Audit(hub.cluster)
    installed.kubectl("delete", "projectonboarding", name, f"--cascade={cascade}", "--wait=false")
    hub.wait_gone(name)
    for path, uid in workload.items():
        found = hub.api.get(path)["metadata"]
        assert (found["uid"], "deletionTimestamp" in found) == (uid, False)
    namespace = hub.one(NAMESPACE, f"{name}-dev")
    assert own_labels(namespace) == set()
    assert names.ANNOTATION_ADMITTED not in namespace["metadata"]["annotations"]
    origin = detached_from(namespace)
    assert (origin["project"], origin["uid"], origin["environment"]) == (name, declared["metadata"]["uid"], "dev")
    patched = {write.resource for write in audit.of_objects(name) if write.verb != "delete"}
    assert "applications" not in patched, "no cascade finalizer was ever put on"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_detached_namespace_keeps_its_guard_rails(hub: Hub) -> None:
    """Quota, limits, policies and the team's access stay where the project was detached; Argo CD's access goes."""
    hub.declare("railed", repositories=[REPOSITORY], team=TEAM)
    hub.wait("railed")
    hub.delete("railed")
    hub.wait_gone("railed")
    for kind in CHILD_KINDS:
        assert not hub.api.items(kind.path(), f"{names.LABEL_PROJECT}=railed"), f"a {kind.kind} still has our label"
    assert hub.one(RESOURCE_QUOTA, "onboarding", "railed-dev")["spec"]["hard"]["pods"] == "20"
    assert len(hub.api.items(NETWORK_POLICY.path("railed-dev"))) == 6
    bindings = {item["metadata"]["name"]: item for item in hub.api.items(ROLE_BINDING.path("railed-dev"))}
    assert set(bindings) == {"admin:onboarding:admin"}
    assert detached_from(bindings["admin:onboarding:admin"])["project"] == "railed"
    assert hub.one(SERVICE_ACCOUNT, "railed-dev", names.SYNC_NAMESPACE) is None
    assert hub.one(APPLICATION, "railed-dev-app", ARGOCD) is None
    assert hub.one(APP_PROJECT, "railed", ARGOCD) is None


def test_a_cascade_that_somebody_asked_for_is_taken_back(hub: Hub) -> None:
    """An Application with Argo CD's cascade finalizer loses it before a detachment deletes it: its workload stays."""
    hub.declare("uncascaded", repositories=[REPOSITORY])
    hub.wait("uncascaded")
    path = APPLICATION.path(ARGOCD, "uncascaded-dev-app")
    since = hub.api.patch(path, {"metadata": {"finalizers": [names.CASCADE_FINALIZER, "example.org/other"]}})
    audit = Audit(hub.cluster)
    hub.delete("uncascaded")
    found = wait_until(
        lambda: (item := hub.api.get(path)) and "deletionTimestamp" in item["metadata"] and item,
        what="the Application is being deleted",
    )
    assert found["metadata"]["finalizers"] == ["example.org/other"]
    order = [write.verb for write in audit.of_objects("uncascaded") if write.resource == "applications"]
    assert order == ["patch", "delete"]
    assert found["metadata"]["uid"] == since["metadata"]["uid"]
    hub.api.patch(path, {"metadata": {"finalizers": None}})
    hub.wait_gone("uncascaded")


def test_a_project_made_again_never_touches_what_was_detached(hub: Hub, operator: OperatorProcess) -> None:
    """The same name with another UID is told whose the namespace was; the namespace stays as it is."""
    first = hub.declare("again", team=TEAM)
    hub.wait("again")
    hub.delete("again")
    hub.wait_gone("again")
    detached = hub.one(NAMESPACE, "again-dev")
    second = hub.declare("again", team=TEAM)
    condition = hub.wait("again", "False", "FormerIncarnation")
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert "detached from" in condition["message"]
    assert first["metadata"]["uid"] in condition["message"]
    assert hub.one(NAMESPACE, "again-dev") == detached
    hub.delete("again")
    hub.wait_gone("again")
    assert hub.one(NAMESPACE, "again-dev") == detached


def test_a_project_without_environments_goes_at_once(hub: Hub) -> None:
    """A project that never made anything goes at once: its deletion waits for nobody."""
    hub.declare("empty", environments=[])
    hub.wait("empty")
    hub.delete("empty")
    hub.wait_gone("empty")
