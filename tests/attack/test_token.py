"""A thief of the operator's token on a real API server: each request breaks one rule on what the account may write.

The thief acts as the operator's account and as a member of system:masters, so that no right is missing. Every object is
one that the builders make, with one change.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.golden.test_golden import built
from tests.support.account import Account, collection, place, put, without
from tests.support.api import Api
from tests.support.waiting import wait_until

MANIFESTS = {str(item.key): item.manifest for item in built("production")}
NAMESPACE, SYNC = "Namespace shop-dev", "ServiceAccount project-onboarding-sync/shop-dev"
BINDING, SYNC_BINDING = (
    "RoleBinding shop-dev/developer:onboarding:developer",
    "RoleBinding shop-dev/sync:onboarding:sync",
)
PROJECT, APPLICATION = "AppProject argocd/shop", "Application argocd/shop-dev-app"
ENFORCE = f"{names.POD_SECURITY_PREFIX}enforce"
IN_CLUSTER = "https://kubernetes.default.svc"


@pytest.fixture(scope="module")
def thief(installed: ControlPlane) -> Iterator[Account]:
    """Let the operator make everything of a project; the thief comes afterwards."""
    thief, admin = Account(installed), Api(installed)
    admin.create("/api/v1/namespaces", {"metadata": {"name": "token-foreign"}})
    bare = {"metadata": {"name": "token-bare"}}
    wait_until(lambda: thief.answer("POST", "/api/v1/namespaces", bare)[0] == 403, what="the rules are in force")
    for path in (place(manifest) for manifest in MANIFESTS.values() if manifest["kind"] == "Namespace"):
        # Another suite makes namespaces of the same golden files.
        wait_until(lambda path=path: admin.get(path) is None, what=f"{path} is gone", within=60)
    for manifest in MANIFESTS.values():
        thief.does("POST", collection(manifest), manifest, dry=False)
    yield thief
    for manifest in reversed(MANIFESTS.values()):
        admin.text("DELETE", place(manifest))
    admin.delete("/api/v1/namespaces/token-foreign")


class Attempt(NamedTuple):
    """A change of an object that the operator makes, and a part of the sentence that refuses it."""

    target: str
    change: Callable[[dict[str, Any]], None]
    sentence: str


def at(server: str = IN_CLUSTER, namespace: str = "shop-dev", **more: str) -> dict[str, str]:
    return {"server": server, "namespace": namespace, **more}


def account(namespace: str, name: str, server: str = IN_CLUSTER) -> dict[str, str]:
    return at(server, namespace, defaultServiceAccount=name)


def policy(text: str) -> Callable[[dict[str, Any]], None]:
    return put("spec roles 0 policies +", text)


def of_project(name: str) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        manifest["metadata"]["labels"][names.LABEL_PROJECT] = name
        manifest["spec"]["project"] = name

    return change


def subject(kind: str, name: str, **more: str) -> Callable[[dict[str, Any]], None]:
    group = {} if kind == "ServiceAccount" else {"apiGroup": "rbac.authorization.k8s.io"}
    return put("subjects +", {"kind": kind, "name": name, **group, **more})


KINDS, RESERVED = "spec.namespaceResourceWhitelist names kinds exactly", "no namespace of the platform"
ROLE = "is about more than applications and logs of project 'shop'"
OTHER_ACCOUNT = "names another account than that of the namespace in project-onboarding-sync"
ROLE_REF, SUBJECTS = "roleRef is not one of the ClusterRoles onboarding:admin", "subjects may be groups that do not"
SYNC_POLICY, SOURCE = "spec.syncPolicy is more than automated", "spec.source and spec.sources[] are repository"
LEVEL, NAME = "(metadata.labels.pod-security.kubernetes.io/enforce) is none of restricted", "the name is reserved for"
NOT_ARGOCD = "is not that of an Argo CD (argocd). Add it to the chart value guard.argocdNamespaces"
ANNOTATION = "the operator does not write metadata.annotations "
PREFIX = "p, proj:shop:developer, "

ATTEMPTS: dict[str, Attempt] = {
    # AppProjects.
    "every repository": Attempt(PROJECT, put("spec sourceRepos", ["*"]), "names each repository by its URL"),
    "a pattern of repositories": Attempt(
        PROJECT, put("spec sourceRepos +", "https://git.example.org/*"), "sourceRepos"
    ),
    "any repository but one": Attempt(PROJECT, put("spec sourceRepos +", "!https://git.example.org/x"), "sourceRepos"),
    "a class of repositories": Attempt(
        PROJECT, put("spec sourceRepos +", "https://git.example.org/[a-z]"), "sourceRepos"
    ),
    "every place": Attempt(PROJECT, put("spec destinations +", at("*", "*")), "and one namespace by name"),
    "every namespace": Attempt(PROJECT, put("spec destinations +", at(namespace="*")), "and one namespace by name"),
    "every cluster": Attempt(PROJECT, put("spec destinations +", at("*")), "one server and one namespace by name"),
    "a second line behind a namespace": Attempt(
        PROJECT, put("spec destinations +", at(namespace="a\nb")), "one server and one namespace by name"
    ),
    "every namespace but one": Attempt(
        PROJECT, put("spec destinations +", at(namespace="!x")), "one namespace by name"
    ),
    "a cluster by name": Attempt(
        PROJECT, put("spec destinations 0 name", "in-cluster"), "one server and one namespace"
    ),
    "no namespace": Attempt(PROJECT, put("spec destinations +", {"server": IN_CLUSTER}), "one namespace by name"),
    "kube-system": Attempt(PROJECT, put("spec destinations +", at(namespace="kube-system")), RESERVED),
    "the namespace default": Attempt(PROJECT, put("spec destinations +", at(namespace="default")), RESERVED),
    "Argo CD's own namespace": Attempt(PROJECT, put("spec destinations +", at(namespace="argocd")), RESERVED),
    "the operator's namespace": Attempt(
        PROJECT, put("spec destinations +", at(namespace="project-onboarding")), RESERVED
    ),
    "openshift's namespaces": Attempt(PROJECT, put("spec destinations +", at(namespace="openshift-config")), RESERVED),
    "kinds of the cluster": Attempt(
        PROJECT,
        put("spec clusterResourceWhitelist", [{"group": "*", "kind": "*"}]),
        "clusterResourceWhitelist is empty",
    ),
    "namespaces as kind": Attempt(
        PROJECT, put("spec clusterResourceWhitelist", [{"group": "", "kind": "Namespace"}]), "clusterResourceWhitelist"
    ),
    "every kind": Attempt(PROJECT, put("spec namespaceResourceWhitelist", [{"group": "*", "kind": "*"}]), KINDS),
    "every kind by leaving the list empty": Attempt(PROJECT, put("spec namespaceResourceWhitelist", []), KINDS),
    "every kind by leaving the list out": Attempt(PROJECT, without("spec namespaceResourceWhitelist"), KINDS),
    "quotas": Attempt(PROJECT, put("spec namespaceResourceWhitelist +", {"group": "", "kind": "ResourceQuota"}), KINDS),
    "network policies": Attempt(
        PROJECT,
        put("spec namespaceResourceWhitelist +", {"group": "networking.k8s.io", "kind": "NetworkPolicy"}),
        KINDS,
    ),
    "quotas by a pattern": Attempt(
        PROJECT, put("spec namespaceResourceWhitelist +", {"group": "", "kind": "Resource?uota"}), KINDS
    ),
    "RoleBindings with Argo CD's own rights": Attempt(PROJECT, without("spec destinationServiceAccounts"), KINDS),
    "one place with Argo CD's own rights": Attempt(
        PROJECT, put("spec destinations +", at(namespace="shop-more")), KINDS
    ),
    "Argo CD's controller as account": Attempt(
        PROJECT,
        put("spec destinationServiceAccounts 0", account("shop-dev", "argocd:argocd-application-controller")),
        OTHER_ACCOUNT,
    ),
    "a neighbour's account": Attempt(
        PROJECT,
        put("spec destinationServiceAccounts 0", account("shop-dev", "project-onboarding-sync:payments-prod")),
        OTHER_ACCOUNT,
    ),
    "an account for every place": Attempt(
        PROJECT,
        put("spec destinationServiceAccounts +", account("*", "project-onboarding-sync:*", "*")),
        "one server and one namespace by name",
    ),
    "Applications from other namespaces": Attempt(
        PROJECT, put("spec sourceNamespaces", ["*"]), "the operator does not write spec.sourceNamespaces"
    ),
    "signature keys": Attempt(
        PROJECT, put("spec signatureKeys", [{"keyID": "A"}]), "does not write spec.signatureKeys"
    ),
    "a name of its own": Attempt(PROJECT, put("metadata name", "other"), "its name is not the project 'shop'"),
    "no project": Attempt(
        PROJECT, without("metadata labels projectonboarding.io/project"), "its name is not the project ''"
    ),
    "an AppProject elsewhere": Attempt(PROJECT, put("metadata namespace", "shop-dev"), NOT_ARGOCD),
    "every project of Argo CD": Attempt(PROJECT, policy(PREFIX + "applications, sync, */*, allow"), ROLE),
    "a neighbour's applications": Attempt(PROJECT, policy(PREFIX + "applications, sync, payments/*, allow"), ROLE),
    "a project whose name begins alike": Attempt(PROJECT, policy(PREFIX + "applications, get, shop*/*, allow"), ROLE),
    "clusters": Attempt(PROJECT, policy(PREFIX + "clusters, create, shop/*, allow"), ROLE),
    "a shell in pods": Attempt(PROJECT, policy(PREFIX + "exec, create, shop/*, allow"), ROLE),
    "to override what is deployed": Attempt(PROJECT, policy(PREFIX + "applications, override, shop/*, allow"), ROLE),
    "every action": Attempt(PROJECT, policy(PREFIX + "applications, *, shop/*, allow"), ROLE),
    "another project's role": Attempt(
        PROJECT, policy("p, proj:payments:developer, applications, get, shop/*, allow"), ROLE
    ),
    "a line of Argo CD's own roles": Attempt(
        PROJECT, policy(PREFIX + "applications, get, shop/x\ng,mallory,role:admin,x, allow"), ROLE
    ),
    "a second line behind the first": Attempt(
        PROJECT, policy(PREFIX + "applications, get, shop/x, allow\ng, mallory, role:admin"), ROLE
    ),
    "a line by the name of a group": Attempt(PROJECT, put("spec roles 0 groups +", "mallory, role:admin\ng, x"), ROLE),
    "a line by the name of a role": Attempt(PROJECT, put("spec roles 0 name", "a\nb"), ROLE),
    "a token of a role": Attempt(PROJECT, put("spec roles 0 jwtTokens", [{"iat": 1}]), ROLE),
    # Applications.
    "a neighbour's AppProject": Attempt(
        APPLICATION, put("spec project", "payments"), "spec.project is not the project 'shop' of its label"
    ),
    "the project default": Attempt(APPLICATION, put("spec project", "default"), "spec.project is not the project"),
    "an Application of Argo CD's AppProject default": Attempt(
        APPLICATION, of_project("default"), "project 'default' of its label projectonboarding.io/project is reserved"
    ),
    "an application in kube-system": Attempt(APPLICATION, put("spec destination namespace", "kube-system"), RESERVED),
    "a destination by name": Attempt(
        APPLICATION, put("spec destination", {"name": "in-cluster", "namespace": "shop-dev"}), "one server and one"
    ),
    "an Application elsewhere": Attempt(APPLICATION, put("metadata namespace", "shop-dev"), NOT_ARGOCD),
    "a sync of one's own": Attempt(
        APPLICATION, put("operation", {"sync": {"revision": "evil"}}), "starts no sync (operation)"
    ),
    "a plugin": Attempt(APPLICATION, put("spec source plugin", {"name": "sh"}), SOURCE),
    "inline values": Attempt(APPLICATION, put("spec source helm", {"values": "a: b"}), SOURCE),
    "values by URL": Attempt(APPLICATION, put("spec source helm", {"fileParameters": []}), SOURCE),
    "jsonnet libraries": Attempt(APPLICATION, put("spec source directory", {"jsonnet": {"libs": ["x"]}}), SOURCE),
    "labels of the namespace": Attempt(
        APPLICATION, put("spec syncPolicy managedNamespaceMetadata", {"labels": {ENFORCE: "privileged"}}), SYNC_POLICY
    ),
    "a namespace on the way": Attempt(
        APPLICATION, put("spec syncPolicy syncOptions +", "CreateNamespace=true"), SYNC_POLICY
    ),
    "an unknown field": Attempt(
        APPLICATION, put("spec revisionHistoryLimit", 0), "the operator does not write spec.revisionHistoryLimit"
    ),
    # Namespaces.
    "pods without bounds": Attempt(NAMESPACE, put(f"metadata labels {ENFORCE}", "privileged"), LEVEL),
    "a level below the listed one": Attempt(NAMESPACE, put(f"metadata labels {ENFORCE}", "baseline"), LEVEL),
    "no level": Attempt(NAMESPACE, without(f"metadata labels {ENFORCE}"), "level 'privileged' (metadata.labels"),
    "a namespace like Kubernetes's own": Attempt(NAMESPACE, put("metadata name", "kube-more"), NAME),
    "a namespace of OpenShift's": Attempt(NAMESPACE, put("metadata name", "openshift-more"), NAME),
    "a namespace for an Argo CD": Attempt(NAMESPACE, put("metadata name", "argocd-more"), NAME),
    "the probe's own name": Attempt(NAMESPACE, put("metadata name", "project-onboarding-guard-probe"), NAME),
    "nodes of one's choice": Attempt(
        NAMESPACE, put("metadata annotations scheduler.alpha.kubernetes.io/node-selector", "a=b"), ANNOTATION
    ),
    "messages to a stranger": Attempt(
        APPLICATION, put("metadata annotations notifications.argoproj.io/subscribe", "x"), ANNOTATION
    ),
    # RoleBindings and ServiceAccounts.
    "cluster-admin": Attempt(BINDING, put("roleRef name", "cluster-admin"), ROLE_REF),
    "the built-in admin": Attempt(BINDING, put("roleRef name", "admin"), ROLE_REF),
    "a Role of the namespace": Attempt(BINDING, put("roleRef kind", "Role"), ROLE_REF),
    "everybody": Attempt(BINDING, subject("Group", "system:authenticated"), SUBJECTS),
    "a user": Attempt(BINDING, subject("User", "mallory"), SUBJECTS),
    "the operator itself": Attempt(
        BINDING, subject("ServiceAccount", names.MANAGER, namespace="project-onboarding"), SUBJECTS
    ),
    "an account of the namespace": Attempt(BINDING, subject("ServiceAccount", "x", namespace="shop-dev"), SUBJECTS),
    "a neighbour's sync account": Attempt(
        SYNC_BINDING, subject("ServiceAccount", "payments-prod", namespace=names.SYNC_NAMESPACE), SUBJECTS
    ),
    "the sync account with a tenant's role": Attempt(
        BINDING, subject("ServiceAccount", "shop-dev", namespace=names.SYNC_NAMESPACE), SUBJECTS
    ),
    "rights in a foreign namespace": Attempt(
        BINDING, put("metadata namespace", "token-foreign"), "the namespace lacks the label projectonboarding.io/"
    ),
    "rights in kube-system": Attempt(
        BINDING, put("metadata namespace", "kube-system"), "the namespace lacks the label"
    ),
    "a Secret for an account": Attempt(SYNC, put("secrets", [{"name": "x"}]), "writes neither secrets nor"),
    "a pull secret for an account": Attempt(
        SYNC, put("imagePullSecrets", [{"name": "x"}]), "writes neither secrets nor"
    ),
}


def changed(attempt: Attempt) -> dict[str, Any]:
    manifest = deepcopy(MANIFESTS[attempt.target])
    attempt.change(manifest)
    return manifest


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_thief_of_the_token_makes_nothing_of_the_kind(thief: Account, attempt: Attempt) -> None:
    manifest = changed(attempt)
    thief.meets(attempt.sentence, "POST", collection(manifest), manifest)


CHANGES = {
    name: attempt
    for name, attempt in ATTEMPTS.items()
    if place(changed(attempt)) == place(MANIFESTS[attempt.target])
    and changed(attempt).get("roleRef") == MANIFESTS[attempt.target].get("roleRef")
}


@pytest.mark.parametrize("attempt", CHANGES.values(), ids=CHANGES)
def test_nor_of_an_object_that_is_there(thief: Account, attempt: Attempt) -> None:
    manifest = changed(attempt)
    manifest["metadata"]["resourceVersion"] = thief.read(place(manifest))["metadata"]["resourceVersion"]
    thief.meets(attempt.sentence, "PUT", place(manifest), manifest)


EVERYTHING = {
    "sourceRepos": ["*"],
    "destinations": [at("*", "*")],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    "destinationServiceAccounts": [account("*", "argocd:argocd-application-controller", "*")],
}


def test_the_way_to_cluster_admin_ends_at_its_first_step(thief: Account) -> None:
    """An AppProject for everything, and an Application of one's own repository in it."""
    for manifest, spec in (
        (MANIFESTS[PROJECT], EVERYTHING),
        (MANIFESTS[APPLICATION], {**MANIFESTS[APPLICATION]["spec"], "destination": at(namespace="kube-system")}),
    ):
        thief.meets("no namespace of the platform", "POST", collection(manifest), {**manifest, "spec": spec})
