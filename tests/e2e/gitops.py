"""The stage on which Argo CD syncs ProjectOnboardings from Git: its real controllers, our operator, our examples."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devcluster import ArgoCD, ControlPlane, GitServer
from devcluster.git_repository import Repository
from tests.support.hub import Hub
from tests.support.installing import ROOT, apply, install
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

EXAMPLES = ROOT / "examples"
_URL = "https://git.example.org/platform/projects.git"
_REFRESH = "argocd.argoproj.io/refresh"
State = tuple[str, str]


@dataclass(frozen=True)
class GitOps:
    """A hub whose Argo CD may read one repository of projects, by the rights of ``examples/gitops``."""

    hub: Hub
    argocd: ArgoCD
    repository: Repository

    def example(self, name: str) -> str:
        """Return a file of ``examples/gitops`` for the repository of this stage."""
        return (EXAMPLES / "gitops" / name).read_text().replace(_URL, self.repository.url)

    def allow(self) -> None:
        """Give Argo CD the rights of the example."""
        self.hub.cluster.kubectl("apply", "--filename=-", stdin=self.example("access.yaml"))

    def syncs(
        self,
        name: str,
        *,
        options: Iterable[str] = (),
        prune: bool = False,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Let an Application, but for its options as the example's, sync the folder of its name."""
        spec = yaml.safe_load(self.example("applicationset.yaml"))["spec"]["template"]["spec"]
        spec["source"] = {**spec["source"], "path": name, "directory": {}}
        spec["syncPolicy"]["automated"]["prune"] = prune
        spec["syncPolicy"]["syncOptions"] = list(options)
        metadata = {"name": name, "namespace": "argocd", "annotations": dict(annotations or {})}
        apply(
            self.hub.cluster,
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec},
        )

    def commit(self, application: str, files: Mapping[str, Mapping[str, Any] | str | None]) -> None:
        """Commit files of an Application's folder, and have them looked at."""
        texts = {
            f"{application}/{name}": yaml.safe_dump(dict(content), sort_keys=False)
            if isinstance(content, Mapping)
            else content
            for name, content in files.items()
        }
        self.repository.commit(texts)
        if self.status(application):
            self.argocd.refresh(application, hard=True)

    def status(self, application: str) -> dict[str, Any]:
        """Return the status of an Application; empty where there is none."""
        found = self.hub.cluster.kubectl(
            "get", "application", application, "--namespace=argocd", "--output=json", "--ignore-not-found"
        )
        return json.loads(found.stdout or "{}").get("status", {})

    def compared(self, application: str) -> State:
        """Have an Application compared anew from nothing and return its sync and health."""
        self.argocd.refresh(application, hard=True)
        wait_until(
            lambda: _REFRESH not in self.argocd.application(application)["metadata"].get("annotations", {}),
            what=f"{application} is compared",
        )
        status = self.status(application)
        return status["sync"]["status"], status["health"]["status"]

    def health(self, application: str) -> dict[str, State]:
        """Return health and message of each project of an Application."""
        found = self.status(application).get("resources", ())
        return {
            item["name"]: (item["health"]["status"], item["health"].get("message", ""))
            for item in found
            if "health" in item
        }

    def told(self, application: str) -> str:
        """Return everything that an Application says of its last sync."""
        return json.dumps(self.status(application).get("operationState", {}))

    def says(self, application: str, words: str) -> None:
        """Wait until an Application says these words of its last sync."""
        wait_until(lambda: words in self.told(application), what=f"{application} says {words!r}")

    def look_again(self) -> str:
        """Have the example's ApplicationSet look at Git, and return what it says of itself."""
        command = ("--overwrite", "applicationset", "project-onboarding", "--namespace=argocd", "--output=json")
        looked = self.hub.cluster.kubectl("annotate", *command, "argocd.argoproj.io/application-set-refresh=true")
        return json.dumps(json.loads(looked.stdout).get("status", {}))

    def set_makes(self, *names: str) -> None:
        """Wait until exactly these Applications are the ApplicationSet's; Git's last commit is known late."""

        def there() -> bool:
            self.look_again()
            command = ("get", "applications", "--namespace=argocd", "--output=name")
            found = {item.partition("/")[2] for item in self.hub.cluster.kubectl(*command).stdout.split()}
            return {name for name in found if name.startswith("onboarding.")} == set(names)

        wait_until(there, what=f"the ApplicationSet makes {names}", every=1)

    def answer(self, user: str, *command: str, body: Any = None) -> str:
        """Run kubectl as somebody and return what it prints, an error too."""
        stdin = None if body is None else json.dumps(body)
        done = self.hub.cluster.kubectl(f"--as={user}", *command, stdin=stdin, check=False)
        return done.stdout + done.stderr


@contextmanager
def a_gitops_stage(directory: Path) -> Iterator[GitOps]:
    """Run a control plane of its own, since the Argo CD of other suites is played."""
    with ControlPlane.start("gitops") as cluster, GitServer.start() as git:
        # Without it the health of each resource is not in the Application, and only Argo CD's API tells it.
        argocd = ArgoCD.start(cluster, application_sets=True, parameters={"controller.resource.health.persist": "true"})
        install(cluster, argocd=False)
        patch = f"--patch-file={ROOT / 'manifests/argocd/health.yaml'}"
        cluster.kubectl("patch", "configmap", "argocd-cm", "--namespace=argocd", patch)
        repository = git.create("platform/projects", {"README.md": "One file a project.\n"})
        stage = GitOps(Hub(cluster), argocd, repository)
        stage.allow()
        operator = OperatorProcess.on(cluster, directory)
        try:
            yield stage
        finally:
            operator.stop()
            argocd.stop()
