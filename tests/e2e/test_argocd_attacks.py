"""What a tenant's repository must not do: whoever refuses it, nothing of it reaches a cluster."""

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
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(1200)
TENANT, NEIGHBOUR = "burglar", "neighbour"
HOME = f"{TENANT}-dev"
RBAC = "rbac.authorization.k8s.io"
TRACKING = "argocd.argoproj.io/tracking-id"
CLUSTER_ROLE = ChildKind(RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CONFIG_MAP = ChildKind("", "v1", "ConfigMap", "configmaps")


def manifest(kind: ChildKind, name: str, namespace: str = "", **content: object) -> Manifest:
    """Return an object as a repository would hold it."""
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, **place}, **content}


def binding(name: str, role: str) -> Manifest:
    """Return a RoleBinding of the tenant's own sync account to a ClusterRole."""
    subject = {"kind": "ServiceAccount", "name": HOME, "namespace": names.SYNC_NAMESPACE}
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
    "a neighbour's namespace": (CONFIG_MAP, {**config_map("planted"), "metadata": {"name": "planted"}}),
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
ATTACKS["a neighbour's namespace"][1]["metadata"]["namespace"] = f"{NEIGHBOUR}-dev"


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


def test_a_binding_gives_nobody_more_than_its_author_has(stage: Stage) -> None:
    """Its project may sync RoleBindings, as many charts bring one; the account that it syncs as may not write any."""
    before = stage.hub.api.items
    stage.open("climber", stage.repository("climber", root=binding("root", "cluster-admin"), own=binding("sync:onboarding:sync", "cluster-admin")))
    found = operation_says(stage.argocd, "climber-dev-app", "rolebindings")
    print(found["status"]["operationState"])
    assert stage.hub.api.get(ROLE_BINDING.path("climber-dev", "root")) is None
    assert 0


def test_a_workload_cannot_be_synced_as_another_account(stage: Stage) -> None:
    """An account that may do nothing there stops what the project's rules let through: Argo CD acts as it alone."""
    audit = stage.hub.cluster.audit_log.read_text().splitlines()
    tracked = [line for line in audit if f'"namespace":"{NEIGHBOUR}-dev"' in line and '"impersonatedUser"' in line]
    accounts = {line.split('"impersonatedUser":{"username":"')[1].split('"')[0] for line in tracked}
    assert accounts == {f"system:serviceaccount:{names.SYNC_NAMESPACE}:{NEIGHBOUR}-dev"}
    wait_until(lambda: stage.hub.condition(NEIGHBOUR)["status"] == "True", what="the neighbour is as it was")
