"""The operator finds out on a real API server whether the guard rails are in force, whatever was made of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.guard_objects import (
    ACCOUNT,
    BINDING,
    INSTALL,
    NAMESPACES,
    OBJECTS,
    POLICY,
    PROJECT,
    PROJECTS,
    restore,
)
from tests.api.persons import Person, patch
from tests.support.guards import connected_to

SECONDS = 20
"""For what takes the API server a second and the operator some questions, on a machine that does much else."""


@pytest.fixture(scope="module")
def admin(installed: ControlPlane) -> Iterator[Person]:
    """The administrator, who puts everything back in the end."""
    admin = Person(installed, installed.kubeconfig)
    admin.does("create", "--filename=-", body=PROJECT)
    yield admin
    admin.does("delete", "projectonboarding", "guard-probed")
    restore(admin)


@pytest.fixture(scope="module")
def account(installed: ControlPlane, admin: Person) -> Person:
    """The operator's account, with no other rights than it is given."""
    return Person(installed, installed.kubeconfig_for_service_account("project-onboarding", names.MANAGER))


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


async def test_a_site_knows_nothing_of_the_policies_of_the_hub(account: Person) -> None:
    async with connected_to(account.kubeconfig, name="site/kubeconfig") as site:
        await site.until_guarded(within=SECONDS)
