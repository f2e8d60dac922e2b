"""Repository Secrets on a real API server, written by the operator's account with no other rights than it is given."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.adapters.client import Client
from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.secrets import KubeSecrets
from onboarding.api.delivery import RepositoryCredential
from onboarding.build.credentials import SECRET, RepositoryLogin, Source
from onboarding.build.kinds import Manifest, ObjectKey
from onboarding.build.revision import Owner
from onboarding.reconcile.apply.diff import Action, Change, Rank
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.repository_secrets import RepositorySecretWriter
from onboarding.reconcile.observed.capacity import CapacityLedger
from tests.api.persons import Person

ROOT = Path(__file__).parents[2]
HOME, ARGO = "--namespace=project-onboarding", "--namespace=argocd"
OWNER = Owner("test", "shop", "11111111-1111-4111-8111-111111111111")
KEY = ObjectKey("hub", SECRET, "argocd", "shop-repo-0123456789abcdef")
CREDENTIAL = RepositoryCredential(name="forge", secret="forge-login", prefixes=("https://git.example.org/",))
LOGIN = RepositoryLogin("https://git.example.org/shop.git", False, CREDENTIAL, Source("u", "1"))
WRITE = Change(Action.CREATE, KEY, Rank.LOGINS, cluster="hub", login=LOGIN)
REMOVE = Change(Action.DELETE, KEY, Rank.LOGINS, cluster="hub")


@pytest.fixture(scope="module")
def admin(installed: ControlPlane) -> Iterator[Person]:
    """Give the operator's account its rights beside Argo CD, and the platform's login a Secret."""
    admin = Person(installed, installed.kubeconfig)
    admin.does("apply", "--server-side", "--kustomize", str(ROOT / "manifests/credentials"))
    put(admin, "old-token")
    yield admin
    admin.does("delete", "--kustomize", str(ROOT / "manifests/credentials"))
    admin.does("delete", "secret", "forge-login", HOME)


@pytest.fixture(scope="module")
def account(installed: ControlPlane, admin: Person) -> Person:
    """The operator's account."""
    return Person(installed, installed.kubeconfig_for_service_account("project-onboarding", names.MANAGER))


@pytest.fixture
async def secrets(account: Person) -> AsyncIterator[KubeSecrets]:
    """Secrets as the operator's account meets them."""
    client = await Client.from_environment(str(account.kubeconfig), request_timeout=10)
    cluster = KubeCluster(
        "hub",
        client,
        ledger=CapacityLedger("test", freed=lambda _name: None),
        idle_timeout=75,
        writes_in_flight=8,
        project_changed=lambda _name: None,
        state_changed=lambda: None,
        on_write=lambda *_words: None,
    )
    secrets = KubeSecrets(
        client,
        "project-onboarding",
        {"hub": cluster},
        changed=lambda: None,
        on_write=lambda *_words: None,
    )
    yield secrets
    await client.close()


def put(admin: Person, token: str) -> None:
    """Let the platform's login be this one."""
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "forge-login"}}
    body = {**head, "stringData": {"username": "bot", "password": token}}
    admin.does("apply", "--filename=-", HOME, body=body)


def live(admin: Person, name: str = KEY.name) -> Manifest:
    """Return a Secret beside Argo CD; empty where there is none."""
    found: Manifest = json.loads(admin.does("get", "secret", name, ARGO, "--output=json", "--ignore-not-found") or "{}")
    return found


def password(admin: Person) -> str:
    return base64.b64decode(live(admin)["data"]["password"]).decode()


async def deliver(secrets: KubeSecrets, change: Change, owner: Owner = OWNER) -> Outcome:
    return await RepositorySecretWriter(secrets).deliver(owner, change)


def test_the_account_reads_no_secret_beside_argo_cd_and_writes_none_elsewhere(account: Person) -> None:
    for command in (["get", "secrets"], ["get", "secret", "any"], ["get", "secrets", "--watch"]):
        assert "forbidden" in account.refusal(*command, ARGO)
        assert "forbidden" in account.refusal(*command, "--namespace=default")
    for namespace in (HOME, "--namespace=default"):
        assert "forbidden" in account.refusal("create", "secret", "generic", "any", namespace)
    assert "forbidden" in account.refusal("get", "secrets", HOME)


async def test_a_login_is_written_renewed_and_removed(secrets: KubeSecrets, admin: Person) -> None:
    assert (await deliver(secrets, WRITE)).result is Result.DONE
    assert password(admin) == "old-token"
    assert live(admin)["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "repository"
    put(admin, "new-token")
    assert (await deliver(secrets, WRITE)).result is Result.DONE
    assert password(admin) == "new-token"
    assert (await deliver(secrets, REMOVE)).result is Result.DONE
    assert not live(admin)
    assert (await deliver(secrets, REMOVE)).result is Result.DONE


STRANGERS: dict[str, dict[str, str]] = {
    "a person's": {},
    "another installation's": {names.LABEL_INSTALLATION: "another"},
    "a project's of the same name": {names.LABEL_INSTALLATION: "test", names.LABEL_PROJECT_UID: "another"},
}


@pytest.mark.parametrize("whose", STRANGERS)
async def test_what_is_not_ours_is_left_alone(secrets: KubeSecrets, admin: Person, whose: str) -> None:
    metadata: dict[str, Any] = {"name": KEY.name, "labels": STRANGERS[whose]}
    admin.does("create", "--filename=-", ARGO, body={"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    try:
        assert (await deliver(secrets, WRITE)).result is Result.CONFLICT
        assert (await deliver(secrets, REMOVE)).result is Result.DONE
        assert "data" not in live(admin)
    finally:
        admin.does("delete", "secret", KEY.name, ARGO)


async def test_a_new_token_is_noticed_without_reading_it(account: Person, admin: Person) -> None:
    client = await Client.from_environment(str(account.kubeconfig), request_timeout=10)
    moved = asyncio.Event()
    secrets = KubeSecrets(client, "project-onboarding", {}, changed=moved.set, on_write=lambda *_words: None, pause=0.1)
    watching = asyncio.create_task(secrets.run())
    try:
        secrets.follow({"forge-login", "not-there"})
        async with asyncio.timeout(10):
            await moved.wait()
        first = secrets.source("forge-login")
        assert first is not None
        assert first.uid
        assert secrets.source("not-there") == Source()
        moved.clear()
        put(admin, "newer-token")
        async with asyncio.timeout(10):
            await moved.wait()
        second = secrets.source("forge-login")
        assert second is not None
        assert second.uid == first.uid
        assert second.version != first.version
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await client.close()
