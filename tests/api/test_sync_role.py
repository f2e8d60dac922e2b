"""What the account that Argo CD syncs as may do on a real API server, and how a platform gives it more."""

import json

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import Manifest
from tests.api.access import review, verdicts
from tests.support.installing import ROOT, apply, get
from tests.support.waiting import wait_until

SPACE = "sync-role"
ACCOUNT = f"system:serviceaccount:{names.SYNC_NAMESPACE}:{SPACE}"
RBAC = "rbac.authorization.k8s.io"
SCALED = "scaledobjects.keda.sh"


def role_like(kind: str, name: str, **content: object) -> Manifest:
    """Return an object of RBAC."""
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": name}, **content}


def binding(name: str, kind: str, role: str) -> Manifest:
    """Return a RoleBinding of an account of the tenant's."""
    subject = {"kind": "ServiceAccount", "name": "app", "namespace": SPACE}
    return role_like("RoleBinding", name, subjects=[subject], roleRef={"apiGroup": RBAC, "kind": kind, "name": role})


def may(cluster: ControlPlane, resource: str) -> bool:
    """Return whether an account that is bound to the role may create such objects."""
    return verdicts(cluster, [review(f"system:serviceaccounts:{SPACE}", "create", resource, namespace=SPACE)]) == [True]


@pytest.fixture(scope="module")
def cluster(installed: ControlPlane) -> ControlPlane:
    """A namespace whose sync account is bound, and whose role has its rules."""
    apply(installed, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    given = [f"--clusterrole={names.SYNC_ROLE}", f"--user={ACCOUNT}", f"--group=system:serviceaccounts:{SPACE}"]
    installed.kubectl("create", "rolebinding", "sync", f"--namespace={SPACE}", *given)
    wait_until(lambda: may(installed, "deployments.apps"), what="the role has its rules")
    return installed


def test_a_labelled_role_of_the_platform_adds_to_it_and_an_apply_takes_nothing_away(cluster: ControlPlane) -> None:
    assert not may(cluster, SCALED)
    rules = [{"apiGroups": ["keda.sh"], "resources": ["scaledobjects"], "verbs": ["get", "create", "patch", "delete"]}]
    added = role_like("ClusterRole", "acme:sync-keda", rules=rules)
    added["metadata"]["labels"] = {"projectonboarding.io/aggregate-to-sync": "true"}
    apply(cluster, added)
    wait_until(lambda: may(cluster, SCALED), what="the added kind may be synced")
    before = get(cluster, "clusterrole", names.SYNC_ROLE)
    for way in (["--server-side"], ["--server-side", "--force-conflicts"]):
        cluster.kubectl("apply", *way, "-k", str(ROOT / "manifests/install"))
    after = get(cluster, "clusterrole", names.SYNC_ROLE)
    assert (after["rules"], after["metadata"]["uid"]) == (before["rules"], before["metadata"]["uid"])
    cluster.kubectl("delete", "clusterrole", "acme:sync-keda")
    wait_until(lambda: not may(cluster, SCALED), what="the added kind may not be synced any more")


SHOWN = (
    *(("get", kind) for kind in ("deployments.apps", "pods", "replicasets.apps", "jobs.batch", "secrets")),
    *((verb, "deployments.apps") for verb in ("patch", "delete")),
    ("create", "jobs.batch"),
    ("list", "events"),
    ("get", "pods/log"),
    ("delete", "pods"),
)
"""What the API server of Argo CD asks of an account since 3.5 to show, delete and act; pods/exec is none of it."""


def test_argo_cd_shows_and_acts_as_the_account(cluster: ControlPlane) -> None:
    group = f"system:serviceaccounts:{SPACE}"
    asked = [review(group, verb, resource, namespace=SPACE) for verb, resource in SHOWN]
    assert verdicts(cluster, asked) == [True] * len(SHOWN)
    refused = [("create", "pods/exec"), ("get", "resourcequotas"), ("delete", "networkpolicies.networking.k8s.io")]
    asked = [review(group, verb, resource, namespace=SPACE) for verb, resource in refused]
    assert verdicts(cluster, asked) == [False] * len(refused)


OWN = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
MORE = {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["patch"]}
GRANTS = {
    "a role within its own rights": (role_like("Role", "reader", rules=[OWN]), ""),
    "a role beyond them": (role_like("Role", "opener", rules=[MORE]), "not currently held"),
    "its own role": (binding("own", "ClusterRole", names.SYNC_ROLE), ""),
    "an administrator's role": (binding("root", "ClusterRole", "cluster-admin"), "not currently held"),
    "the tenant administrator's role": (binding("admin", "ClusterRole", "onboarding:admin"), "not currently held"),
}


@pytest.mark.parametrize("what", GRANTS)
def test_it_gives_nobody_more_than_it_holds(cluster: ControlPlane, what: str) -> None:
    manifest, refusal = GRANTS[what]
    command = ["apply", f"--as={ACCOUNT}", f"--namespace={SPACE}", "--filename=-"]
    done = cluster.kubectl(*command, stdin=json.dumps(manifest), check=False)
    assert (done.returncode == 0, refusal in done.stderr) == (not refusal, True), done.stderr
