"""What a tenant's repository must not do: whoever refuses it, nothing of it reaches a cluster."""

import json

import pytest

from onboarding import names
from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    ChildKind,
    Manifest,
)
from tests.e2e.argocd_stage import Stage, config_map, operation_says
from tests.support.hub import ARGOCD

pytestmark = pytest.mark.timeout(1200)
TENANT, NEIGHBOUR = "burglar", "neighbour"
HOME = f"{TENANT}-dev"
RBAC = "rbac.authorization.k8s.io"
CONTROLLER = "system:serviceaccount:argocd:argocd-application-controller"
CLUSTER_ROLE = ChildKind(RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CONFIG_MAP = ChildKind("", "v1", "ConfigMap", "configmaps")


def manifest(kind: ChildKind, name: str, namespace: str = "", **content: object) -> Manifest:
    """Return an object as a repository would hold it."""
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, **place}, **content}


def binding(name: str, role: str) -> Manifest:
    """Return a RoleBinding of a sync account to a ClusterRole."""
    subject = {"kind": "ServiceAccount", "name": "climber-dev", "namespace": names.SYNC_NAMESPACE}
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
    return manifest(ROLE_BINDING, name, subjects=[subject], roleRef=reference)


PERMISSIVE = {"podSelector": {}, "ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]}
OPEN_PROJECT = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
ATTACKS = {
    "its quota": (RESOURCE_QUOTA, manifest(RESOURCE_QUOTA, "onboarding", spec={"hard": {"pods": "1000"}})),
    "its limits": (LIMIT_RANGE, manifest(LIMIT_RANGE, "onboarding", spec={"limits": []})),
    "its network policy": (NETWORK_POLICY, manifest(NETWORK_POLICY, "default-deny", spec=PERMISSIVE)),
    "another network policy": (NETWORK_POLICY, manifest(NETWORK_POLICY, "hole", spec=PERMISSIVE)),
    "a namespace": (NAMESPACE, manifest(NAMESPACE, "burglar-more")),
    "a cluster role": (
        CLUSTER_ROLE,
        manifest(CLUSTER_ROLE, "burglar", rules=[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
    ),
    "a neighbour's namespace": (CONFIG_MAP, manifest(CONFIG_MAP, "planted", f"{NEIGHBOUR}-dev", data={})),
    "an application": (
        APPLICATION,
        manifest(
            APPLICATION,
            "burglar-root",
            ARGOCD,
            spec={
                "project": "default",
                "source": {"repoURL": "http://127.0.0.1:1/root.git", "path": "."},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "kube-system"},
            },
        ),
    ),
    "its project": (APP_PROJECT, manifest(APP_PROJECT, TENANT, ARGOCD, spec=OPEN_PROJECT)),
}


def place(attack: Manifest, kind: ChildKind) -> str:
    """Return the path of the object that an attack would make or change."""
    return kind.path(attack["metadata"].get("namespace", HOME), attack["metadata"]["name"])


def content(item: Manifest | None) -> Manifest | None:
    """Return what of an object an attack would change."""
    if item is None:
        return None
    metadata = {field: item["metadata"].get(field) for field in ("uid", "labels", "annotations")}
    return {"metadata": metadata, **{key: value for key, value in item.items() if key not in ("metadata", "status")}}


@pytest.fixture(scope="module")
def attacked(stage: Stage) -> tuple[dict[str, Manifest | None], Manifest]:
    """What stood at the places of all attacks before, and the Application after Argo CD has refused them."""
    stage.open(NEIGHBOUR, stage.repository(NEIGHBOUR, theirs=config_map("theirs")))
    repository = stage.repository(TENANT, mine=config_map("mine"))
    stage.open(TENANT, repository)
    stage.argocd.wait_for(f"{NEIGHBOUR}-dev-app")
    stage.argocd.wait_for(f"{TENANT}-dev-app")
    before = {name: content(stage.hub.api.get(place(item, kind))) for name, (kind, item) in ATTACKS.items()}
    attacks = {f"attack-{index}": item for index, (_, item) in enumerate(ATTACKS.values())}
    stage.commit(repository, **attacks, good=config_map("good"))
    stage.argocd.refresh(f"{TENANT}-dev-app")
    return before, operation_says(stage.argocd, f"{TENANT}-dev-app", "not permitted in project")


@pytest.mark.parametrize("name", ATTACKS)
def test_argo_cd_refuses_what_its_project_does_not_allow(
    stage: Stage, attacked: tuple[dict[str, Manifest | None], Manifest], name: str
) -> None:
    """Each is refused by the project's rules, named, and the object is what it was; the rest is not synced either."""
    before, application = attacked
    kind, attack = ATTACKS[name]
    results = application["status"]["operationState"]["syncResult"]["resources"]
    told = next(
        item["message"] for item in results if (item["kind"], item["name"]) == (kind.kind, attack["metadata"]["name"])
    )
    assert "not permitted in project" in told
    assert content(stage.hub.api.get(place(attack, kind))) == before[name]
    assert stage.hub.api.get(CONFIG_MAP.path(HOME, "good")) is None


def test_a_manifest_with_our_labels_is_refused_by_admission(stage: Stage) -> None:
    """Argo CD lets a ServiceAccount through; one that pretends to be the operator's is refused by the guard rails."""
    forged = manifest(SERVICE_ACCOUNT, "forged")
    forged["metadata"]["labels"] = {names.LABEL_INSTALLATION: "forged", names.LABEL_PROJECT: NEIGHBOUR}
    stage.open("forger", stage.repository("forger", forged=forged))
    operation_says(stage.argocd, "forger-dev-app", "only the operator makes objects with the label")
    assert stage.hub.api.get(SERVICE_ACCOUNT.path("forger-dev", "forged")) is None


def test_a_binding_is_refused_by_the_api_server(stage: Stage) -> None:
    """A project may hold RoleBindings, as charts do; none gives more than the account has that it is synced as."""
    repository = stage.repository("climber", mine=config_map("mine"))
    stage.open("climber", repository)
    stage.argocd.wait_for("climber-dev-app")
    own = ROLE_BINDING.path("climber-dev", "sync:onboarding:sync")
    before = content(stage.hub.api.get(own))
    attacks = {"root": binding("root", "cluster-admin"), "own": binding("sync:onboarding:sync", "cluster-admin")}
    stage.commit(repository, **attacks)
    stage.argocd.refresh("climber-dev-app")
    operation_says(stage.argocd, "climber-dev-app", "error running kubectl auth reconcile")
    account = f"system:serviceaccount:{names.SYNC_NAMESPACE}:climber-dev"
    told = refused_bindings(stage, account)
    assert f'user "{account}"' in told["root"]
    assert "attempting to grant RBAC permissions not currently held" in told["root"]
    assert "(rule project-onboarding-managed-objects)" in told["sync:onboarding:sync"], told
    assert stage.hub.api.get(ROLE_BINDING.path("climber-dev", "root")) is None
    assert content(stage.hub.api.get(own)) == before


def refused_bindings(stage: Stage, account: str) -> dict[str, str]:
    """Return what the API server answered when it refused RoleBindings that Argo CD wrote as an account, by name.

    Argo CD 3.6.1 itself loses the answer: its kubectl panics on it.
    """
    lines = [line for line in stage.hub.cluster.audit_log.read_text().splitlines() if account in line]
    events = [event for event in map(json.loads, lines) if event.get("objectRef", {}).get("resource") == "rolebindings"]
    refused = [event for event in events if event["responseStatus"]["code"] == 403]
    assert {event["impersonatedUser"]["username"] for event in refused} == {account}
    return {event["objectRef"]["name"]: event["responseStatus"]["message"] for event in refused}


def test_argo_cd_acts_as_the_account_of_the_environment_alone(stage: Stage) -> None:
    """Whatever it wrote into the neighbour's namespace it wrote with that environment's rights, not its own."""
    lines = [line for line in stage.hub.cluster.audit_log.read_text().splitlines() if f'"{NEIGHBOUR}-dev"' in line]
    events = [json.loads(line) for line in lines if CONTROLLER in line]
    writes = [event for event in events if event["verb"] in ("create", "patch") and event["objectRef"].get("namespace")]
    inside = [event for event in writes if event["objectRef"]["namespace"] == f"{NEIGHBOUR}-dev"]
    accounts = {event.get("impersonatedUser", {}).get("username") for event in inside}
    assert accounts == {f"system:serviceaccount:{names.SYNC_NAMESPACE}:{NEIGHBOUR}-dev"}
