"""What Argo CD's real controllers say of Applications is in the status, with the true cause; a refresh is free."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from devcluster import ArgoCD, ControlPlane, GitServer, Nodes
from devcluster.git_repository import Repository
from onboarding.build.kinds import Manifest
from tests.e2e.argocd_stage import config_map, deployment, files
from tests.support.audit import Audit
from tests.support.hub import Hub
from tests.support.installing import install
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

# Argo CD, where nobody has built it yet, takes some minutes on two cores.
pytestmark = pytest.mark.timeout(1200)
CHART = {
    "deploy/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "deploy/templates/web.yaml": 'kind: {{ required "a kind is needed" .Values.kind }}\n',
}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "big"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "500Gi"}}},
}
QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "mine"}, "spec": {"hard": {"pods": "99"}}}


@dataclass(frozen=True)
class Rollup:
    """An operator and an Argo CD on one cluster, and repositories."""

    hub: Hub
    git: GitServer
    argocd: ArgoCD
    operator: OperatorProcess

    def declare(self, name: str, repository: Repository, **fields: Any) -> None:
        """Declare a project that deploys the folder ``deploy`` of a repository to ``dev``."""
        source = {"name": "app", "url": repository.url, "revision": "main", "path": "deploy", **fields}
        self.hub.declare(name, repositories=[source])

    def application(self, name: str) -> dict[str, Any]:
        """Return the Application of a project as its status shows it; empty while there is none."""
        found = self.hub.project(name) or {}
        environments = found.get("status", {}).get("environments", ())
        sites = (site for item in environments for site in item.get("sites", ()))
        return next((item for site in sites for item in site.get("applications", ())), {})

    def shows(self, name: str, **words: str) -> dict[str, Any]:
        """Wait until the Application of a project shows these words."""

        def there() -> dict[str, Any] | None:
            found = self.application(name)
            return found if {key: found.get(key) for key in words} == words else None

        try:
            return wait_until(there, what=f"{name} shows {words}", within=60)
        except AssertionError as error:
            error.add_note(f"it shows {self.application(name)}")
            raise

    def says(self, name: str, words: str) -> dict[str, Any]:
        """Wait until ApplicationsHealthy of a project is False with these words, and return the project's status."""

        def there() -> bool:
            found = self.hub.condition(name, "ApplicationsHealthy") or {}
            return found.get("status") == "False" and words in found["message"]

        try:
            wait_until(there, what=f"{name} says {words!r}", within=60)
        except AssertionError as error:
            error.add_note(f"it says {self.hub.condition(name, 'ApplicationsHealthy')}")
            raise
        project = self.hub.project(name)
        assert project is not None
        return project["status"]

    def metric(self, line: str) -> float:
        """Return the value of a metric, 0 while it is not there."""
        lines = self.operator.get("/metrics").splitlines()
        return next((float(text.removeprefix(line)) for text in lines if text.startswith(f"{line} ")), 0)


@pytest.fixture(scope="module")
def rollup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollup]:
    with (
        ControlPlane.start("rollup") as cluster,
        GitServer.start() as git,
        ArgoCD.start(cluster) as argocd,
        Nodes.start(cluster),
    ):
        install(cluster, argocd=False)
        operator = OperatorProcess.on(cluster, tmp_path_factory.mktemp("rollup"))
        try:
            yield Rollup(Hub(cluster), git, argocd, operator)
        finally:
            operator.stop()


@pytest.fixture(scope="module")
def shop(rollup: Rollup) -> Repository:
    """The repository of a project that runs."""
    repository = rollup.git.create("team/shop", files(web=deployment("web"), words=config_map("words", first="1")))
    rollup.declare("shop", repository)
    rollup.hub.wait("shop", within=60)
    rollup.argocd.wait_for("shop-dev-app", revision=repository.revision())
    return repository


def test_what_runs_shows_its_revision_and_its_time(rollup: Rollup, shop: Repository) -> None:
    revision = shop.revision()[:12]
    shown = rollup.shows("shop", sync="Synced", health="Healthy", phase="Succeeded", revision=revision)
    assert datetime.fromisoformat(shown["deployedAt"])
    assert shown.keys() == {"name", "sync", "health", "phase", "revision", "deployedAt"}
    condition = rollup.hub.condition("shop", "ApplicationsHealthy")
    assert condition is not None
    assert (condition["status"], condition["message"]) == ("True", "1 of 1 Applications are Healthy")
    healthy = '_applications{health_status="Healthy",sync_status="Synced"}'
    for metric in ("_application_first_sync_seconds_count", healthy):
        wait_until(lambda metric=metric: rollup.metric(f"onboarding{metric}") >= 1, what=f"{metric} counts it")


def test_a_commit_is_a_deployment_with_another_revision(rollup: Rollup, shop: Repository) -> None:
    count = 'onboarding_deployments_total{phase="Succeeded",stage="dev"}'
    before, former = rollup.metric(count), rollup.shows("shop", health="Healthy")
    commit = shop.commit(files(words=config_map("words", first="2")))
    rollup.argocd.refresh("shop-dev-app")
    shown = rollup.shows("shop", sync="Synced", health="Healthy", phase="Succeeded", revision=commit[:12])
    assert shown["deployedAt"] > former["deployedAt"]
    wait_until(lambda: rollup.metric(count) == before + 1, what="the deployment is counted")


def test_refreshes_cost_no_write(rollup: Rollup, shop: Repository) -> None:
    rollup.shows("shop", sync="Synced", health="Healthy", phase="Succeeded", revision=shop.revision()[:12])
    rollup.hub.fence("fence-one")
    audit = Audit(rollup.hub.cluster)
    for _ in range(3):
        _refresh(rollup, "shop-dev-app")
    rollup.hub.fence("fence-two")
    assert audit.done("shop") == []


def test_a_sync_that_deploys_the_same_again_is_no_deployment(rollup: Rollup, shop: Repository) -> None:
    count = 'onboarding_deployments_total{phase="Succeeded",stage="dev"}'
    before, former = rollup.metric(count), rollup.shows("shop", sync="Synced", health="Healthy", phase="Succeeded")
    ended = rollup.argocd.application("shop-dev-app")["status"]["operationState"]["finishedAt"]
    operation = {"sync": {"revision": shop.revision()}, "initiatedBy": {"username": "somebody"}}
    patch = {"operation": operation}
    rollup.hub.api.patch("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop-dev-app", patch)
    wait_until(lambda: _ended(rollup, "shop-dev-app") not in ("", ended), what="the sync has ended")
    assert rollup.shows("shop", sync="Synced", health="Healthy", phase="Succeeded") == former
    assert rollup.metric(count) == before


def test_a_quota_that_refuses_is_named(rollup: Rollup) -> None:
    rollup.declare("claims", rollup.git.create("team/claims", files(big=CLAIM)))
    status = rollup.says("claims", "the quota of the environment refuses PersistentVolumeClaim/big")
    assert rollup.hub.wait("claims")["reason"] == "Ready"
    assert status["nextActions"][0]["actor"] == "project"
    assert "choose a larger size" in status["nextActions"][0]["action"]
    assert "limit requests.storage=20Gi" in rollup.application("claims")["message"]


def test_a_commit_that_mends_a_refusal_is_taken_up_by_the_next_attempt(rollup: Rollup) -> None:
    """Argo CD by itself tries the commit again that it began with, five times and for minutes."""
    repository = rollup.git.create("team/claimed", files(big=CLAIM))
    rollup.declare("claimed", repository)
    rollup.says("claimed", "the quota of the environment refuses PersistentVolumeClaim/big")
    commit = repository.commit(files(big=None, words=config_map("words", first="1")))
    rollup.argocd.refresh("claimed-dev-app")
    rollup.shows("claimed", sync="Synced", health="Healthy", phase="Succeeded", revision=commit[:12])


def test_a_quota_that_is_used_up_is_named(rollup: Rollup) -> None:
    """Argo CD itself says no more than Progressing here."""
    rollup.declare("crowd", rollup.git.create("team/crowd", files(web=_large(6))))
    rollup.says("crowd", "the quota of the environment is used up: limits.cpu 2 of 2")


def test_a_pod_that_no_quota_has_room_for_is_named(rollup: Rollup) -> None:
    """Neither Argo CD nor the quota, of which nothing is used, tells that its only pod is refused."""
    rollup.declare("giant", rollup.git.create("team/giant", files(web=_large(1, cpu="5"))))
    rollup.says("giant", "the quota of the environment refuses Deployment/web: requested limits.cpu=5")


@pytest.mark.parametrize(
    ("name", "contents", "fields", "words"),
    [
        ("nowhere", files(words=config_map("words")), {"revision": "nowhere"}, "no revision nowhere"),
        ("pathless", {"other/words.yaml": "{}"}, {}, "no path deploy"),
        ("chart", CHART, {}, "do not render: helm template: Error: execution error at"),
        ("quotas", files(mine=QUOTA), {}, "projects may not sync ResourceQuota here"),
    ],
)
def test_what_keeps_a_repository_from_being_deployed_is_said(
    rollup: Rollup, name: str, contents: dict[str, Any], fields: dict[str, str], words: str
) -> None:
    rollup.declare(name, rollup.git.create(f"team/{name}", contents), **fields)
    rollup.says(name, words)


def test_what_is_mended_is_well_again(rollup: Rollup) -> None:
    repository = rollup.git.create("team/mended", {"other/words.yaml": "{}"})
    rollup.declare("mended", repository)
    rollup.says("mended", "no path deploy")
    commit = repository.commit(files(words=config_map("words", first="1")))
    rollup.argocd.refresh("mended-dev-app")
    shown = rollup.shows("mended", sync="Synced", health="Healthy", phase="Succeeded", revision=commit[:12])
    assert "message" not in shown
    condition = rollup.hub.condition("mended", "ApplicationsHealthy")
    assert condition is not None
    assert condition["status"] == "True"


def _refresh(rollup: Rollup, name: str) -> None:
    """Let Argo CD look again, and wait until it has."""
    before = rollup.argocd.application(name)["status"]["reconciledAt"]
    rollup.argocd.refresh(name)
    wait_until(
        lambda: rollup.argocd.application(name)["status"]["reconciledAt"] != before,
        what=f"{name} is looked at again",
    )


def _ended(rollup: Rollup, name: str) -> str:
    """Return when the last operation has ended; the empty string while it runs."""
    ended: str = rollup.argocd.application(name)["status"]["operationState"].get("finishedAt", "")
    return ended


def _large(replicas: int, cpu: str = "500m") -> Manifest:
    """Return a Deployment of which the quota has room for four pods, unless they ask for more."""
    found = deployment("web", replicas=replicas)
    resources = found["spec"]["template"]["spec"]["containers"][0]["resources"]
    for amounts in resources.values():
        amounts["cpu"] = cpu
    return found
