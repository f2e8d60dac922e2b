"""Argo CD's real controllers deploy from repositories that ask for a login, which only the operator hands on."""

import base64
import json
from collections.abc import Iterator
from functools import partial

import pytest

from devcluster import ControlPlane
from devcluster.git_repository import Repository
from onboarding import names
from onboarding.build.credentials import SECRET, secret_name
from onboarding.build.kinds import APPLICATION, Manifest
from tests.api.persons import Person
from tests.e2e.argocd_stage import HERE, HOME, SELF_SERVED, SITE_ACCOUNT, Stage, config_map, environment, files
from tests.support.hub import ARGOCD
from tests.support.installing import ROOT as FILES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(1200)
PLACES = {"dev": HERE, "demo": SELF_SERVED}
ENVIRONMENTS = [environment(name, target) for name, target in PLACES.items()]
FIRST, SECOND = "first-t0ken-of-the-forge", "second-t0ken-of-the-forge"
SOURCE = "forge-login"
TOLD = ("projectonboardings", "onboardingpolicies", "appprojects", "applications", "namespaces", "events")


@pytest.fixture(scope="module")
def forge(stage: Stage) -> Iterator[Stage]:
    """Let the policy offer a login, and both Argo CDs get it."""
    for cluster in (stage.hub.cluster, stage.spoke):
        cluster.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/credentials"))
    put(stage, FIRST)
    prefixes = [f"{stage.git.url}/team"]
    offer(stage, [{"name": "forge", "secret": SOURCE, "prefixes": prefixes, "projects": ["vault", "safe"]}])
    yield stage
    offer(stage, None)


def put(stage: Stage, token: str) -> None:
    """Let the platform's login be this one."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SOURCE}}
    content = {"username": "bot", "password": token}
    stage.hub.api.apply(SECRET.path(HOME, SOURCE), {**secret, "stringData": content})


def offer(stage: Stage, credentials: list[Manifest] | None) -> None:
    stage.hub.change_policy(delivery={"credentials": credentials})


def private(repository: Repository, **more: str) -> Manifest:
    """Return a repository of a project that names the login."""
    source = {"name": "app", "url": repository.url, "revision": "main", "path": "deploy", "credentials": "forge"}
    return {**source, **more}


def delivered(stage: Stage, repository: Repository, target: str) -> str | None:
    """Return the token that an Argo CD has for a repository, as its administrator sees it; None without a Secret."""
    found = stage.api(target).get(SECRET.path(ARGOCD, secret_name("vault", repository.url)))
    return base64.b64decode(found["data"]["password"]).decode() if found else None


def everything_told(stage: Stage) -> str:
    """Return the operator's log, its metrics and every object in which it says something."""
    listed = [
        cluster.kubectl("get", kind, "--all-namespaces", "--output=json", check=False).stdout
        for cluster in (stage.hub.cluster, stage.spoke)
        for kind in TOLD
    ]
    return "\n".join([stage.operator.log.read_text(), stage.operator.get("/metrics"), *listed])


def test_a_private_repository_is_deployed_with_a_login_that_can_be_renewed_and_taken_away(forge: Stage) -> None:
    repository = forge.git.create("team/private", files(one=config_map("one", step="1")), token=FIRST)
    forge.hub.declare("vault", repositories=[private(repository)], environments=ENVIRONMENTS)
    forge.hub.wait("vault", within=60)
    for name, target in PLACES.items():
        forge.served_by(target).wait_for(f"vault-{name}-app", revision=repository.revision())

    # The old token is revoked first, so that only the new one can have brought the commit.
    forge.git.protect("team/private", SECOND)
    commit = repository.commit(files(one=config_map("one", step="2")))
    put(forge, SECOND)
    for name, target in PLACES.items():
        holds = partial(lambda where: delivered(forge, repository, where) == SECOND, target)
        wait_until(holds, what=f"the Argo CD of {target} has the new token", within=60)
        forge.served_by(target).refresh(f"vault-{name}-app", hard=True)
        forge.served_by(target).wait_for(f"vault-{name}-app", revision=commit)
    forge.hub.wait("vault")

    told = everything_told(forge)
    for token in (FIRST, SECOND):
        assert token not in told
        assert base64.b64encode(token.encode()).decode() not in told

    public = forge.repository("public", one=config_map("one", step="3"))
    forge.hub.declare("vault", repositories=[private(public, name="open")], environments=ENVIRONMENTS)
    for target in PLACES.values():
        gone = partial(lambda where: delivered(forge, repository, where) is None, target)
        wait_until(gone, what=f"the Argo CD of {target} has the login no more", within=60)
    forge.hub.wait("vault")

    forge.hub.delete("vault")
    forge.hub.wait_gone("vault", within=60)
    for target in PLACES.values():
        assert delivered(forge, public, target) is None


def test_a_project_that_may_not_use_a_login_is_held_and_gets_none(forge: Stage) -> None:
    repository = forge.git.create("team/secret", files(one=config_map("one")), token=FIRST)
    forge.hub.declare("thief", repositories=[private(repository)], environments=[environment("dev", HERE)])
    forge.hub.wait("thief", "False", "Refused", "for other projects")
    assert not forge.hub.api.get(SECRET.path(ARGOCD, secret_name("thief", repository.url)))
    forge.hub.delete("thief")
    forge.hub.wait_gone("thief")


def test_a_project_is_not_let_in_by_the_login_of_another(forge: Stage) -> None:
    """Argo CD deploys what it has fetched once to whoever names the URL, login or not: so nobody else may."""
    repository = forge.git.create("team/own", files(one=config_map("one")), token=FIRST)
    put(forge, FIRST)
    forge.hub.declare("safe", repositories=[private(repository)], environments=[environment("dev", HERE)])
    forge.hub.wait("safe")
    forge.argocd.wait_for("safe-dev-app", revision=repository.revision())
    source = {"name": "app", "url": repository.url, "revision": repository.revision(), "path": "deploy"}
    forge.hub.declare("guest", repositories=[source], environments=[environment("dev", HERE)])
    forge.hub.wait("guest", "False", "Refused", "a login of other projects: forge")
    assert not forge.hub.api.get(APPLICATION.path(ARGOCD, "guest-dev-app"))
    for name in ("safe", "guest"):
        forge.hub.delete(name)
        forge.hub.wait_gone(name, within=60)


@pytest.mark.parametrize("where", ["hub", "site"])
def test_the_operator_cannot_read_what_argo_cd_keeps_secret(forge: Stage, where: str) -> None:
    cluster, name = (forge.hub.cluster, names.MANAGER) if where == "hub" else (forge.spoke, SITE_ACCOUNT)
    account = account_of(cluster, name)
    namespace = f"--namespace={ARGOCD}"
    for command in (["get", "secrets"], ["get", "secrets", "--watch"], ["get", "secret", "argocd-secret"]):
        assert "forbidden" in account.refusal(*command, namespace)
    patch = ["patch", "secret", "argocd-secret", namespace, "--output=json"]
    change = json.dumps({"metadata": {"annotations": {"a": "b"}}})
    # kubectl reads before it patches; the request itself is what has to be refused.
    assert "forbidden" in account.refusal(*patch, f"--patch={change}")


def account_of(cluster: ControlPlane, name: str) -> Person:
    return Person(cluster, cluster.kubeconfig_for_service_account(HOME, name))
