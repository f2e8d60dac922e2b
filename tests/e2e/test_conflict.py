"""What stands at a wanted name and is not ours is left alone, named, and waited for."""

import pytest

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, NAMESPACE, NETWORK_POLICY, ROLE_BINDING, ChildKind, Manifest
from tests.support.hub import ARGOCD, REPOSITORY, Hub
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
DEV = {"name": "dev", "stage": "dev"}
TEST = {"name": "test", "stage": "dev"}


def stranger(hub: Hub, kind: ChildKind, name: str, namespace: str = "", **content: object) -> Manifest:
    """Create somebody else's object."""
    manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, **content}
    return hub.api.create(kind.path(namespace), manifest)


def conflict(hub: Hub, name: str) -> str:
    """Wait until a project says that it is in conflict, and return its words."""
    condition = hub.wait(name, "False", "Conflict")
    assert hub.condition(name, "Stalled")["status"] == "True"
    assert hub.project(name)["status"]["summary"]["next"].startswith("platform: ")
    return condition["message"]


def test_a_foreign_namespace_stays_and_the_neighbour_opens(hub: Hub) -> None:
    """A namespace of somebody else is not touched; the other environment opens; once it is gone, this one too."""
    before = stranger(hub, NAMESPACE, "taken-dev")
    hub.declare("taken", environments=[DEV, TEST])
    assert "Namespace taken-dev exists and carries no label of ours" in conflict(hub, "taken")

    def states() -> dict[str, str]:
        return {name: hub.environment("taken", name)["sites"][0]["state"] for name in ("dev", "test")}

    wait_until(lambda: states() == {"dev": "Conflict", "test": "Ready"}, what="the neighbour is open")
    assert hub.one(NAMESPACE, "taken-dev") == before
    assert hub.api.items(NETWORK_POLICY.path("taken-dev")) == []
    hub.api.delete(NAMESPACE.path(name="taken-dev"))
    hub.wait("taken", within=90)
    assert hub.faults("taken") == []


def test_a_foreign_project_of_argo_cd_stays(hub: Hub) -> None:
    """An AppProject of somebody else keeps its spec, and no Application is made in it."""
    spec = {"sourceRepos": ["*"], "destinations": []}
    before = stranger(hub, APP_PROJECT, "occupied", ARGOCD, spec=spec)
    hub.declare("occupied", repositories=[REPOSITORY])
    assert "AppProject argocd/occupied exists and carries no label of ours" in conflict(hub, "occupied")
    assert hub.one(APP_PROJECT, "occupied", ARGOCD) == before
    assert hub.api.get(f"/apis/argoproj.io/v1alpha1/namespaces/{ARGOCD}/applications/occupied-dev-app") is None
    hub.api.delete(APP_PROJECT.path(ARGOCD, "occupied"))
    hub.wait("occupied", within=90)
    assert hub.faults("occupied") == []


def test_a_foreign_role_binding_stays(hub: Hub) -> None:
    """A RoleBinding of somebody else at a wanted name keeps its subjects."""
    hub.declare("bound")
    hub.wait("bound")
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "onboarding:viewer"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "somebody"}]
    name = "viewer:onboarding:viewer"
    before = stranger(hub, ROLE_BINDING, name, "bound-dev", roleRef=role, subjects=subjects)
    hub.declare("bound", team={"groups": {"viewer": ["support"]}})
    assert f"RoleBinding bound-dev/{name} exists and carries no label of ours" in conflict(hub, "bound")
    assert hub.one(ROLE_BINDING, name, "bound-dev") == before
    hub.api.delete(ROLE_BINDING.path("bound-dev", name))
    hub.wait("bound", within=90)
    assert hub.faults("bound") == []


def test_another_installation_is_named(hub: Hub) -> None:
    """A namespace that another installation of the operator made is left to it, and the conflict says so."""
    labels = {
        names.LABEL_MANAGED_BY: names.MANAGER,
        names.LABEL_INSTALLATION: "other",
        names.LABEL_PROJECT: "shared",
        names.LABEL_PROJECT_UID: "11111111-1111-1111-1111-111111111111",
        names.LABEL_ENVIRONMENT: "dev",
    }
    metadata = {"name": "shared-dev", "labels": labels}
    before = hub.api.create(NAMESPACE.path(), {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    hub.declare("shared")
    assert "installation other" in conflict(hub, "shared")
    assert hub.one(NAMESPACE, "shared-dev") == before
    hub.declare("shared", environments=[])
    hub.wait("shared")
    assert hub.one(NAMESPACE, "shared-dev") == before


def test_names_that_collide_belong_to_the_first_comer(hub: Hub) -> None:
    """``a-b`` + ``c`` and ``a`` + ``b-c`` want one namespace: the first has it, the second is told whose it is."""
    first = hub.declare("twin-b", environments=[{"name": "c", "stage": "dev"}])
    hub.wait("twin-b")
    before = hub.one(NAMESPACE, "twin-b-c")
    hub.declare("twin", environments=[{"name": "b-c", "stage": "dev"}])
    message = conflict(hub, "twin")
    assert f"belongs to project twin-b (UID {first['metadata']['uid']}" in message
    assert hub.one(NAMESPACE, "twin-b-c") == before
    hub.delete("twin")
    hub.wait_gone("twin")
    assert hub.one(NAMESPACE, "twin-b-c") == before
    assert hub.faults("twin-b") == []
