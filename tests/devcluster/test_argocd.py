"""Argo CD's real controllers deploy from a real Git server to real API servers."""

import json
import os
from typing import Any

import pytest
import yaml

from devcluster import AlreadyRunningError, ArgoCD, ControlPlane, DevclusterError, GitServer, Nodes
from devcluster.waiting import wait_until

HERE = "https://kubernetes.default.svc"
CONTROLLER = "system:serviceaccount:argocd:argocd-application-controller"
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "example.org/web"}]},
        },
    },
}

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("DEVCLUSTER_KUBECONFIG")), reason="these tests install Argo CD on control planes of their own"
)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def application(name: str, source: dict[str, Any], namespace: str, *, cluster: str = "in-cluster") -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "tests",
            "source": {"targetRevision": "main", **source},
            "destination": {"namespace": namespace, "name": cluster},
            "syncPolicy": {"automated": {}, "retry": {"limit": 0}},
        },
    }


def open_namespace(control_plane: ControlPlane, name: str, *, role: str | None) -> None:
    """Make a namespace with the account that a sync there acts as."""
    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("create", "serviceaccount", "deployer", "-n", name)
    if role:
        account = f"--serviceaccount={name}:deployer"
        control_plane.kubectl("create", "rolebinding", "deployer", "-n", name, f"--clusterrole={role}", account)


@pytest.fixture(scope="module")
def hub(control_plane: ControlPlane, argocd: ArgoCD) -> ControlPlane:
    """A cluster whose project lets every namespace be synced as its own account."""
    account = {"server": HERE, "namespace": "*", "defaultServiceAccount": "deployer"}
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "destinationServiceAccounts": [account],
    }
    metadata = {"name": "tests", "namespace": argocd.namespace}
    control_plane.apply(
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": metadata, "spec": spec}
    )
    return control_plane


def test_a_deployment_runs_and_follows_its_repository(
    hub: ControlPlane, argocd: ArgoCD, git_server: GitServer, nodes: Nodes
):
    open_namespace(hub, "web", role="edit")
    repository = git_server.create("web", {"deploy/web.yaml": yaml.safe_dump(DEPLOYMENT)})
    hub.apply(application("web", {"repoURL": repository.url, "path": "deploy"}, "web"))
    argocd.wait_for("web", revision=repository.revision())
    pods = hub.kubectl("get", "pods", "-n", "web", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')]}")
    assert pods.stdout.count('"status":"True"') == 2

    DEPLOYMENT["spec"]["replicas"] = 3
    commit = repository.commit({"deploy/web.yaml": yaml.safe_dump(DEPLOYMENT)})
    argocd.refresh("web")
    argocd.wait_for("web", revision=commit)
    ready = hub.kubectl("get", "deployment", "web", "-n", "web", "-o", "jsonpath={.status.readyReplicas}")
    assert ready.stdout == "3"

    events = [json.loads(line) for line in hub.audit_log.read_text().splitlines()]
    writes = [
        event for event in events if event.get("objectRef", {}).get("namespace") == "web" and event["verb"] == "patch"
    ]
    mine = [event for event in writes if event["user"]["username"] == CONTROLLER]
    assert {event["impersonatedUser"]["username"] for event in mine} == {"system:serviceaccount:web:deployer"}


def test_nodes_renew_their_leases(hub: ControlPlane, nodes: Nodes):
    """Without a lease Kubernetes takes a node for lost within a minute."""
    leases = ("get", "leases", "-n", "kube-node-lease", "-o", "jsonpath={.items[*].spec.renewTime}")
    wait_until(lambda: len(hub.kubectl(*leases).stdout.split()) >= 2, "a lease of each node", 30)


def test_a_chart_and_a_kustomization_are_rendered(hub: ControlPlane, argocd: ArgoCD, git_server: GitServer):
    open_namespace(hub, "rendered", role="edit")
    template = json.dumps(config_map("from-helm", value="{{ .Values.value }} in {{ .Release.Namespace }}"))
    kustomization = {"resources": ["map.yaml"], "namePrefix": "from-"}
    repository = git_server.create(
        "rendered",
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: tiny\nversion: 1.0.0\n",
            "chart/values.yaml": "value: default\n",
            "chart/templates/map.yaml": template,
            "folder/kustomization.yaml": yaml.safe_dump(kustomization),
            "folder/map.yaml": yaml.safe_dump(config_map("kustomize")),
        },
    )
    values = {"helm": {"parameters": [{"name": "value", "value": "given"}]}}
    hub.apply(
        application("chart", {"repoURL": repository.url, "path": "chart", **values}, "rendered"),
        application("folder", {"repoURL": repository.url, "path": "folder"}, "rendered"),
    )
    argocd.wait_for("chart")
    argocd.wait_for("folder")
    found = json.loads(hub.kubectl("get", "configmaps", "-n", "rendered", "-o", "json").stdout)["items"]
    data = {item["metadata"]["name"]: item.get("data") for item in found}
    assert data["from-helm"] == {"value": "given in rendered"}
    assert "from-kustomize" in data


def test_an_application_that_does_not_exist_yet_is_waited_for(argocd: ArgoCD):
    with pytest.raises(DevclusterError, match="late getting Synced and Healthy did not happen") as caught:
        argocd.wait_for("late", seconds=0)
    assert '"sync": null' in caught.value.__notes__[0]


def test_a_sync_may_do_what_its_account_may(hub: ControlPlane, argocd: ArgoCD, git_server: GitServer):
    open_namespace(hub, "bare", role=None)
    repository = git_server.create("bare", {"map.yaml": yaml.safe_dump(config_map("refused"))})
    hub.apply(application("bare", {"repoURL": repository.url, "path": "."}, "bare"))
    argocd.wait_for("bare", sync="OutOfSync", health="Missing")

    def refused() -> bool:
        operation = argocd.application("bare")["status"].get("operationState", {})
        resources = operation.get("syncResult", {}).get("resources", [])
        account = 'User "system:serviceaccount:bare:deployer" cannot'
        return operation.get("phase") == "Failed" and any(account in item.get("message", "") for item in resources)

    wait_until(refused, "the refusal of the sync", 30)


def test_a_project_that_names_no_account_syncs_nothing(hub: ControlPlane, argocd: ArgoCD, git_server: GitServer):
    """Impersonation is enforced: nothing is ever written with the rights of Argo CD itself in its place."""
    open_namespace(hub, "nobody", role=None)
    spec = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    metadata = {"name": "nobody", "namespace": "argocd"}
    hub.apply({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": metadata, "spec": spec})
    repository = git_server.create("nobody", {"map.yaml": yaml.safe_dump(config_map("refused"))})
    given = application("nobody", {"repoURL": repository.url, "path": "."}, "nobody")
    given["spec"]["project"] = "nobody"
    hub.apply(given)

    def refused() -> bool:
        operation = argocd.application("nobody").get("status", {}).get("operationState", {})
        told = f"no matching service account found for destination server {HERE} and namespace nobody"
        return operation.get("phase") == "Error" and told in operation["message"]

    wait_until(refused, "the refusal of the sync", 30)
    events = [json.loads(line) for line in hub.audit_log.read_text().splitlines()]
    inside = [event for event in events if event.get("objectRef", {}).get("namespace") == "nobody"]
    writes = [event for event in inside if event["verb"] not in ("get", "list", "watch")]
    assert [event for event in writes if event["user"]["username"] == CONTROLLER] == []
    assert "refused" not in hub.kubectl("get", "configmaps", "-n", "nobody", "-o", "name").stdout


def test_another_cluster_is_reached_by_its_name(hub: ControlPlane, argocd: ArgoCD, git_server: GitServer):
    repository = git_server.create("remote", {"map.yaml": yaml.safe_dump(config_map("there", a="b"))})
    with ControlPlane.start("spoke", controllers=False) as spoke:
        open_namespace(spoke, "remote", role=None)
        spoke.apply(admin_of("remote"))
        argocd.register_cluster(spoke, name="spoke", labels={"stage": "prod"})
        account = {"server": spoke.server, "namespace": "remote", "defaultServiceAccount": "deployer"}
        add = [{"op": "add", "path": "/spec/destinationServiceAccounts/-", "value": account}]
        hub.kubectl("patch", "appproject", "tests", "-n", "argocd", "--type=json", f"--patch={json.dumps(add)}")
        hub.apply(application("remote", {"repoURL": repository.url, "path": "."}, "remote", cluster="spoke"))
        argocd.wait_for("remote")
        assert spoke.kubectl("get", "configmap", "there", "-n", "remote", "-o", "jsonpath={.data.a}").stdout == "b"
        hub.kubectl("delete", "application", "remote", "-n", "argocd")
        hub.kubectl("delete", "secret", "cluster-spoke", "-n", "argocd")


def test_a_private_repository_is_read_over_tls_with_its_token(hub: ControlPlane, argocd: ArgoCD):
    open_namespace(hub, "private", role="edit")
    with GitServer.start(tls=True) as server:
        repository = server.create("private", {"map.yaml": yaml.safe_dump(config_map("private"))}, token="secret")
        argocd.trust(server.ca_file)
        hub.apply(application("private", {"repoURL": repository.url, "path": "."}, "private"))
        refused = argocd.wait_for("private", sync="Unknown")
        assert "authentication required" in json.dumps(refused["status"]["conditions"])
        argocd.register_repository(repository.url, name="private", password="secret")
        argocd.refresh("private", hard=True)
        argocd.wait_for("private")
        hub.kubectl("delete", "application", "private", "-n", "argocd")


def test_an_application_set_makes_applications(hub: ControlPlane, argocd: ArgoCD, git_server: GitServer):
    open_namespace(hub, "made", role="edit")
    repository = git_server.create("set", {"apps/one/map.yaml": yaml.safe_dump(config_map("one"))})
    made = application("{{.path.basename}}", {"repoURL": repository.url, "path": "{{.path.path}}"}, "made")
    generator = {"git": {"repoURL": repository.url, "revision": "main", "directories": [{"path": "apps/*"}]}}
    template = {"metadata": {"name": made["metadata"]["name"]}, "spec": made["spec"]}
    hub.apply(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "ApplicationSet",
            "metadata": {"name": "set", "namespace": "argocd"},
            "spec": {"goTemplate": True, "generators": [generator], "template": template},
        }
    )
    there = ("get", "applications", "one", "-n", "argocd", "-o", "name")
    wait_until(lambda: hub.kubectl(*there, check=False).returncode == 0, "the Application of the set", 30)
    argocd.wait_for("one")


def test_what_an_application_lacks_is_told(hub: ControlPlane, argocd: ArgoCD):
    hub.apply(application("lost", {"repoURL": "http://127.0.0.1:1/lost.git", "path": "."}, "lost"))
    with pytest.raises(DevclusterError) as missed:
        argocd.wait_for("lost", seconds=5)
    assert "ComparisonError" in missed.value.__notes__[0]
    hub.kubectl("delete", "application", "lost", "-n", "argocd")


def test_a_second_one_beside_the_same_control_plane_is_refused(argocd: ArgoCD):
    with pytest.raises(AlreadyRunningError, match="stop it first"):
        ArgoCD.start(argocd.control_plane)


def admin_of(namespace: str) -> dict[str, Any]:
    """Give an account all rights: without its controllers, a cluster has no aggregated roles like edit."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{namespace}-deployer"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": namespace}],
    }
