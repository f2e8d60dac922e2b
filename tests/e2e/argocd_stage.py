"""The stage for Argo CD's real controllers: two clusters, an Argo CD on each, a Git server, and the operator."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devcluster import ArgoCD, ControlPlane, GitServer, Nodes
from devcluster.git_repository import Repository
from onboarding import names
from onboarding.build.kinds import Manifest
from tests.support.api import Api
from tests.support.hub import ROOT, Hub
from tests.support.installing import ROOT as FILES
from tests.support.installing import install
from tests.support.operator import NAMESPACE as HOME
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

SITE_ACCOUNT = "project-onboarding-site"
SECRET = "spoke"
HERE, HUB_SERVED, SELF_SERVED = "in-cluster", "internal", "sovereign"
"""The targets: the hub, the spoke served by the Argo CD of the hub, and the spoke served by its own."""


@dataclass(frozen=True)
class Stage:
    """A running operator, two clusters that it builds on, and what deploys to them."""

    hub: Hub
    spoke: ControlPlane
    far: Api
    """The spoke, as its administrator."""
    git: GitServer
    argocd: ArgoCD
    """On the hub; it serves the targets ``in-cluster`` and ``internal``."""
    site_argocd: ArgoCD
    """On the spoke; it serves the target ``sovereign``."""
    operator: OperatorProcess

    def repository(self, name: str, **objects: Manifest) -> Repository:
        """Make a repository that holds these objects in the folder ``deploy``, one file each."""
        return self.git.create(f"team/{name}", files(**objects))

    def commit(self, repository: Repository, **objects: Manifest | None) -> str:
        """Write objects into the folder ``deploy``, take away those that are None, and return the commit."""
        return repository.commit(files(**objects))

    def git_repository(self, name: str) -> Repository:
        """Return a repository that was made before."""
        return Repository(self.git.directory / "repositories" / f"team/{name}.git", f"{self.git.url}/team/{name}.git")

    def declare(
        self, name: str, repository: Repository, *environments: Manifest, revision: str = "main", **spec: Any
    ) -> Manifest:
        """Declare a project of one repository; without environments it has ``dev`` on the hub."""
        source = {"name": "app", "url": repository.url, "revision": revision, "path": "deploy"}
        declared = list(environments) or [environment("dev", HERE)]
        return self.hub.declare(name, **{"repositories": [source], "environments": declared, **spec})

    def open(self, name: str, repository: Repository, *environments: Manifest, **options: Any) -> Manifest:
        """Declare a project and wait until everything is in place that Argo CD needs for it."""
        declared = self.declare(name, repository, *environments, **options)
        self.hub.wait(name, within=60)
        return declared

    def api(self, target: str) -> Api:
        """Return the cluster of a target."""
        return self.hub.api if target == HERE else self.far

    def served_by(self, target: str) -> ArgoCD:
        """Return the Argo CD that serves a target."""
        return self.site_argocd if target == SELF_SERVED else self.argocd


def environment(name: str, target: str, **more: Any) -> Manifest:
    """Return an environment of stage dev."""
    return {"name": name, "stage": "dev", "target": target, **more}


def files(**objects: Manifest | None) -> dict[str, Any]:
    """Return objects as files of the folder ``deploy``; None takes one away."""
    return {f"deploy/{name}.yaml": item and yaml.safe_dump(item) for name, item in objects.items()}


def deployment(name: str, *, replicas: int = 1) -> Manifest:
    """Return a Deployment that keeps to Pod Security ``restricted`` and names its resources."""
    container = {
        "name": "web",
        "image": "registry.example.org/team/web:1.0",
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "64Mi"},
            "limits": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "128Mi"},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def config_map(name: str, **data: str) -> Manifest:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@contextmanager
def set_stage(directory: Path) -> Iterator[Stage]:
    """Start everything; the operator runs under its own account, and under the site's on the spoke."""
    with ExitStack() as running:
        hub, spoke = (running.enter_context(ControlPlane.start(name)) for name in ("hub", "spoke"))
        git = running.enter_context(GitServer.start())
        argocd, site_argocd = (ArgoCD.start(cluster) for cluster in (hub, spoke))
        for cluster in (hub, spoke):
            Nodes.start(cluster)
        install(hub, argocd=False)
        spoke.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/site"))
        argocd.register_cluster(spoke, name="spoke")
        stage = Hub(hub)
        connect(stage, spoke)
        stage.api.create(f"{ROOT}/hostingtargets", target(HUB_SERVED, location="Hub", destinationServer=spoke.server))
        stage.api.create(f"{ROOT}/hostingtargets", target(SELF_SERVED, location="Site"))
        operator = OperatorProcess.on(hub, directory)
        running.callback(operator.stop)
        yield Stage(stage, spoke, Api(spoke), git, argocd, site_argocd, operator)


def connect(hub: Hub, spoke: ControlPlane) -> None:
    """Give the operator a kubeconfig of the site's own account."""
    kubeconfig = spoke.kubeconfig_for_service_account(HOME, SITE_ACCOUNT).read_text()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}}
    hub.api.apply(f"/api/v1/namespaces/{HOME}/secrets/{SECRET}", {**secret, "stringData": {"kubeconfig": kubeconfig}})


def target(name: str, **argocd: str) -> Manifest:
    """Return a target on the spoke."""
    site = {"name": "site", "kubeconfigSecret": {"name": SECRET}, "argocd": argocd}
    head = {"apiVersion": names.API_VERSION, "kind": "HostingTarget", "metadata": {"name": name}}
    return {**head, "spec": {"sites": [site]}}


def ready_pods(api: Api, namespace: str) -> int:
    """Return how many pods of a namespace are Ready."""
    pods = api.items(f"/api/v1/namespaces/{namespace}/pods")
    conditions = (item for pod in pods for item in pod["status"].get("conditions", ()))
    return sum(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def wait_for_pods(api: Api, namespace: str, count: int) -> None:
    """Wait until exactly so many pods of a namespace are Ready; Argo CD may call a Deployment healthy before."""
    wait_until(lambda: ready_pods(api, namespace) == count, what=f"{namespace} has {count} ready pods")


def operation_says(argocd: ArgoCD, application: str, words: str, *, within: float = 60) -> Manifest:
    """Wait until the last operation of an Application failed with these words, wherever Argo CD put them."""
    told: list[str] = []

    def there() -> Manifest | None:
        found = argocd.application(application)
        told[:] = [said(found)]
        return found if words in told[0] else None

    try:
        return wait_until(there, what=f"{application} says {words!r}", within=within)
    except AssertionError as error:
        error.add_note(f"it says: {told}")
        raise


def said(application: Manifest) -> str:
    """Return everything that Argo CD says of an Application's trouble."""
    status = application.get("status", {})
    operation = status.get("operationState", {})
    resources = operation.get("syncResult", {}).get("resources") or ()
    texts = [operation.get("message", ""), *(item.get("message", "") for item in resources)]
    texts += [condition["message"] for condition in status.get("conditions") or ()]
    return "\n".join(text for text in texts if text)
