"""What the tenant roles allow on a real API server, and how a platform adds to them."""

import pytest

from devcluster import ControlPlane
from onboarding.build.kinds import Manifest
from tests.api.access import review, verdicts
from tests.support.installing import apply
from tests.support.waiting import wait_until

SPACE = "tenant-roles"
ROLES = ("viewer", "developer", "admin")
DEBUG = ("patch", "pods/ephemeralcontainers")


def may(cluster: ControlPlane, role: str, verb: str, resource: str) -> bool:
    """Return whether the members of the group that is bound to a role may do something in the namespace."""
    return verdicts(cluster, [review(f"tenant-{role}", verb, resource, namespace=SPACE)]) == [True]


def added(rules: list[Manifest], *roles: str) -> Manifest:
    """Return a ClusterRole of the platform that adds rules to tenant roles."""
    labels = {f"projectonboarding.io/aggregate-to-{role}": "true" for role in roles}
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    return {**head, "metadata": {"name": "acme:debug", "labels": labels}, "rules": rules}


@pytest.fixture(scope="module")
def cluster(installed: ControlPlane) -> ControlPlane:
    """A namespace with a group for each role, after the roles have their rules."""
    apply(installed, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    for role in ROLES:
        given = [f"--clusterrole=onboarding:{role}", f"--group=tenant-{role}"]
        installed.kubectl("create", "rolebinding", role, f"--namespace={SPACE}", *given)
        wait_until(lambda role=role: may(installed, role, "get", "pods"), what=f"{role} has its rules")
    return installed


MATRIX = {
    ("get", "routes.route.openshift.io"): {"viewer", "developer", "admin"},
    ("list", "certificates.cert-manager.io"): {"viewer", "developer", "admin"},
    ("watch", "externalsecrets.external-secrets.io"): {"viewer", "developer", "admin"},
    ("get", "pods/log"): {"viewer", "developer", "admin"},
    ("get", "secrets"): {"developer", "admin"},
    ("create", "pods/exec"): {"developer", "admin"},
    ("create", "deployments.apps"): {"developer", "admin"},
    ("create", "serviceaccounts"): {"admin"},
    ("create", "routes.route.openshift.io"): set(),
    ("create", "serviceaccounts/token"): set(),
    ("impersonate", "serviceaccounts"): set(),
    ("create", "networkpolicies.networking.k8s.io"): set(),
    ("update", "resourcequotas"): set(),
    ("create", "rolebindings.rbac.authorization.k8s.io"): set(),
    ("get", "pods/proxy"): set(),
    DEBUG: set(),
}


@pytest.mark.parametrize("right", MATRIX, ids=" ".join)
def test_each_role_holds_its_rights_and_no_others(cluster: ControlPlane, right: tuple[str, str]) -> None:
    assert {role for role in ROLES if may(cluster, role, *right)} == MATRIX[right]


def test_a_labelled_role_of_the_platform_adds_kubectl_debug(cluster: ControlPlane) -> None:
    """Case 31: developers may use kubectl debug where the platform says so, and viewers never get it with them."""
    rules = [{"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["update", "patch"]}]
    apply(cluster, added(rules, "developer"))
    wait_until(lambda: may(cluster, "developer", *DEBUG), what="developers may debug")
    assert not may(cluster, "viewer", *DEBUG)
    cluster.kubectl("delete", "clusterrole", "acme:debug")
    wait_until(lambda: not may(cluster, "developer", *DEBUG), what="developers may not debug any more")
