"""The guard rails answer on a real API server: each proves itself, and what takes one out of force is found out."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import HUB
from tests.api.persons import Person, patch
from tests.support.guards import connected_to
from tests.support.waiting import wait_until

INSTALL = Path(__file__).parents[2] / "manifests" / "install"
ACCOUNT, NAMESPACES, OBJECTS = names.GUARD_POLICIES
PROJECTS, DECISIONS = names.HUB_GUARD_POLICIES
POLICY, BINDING = "validatingadmissionpolicy", "validatingadmissionpolicybinding"
KEY, LABEL = names.ANNOTATION_GUARD_PROBE, names.LABEL_INSTALLATION
SYNC = f"--namespace={names.SYNC_NAMESPACE}"
DRY = ["create", "--dry-run=server", "--filename=-"]
SECONDS = 20
"""For what takes the API server a second and the operator some questions, on a machine that does much else."""


def thing(kind: str, mark: str, *, api: str = "v1", labelled: bool = True, **fields: Any) -> dict[str, Any]:
    """Return an object that carries the annotation of the probe."""
    labels = {LABEL: "test"} if labelled else {}
    metadata = {"name": "guard-probed", "labels": labels, "annotations": {KEY: mark}}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


@pytest.fixture(scope="module")
def admin(installed: ControlPlane) -> Iterator[Person]:
    """The administrator, who puts everything back in the end."""
    admin = Person(installed, installed.kubeconfig)
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "ProjectOnboarding",
        "metadata": {"name": "guard-probed"},
        "spec": {"owner": {"name": "Ada", "email": "ada@example.org"}},
    }
    admin.does("create", "--filename=-", body=body)
    yield admin
    admin.does("delete", "projectonboarding", "guard-probed")
    restore(admin)


@pytest.fixture(scope="module")
def account(installed: ControlPlane, admin: Person) -> Person:
    """The operator's account, with no other rights than it is given."""
    return Person(installed, installed.kubeconfig_for_service_account("project-onboarding", names.MANAGER))


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


def restore(admin: Person) -> None:
    """Make policies and bindings again what the manifests say, whatever a test has made of them.

    They are replaced: what somebody else added to a set of values would stay when they are applied.
    """
    rendered = yaml.safe_load_all(admin.does("kustomize", str(INSTALL)))
    items = [item for item in rendered if item["kind"].startswith("ValidatingAdmissionPolicy")]
    there = set(admin.does("get", f"{POLICY},{BINDING}", "--output=name").split())
    for verb, wanted in (("replace", True), ("create", False)):
        chosen = [item for item in items if (place(item) in there) is wanted]
        if chosen:
            admin.does(verb, "--filename=-", body={"apiVersion": "v1", "kind": "List", "items": chosen})


def place(item: dict[str, Any]) -> str:
    """Return an object's place as kubectl names it."""
    return f"{item['kind'].lower()}.admissionregistration.k8s.io/{item['metadata']['name']}"


def refuses(person: Person, policy: str, *command: str, body: Any = None) -> bool:
    """Return whether a policy refuses this in the words of the probe."""
    words = f"guard probe refused (rule {policy}): version {names.GUARD_VERSION} of the policies is in force"
    return words in person.refusal(*command, body=body)


MARKED: dict[str, list[Any]] = {
    NAMESPACES: [*DRY, thing("Namespace", NAMESPACES)],
    OBJECTS: [*DRY, SYNC, thing("ServiceAccount", OBJECTS)],
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


@pytest.mark.parametrize("policy", [ACCOUNT, NAMESPACES, OBJECTS])
def test_it_is_refused_to_the_operator_too(account: Person, policy: str) -> None:
    kind, place = ("Namespace", []) if policy == NAMESPACES else ("ServiceAccount", [SYNC])
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


async def test_all_policies_are_proven_at_the_start(account: Person) -> None:
    async with connected_to(account.kubeconfig, "guard-probed") as hub:
        await hub.until_guarded(within=SECONDS)
        await hub.cluster.guards_answered()
        await hub.until_guarded(within=SECONDS)


async def test_a_cluster_is_not_written_to_before_they_have_answered(account: Person) -> None:
    async with connected_to(account.kubeconfig) as hub:
        assert hub.cluster.state.starting
        assert not hub.cluster.state.guarded


@asynccontextmanager
async def put_back(admin: Person) -> AsyncIterator[None]:
    """Make policies and bindings again what they were, however the test goes."""
    try:
        yield
    finally:
        await asyncio.to_thread(restore, admin)


async def do(person: Person, *command: str, body: Any = None) -> str:
    """Run kubectl while the connection goes on."""
    return await asyncio.to_thread(person.does, *command, body=body)


@pytest.mark.parametrize("policy", [*names.GUARD_POLICIES, *names.HUB_GUARD_POLICIES])
async def test_a_binding_that_goes_is_missed_at_once_and_found_again(
    admin: Person, account: Person, policy: str
) -> None:
    async with connected_to(account.kubeconfig, "guard-probed") as hub:
        await hub.until_guarded(within=SECONDS)
        async with put_back(admin):
            await do(admin, "delete", BINDING, policy)
            await hub.until_told(f"{policy} is not in force: its binding is missing", within=SECONDS)
        await hub.until_guarded(within=SECONDS)


ASKED = (*names.GUARD_POLICIES, PROJECTS)


@pytest.mark.parametrize("policy", ASKED)
async def test_a_binding_that_only_warns_is_found_out(admin: Person, account: Person, policy: str) -> None:
    """Each of them by its own object: all others go on refusing theirs."""
    async with connected_to(account.kubeconfig, "guard-probed") as hub:
        await hub.until_guarded(within=SECONDS)
        async with put_back(admin):
            await do(admin, *patch(BINDING, policy, {"spec": {"validationActions": ["Warn", "Audit"]}}))
            await hub.until_told(f"{policy} is not in force: nothing refused the object", within=SECONDS)
        await hub.until_guarded(within=SECONDS)


def rule(admin: Person, policy: str, change: Any) -> list[str]:
    """Return the command that makes the first rule of a policy another one."""
    first = json.loads(admin.does("get", POLICY, policy, "--output=json"))["spec"]["validations"][0]
    return patch(POLICY, policy, [{"op": "replace", "path": "/spec/validations/0", "value": {**first, **change}}])


CHANGES: dict[str, tuple[dict[str, str], str]] = {
    "another version": (
        {"message": f"guard probe refused (rule {OBJECTS}): version 0 of the policies is in force."},
        f"it is version 0 instead of {names.GUARD_VERSION}",
    ),
    "no rule for the probe": ({"expression": "true"}, "nothing refused the object"),
    "other words": ({"message": "no"}, "another version of it answers, which does not know its probe: no"),
    "a rule that cannot be evaluated": ({"expression": "object.metadata.labels['none'] == ''"}, "another version"),
}


@pytest.mark.parametrize("case", CHANGES)
async def test_a_policy_of_another_version_is_found_out(admin: Person, account: Person, case: str) -> None:
    change, words = CHANGES[case]
    async with connected_to(account.kubeconfig) as hub:
        await hub.until_guarded(within=SECONDS)
        async with put_back(admin):
            await do(admin, *rule(admin, OBJECTS, change))
            await hub.until_told(f"{OBJECTS} is not in force: {words}", within=SECONDS)
        await hub.until_guarded(within=SECONDS)


async def test_a_binding_that_leaves_our_namespaces_out_is_found_out(admin: Person, account: Person) -> None:
    elsewhere = {"namespaceSelector": {"matchLabels": {"example.org/guarded": "yes"}}}
    async with connected_to(account.kubeconfig) as hub:
        await hub.until_guarded(within=SECONDS)
        async with put_back(admin):
            await do(admin, *patch(BINDING, OBJECTS, {"spec": {"matchResources": elsewhere}}))
            await hub.until_told(f"{OBJECTS} is not in force: nothing refused the object", within=SECONDS)
        await hub.until_guarded(within=SECONDS)


async def test_an_account_that_the_policy_does_not_hold_is_found_out(installed: ControlPlane, admin: Person) -> None:
    """Such as that of a kubeconfig which somebody made for a site by other means."""
    async with connected_to(admin.kubeconfig) as hub:
        await hub.until_told(f"{ACCOUNT} is not in force: nothing refused the object", within=SECONDS)


def webhook(kind: str) -> dict[str, Any]:
    """Return a mutating webhook that is down, on the creation of one kind."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "guard-probes-down"},
        "webhooks": [
            {
                "name": "down.example.org",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 1,
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [kind]}],
            }
        ],
    }


async def test_what_stands_in_the_way_is_told_and_ends_no_proof(admin: Person, account: Person) -> None:
    """Without a proof nothing is written, and the words of what answered are shown; with one it stands."""
    async with connected_to(account.kubeconfig) as proven:
        await proven.until_guarded(within=SECONDS)
        await do(admin, "create", "--filename=-", body=webhook("namespaces"))
        try:
            async with connected_to(account.kubeconfig) as hub:
                await hub.until_told('failed calling webhook "down.example.org"', unknown=True, within=SECONDS)
                assert NAMESPACES in hub.cluster.state.guard_problem
                assert proven.cluster.state.guarded
                await do(admin, "delete", "mutatingwebhookconfiguration", "guard-probes-down")
                await hub.until_guarded(within=SECONDS)
        finally:
            await do(admin, "delete", "mutatingwebhookconfiguration", "guard-probes-down", "--ignore-not-found")


async def test_a_site_without_the_namespace_for_accounts_is_told_apart(admin: Person, account: Person) -> None:
    apply = ["apply", "--server-side", "--force-conflicts", "--kustomize", str(INSTALL)]
    await do(admin, "delete", "namespace", names.SYNC_NAMESPACE)
    try:
        async with connected_to(account.kubeconfig) as hub:
            await hub.until_told("until the manifests are applied again", unknown=True, within=SECONDS)
            await do(admin, *apply)
            await hub.until_guarded(within=SECONDS)
    finally:
        await do(admin, *apply)


async def test_the_probes_leave_nothing_behind(admin: Person, account: Person) -> None:
    async with connected_to(account.kubeconfig, "guard-probed") as hub:
        await hub.until_guarded(within=SECONDS)
    assert "guard-probe" not in await do(admin, "get", "namespaces,serviceaccounts", "--all-namespaces")
    project = json.loads(await do(admin, "get", "projectonboarding", "guard-probed", "--output=json"))
    assert "annotations" not in project["metadata"]


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
    project = json.loads(await do(admin, "get", "projectonboarding", "guard-probed", "--output=json"))
    assert project["metadata"]["annotations"][KEY] == PROJECTS, "left by the test before"
    async with connected_to(account.kubeconfig, "guard-probed") as hub:
        await hub.cluster.guards_answered()
        await hub.until_guarded(within=SECONDS)
    await do(admin, *patch("projectonboarding", "guard-probed", {"metadata": {"annotations": None}}))


async def test_a_site_knows_nothing_of_the_policies_of_the_hub(account: Person) -> None:
    async with connected_to(account.kubeconfig, name="site/kubeconfig") as site:
        await site.until_guarded(within=SECONDS)
    assert site.cluster.name != HUB
