"""Each admission policy refuses its probe to everybody, and the probe's annotation leads nowhere else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.guard_objects import (
    ACCOUNT,
    BINDING,
    DECISIONS,
    DETACHED,
    DRY,
    KEY,
    NAMESPACES,
    OBJECTS,
    PROJECT,
    PROJECTS,
    SYNC,
    refuses,
    restore,
    thing,
)
from tests.api.persons import Person, patch, reading_projects
from tests.support.guards import connected_to
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def admin(installed: ControlPlane) -> Iterator[Person]:
    """The administrator, who puts everything back in the end."""
    admin = Person(installed, installed.kubeconfig)
    admin.does("create", "--filename=-", body=PROJECT)
    yield admin
    admin.does("delete", "projectonboarding", "guard-probed")
    restore(admin)


@pytest.fixture(scope="module")
def account(installed: ControlPlane, admin: Person) -> Iterator[Person]:
    """The operator's account, with no other rights than it is given, and that to read what kubectl patches."""
    with reading_projects(admin):
        yield Person(installed, installed.kubeconfig_for_service_account("project-onboarding", names.MANAGER))


@pytest.fixture(scope="module")
def argocd(installed: ControlPlane, admin: Person) -> Iterator[Person]:
    """Argo CD's application controller, which holds every verb there is."""
    made = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "argocd-application-controller", "namespace": "argocd"},
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "test-guard-probes"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [
                    {"kind": "ServiceAccount", "name": "argocd-application-controller", "namespace": "argocd"}
                ],
            },
        ],
    }
    admin.does("apply", "--filename=-", body=made)
    yield Person(installed, installed.kubeconfig_for_service_account("argocd", "argocd-application-controller"))
    admin.does("delete", "clusterrolebinding", "test-guard-probes")


MARKED: dict[str, list[Any]] = {
    NAMESPACES: [*DRY, thing("Namespace", NAMESPACES)],
    OBJECTS: [*DRY, SYNC, thing("ServiceAccount", OBJECTS)],
    DETACHED: [*DRY, thing("Namespace", DETACHED, labelled=False)],
    PROJECTS: [*patch("projectonboarding", "guard-probed", {"metadata": {"annotations": {KEY: PROJECTS}}}), None],
    DECISIONS: [
        *DRY,
        thing(
            "OnboardingDecision",
            DECISIONS,
            api=names.API_VERSION,
            spec={
                "decision": "Suspend",
                "project": {"name": "guard-probed", "uid": "00000000-0000-0000-0000-000000000000"},
                "by": {"username": "ada", "groups": []},
                "reason": "It is time.",
            },
        ),
    ],
}
"""By policy, a request whose object carries its name; the last is the body."""


@pytest.mark.parametrize("policy", MARKED)
def test_an_object_with_a_policys_name_is_refused_to_everybody(admin: Person, argocd: Person, policy: str) -> None:
    """Also to the holders of every verb, bypass included."""
    *command, body = MARKED[policy]
    for person in (admin, argocd):
        wait_until(lambda person=person: refuses(person, policy, *command, body=body), what=f"{policy} is enforced")


@pytest.mark.parametrize("policy", names.GUARD_POLICIES)
def test_it_is_refused_to_the_operator_too(account: Person, policy: str) -> None:
    kind, place = ("Namespace", []) if policy in (NAMESPACES, DETACHED) else ("ServiceAccount", [SYNC])
    wait_until(lambda: refuses(account, policy, *DRY, *place, body=thing(kind, policy)), what=f"{policy} is enforced")
    assert refuses(account, policy, *DRY, *place, body=thing(kind, f"{policy}/0123abcd"))


def test_the_annotation_is_no_way_around_a_rule(admin: Person, argocd: Person, account: Person) -> None:
    """With the name of a policy that does not meet the object, or of none, every other rule holds as before."""
    for mark in (DECISIONS, "anything"):
        argocd.meets(OBJECTS, *DRY, SYNC, body=thing("ServiceAccount", mark))
        argocd.meets(NAMESPACES, *DRY, body=thing("Namespace", mark))
        account.meets(ACCOUNT, *DRY, SYNC, body=thing("ServiceAccount", mark, labelled=False))
        account.meets(ACCOUNT, *DRY, "--namespace=default", body=thing("ServiceAccount", mark))
        assert not account.refusal(*DRY, SYNC, body=thing("ServiceAccount", mark))


def test_what_carried_the_annotation_before_the_policies_is_like_any_other(
    installed: ControlPlane, admin: Person, account: Person
) -> None:
    """The operator goes on changing and deleting it, and others are kept from it as before."""
    for policy in (NAMESPACES, OBJECTS, PROJECTS, ACCOUNT):
        admin.does("delete", BINDING, policy)
    marked = thing("Namespace", NAMESPACES)
    inside = thing("ServiceAccount", OBJECTS)
    wait_until(lambda: not admin.refusal(*DRY, body=marked), what="the policies are gone")
    wait_until(lambda: not admin.refusal(*MARKED[PROJECTS][:-1], "--dry-run=server"), what="that on projects is gone")
    admin.does("create", "--filename=-", body=marked)
    admin.does("create", "--filename=-", "--namespace=guard-probed", body=inside)
    admin.does(*MARKED[PROJECTS][:-1])
    restore(admin)
    for policy in (NAMESPACES, OBJECTS, PROJECTS):
        *command, body = MARKED[policy]
        other = json.loads(json.dumps([command, body]).replace(policy, f"{policy}/new"))
        wait_until(lambda p=policy, o=other: refuses(admin, p, *o[0], body=o[1]), what=f"{policy} is back")
    wait_until(
        lambda: refuses(account, ACCOUNT, *DRY, SYNC, body=thing("ServiceAccount", ACCOUNT)), what="and the last"
    )
    editing = {"metadata": {"annotations": {"projectonboarding.io/admitted": "{}"}}}
    place = "--namespace=guard-probed"
    account.does(*patch("namespace", "guard-probed", editing))
    account.does(*patch("serviceaccount", "guard-probed", {**editing, "automountServiceAccountToken": False}, place))
    finalizer = [{"op": "add", "path": "/metadata/finalizers", "value": [names.FINALIZER]}]
    account.does(*patch("projectonboarding", "guard-probed", finalizer))
    account.does(*patch("projectonboarding", "guard-probed", [{"op": "remove", "path": "/metadata/finalizers"}]))
    account.does(*patch("serviceaccount", "guard-probed", {"metadata": {"annotations": {KEY: None}}}, place))
    account.does("delete", "serviceaccount", "guard-probed", place)
    account.does("delete", "namespace", "guard-probed", "--wait=false")
    gone = ["get", "namespace", "guard-probed"]
    wait_until(lambda: "NotFound" in admin.refusal(*gone), what="the end of the namespace")


async def test_a_project_that_carries_the_annotation_proves_its_policy_all_the_same(
    admin: Person, account: Person
) -> None:
    project = json.loads(admin.does("get", "projectonboarding", "guard-probed", "--output=json"))
    assert project["metadata"]["annotations"][KEY] == PROJECTS, "left by the test before"
    async with connected_to(account.kubeconfig, "guard-probed") as hub:
        await hub.cluster.guards_answered()
        await hub.until_guarded(within=20)
    admin.does(*patch("projectonboarding", "guard-probed", {"metadata": {"annotations": None}}))
