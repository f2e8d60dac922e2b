"""Argo CD's real controllers beside a control plane, without containers."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devcluster import registration
from devcluster.argocd_install import install
from devcluster.argocd_programs import APPLICATION_SETS, CONTROLLER, REDIS, REPO_SERVER, Plan, certificates
from devcluster.builds import ARGOCD, HELM
from devcluster.cluster import Cluster
from devcluster.controlplane import ControlPlane
from devcluster.errors import AlreadyRunningError, DevclusterError, NotRunningError
from devcluster.ports import with_free_ports
from devcluster.waiting import wait_until

_ALWAYS = (REDIS, REPO_SERVER, CONTROLLER)
_APPLICATIONS = "applications.argoproj.io"


class ArgoCD:
    """An Argo CD whose application controller and repository server run on this machine."""

    def __init__(self, control_plane: ControlPlane, namespace: str) -> None:
        self.control_plane = control_plane
        self.namespace = namespace

    @classmethod
    def start(
        cls,
        control_plane: ControlPlane,
        *,
        namespace: str = "argocd",
        settings: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        impersonation: bool = True,
        refresh_seconds: int = 10,
        application_sets: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> Self:
        """Install Argo CD and start its controllers, which end with the control plane; one for each control plane.

        Settings go into argocd-cm, parameters into argocd-cmd-params-cm. A commit is seen after at most twice the
        refresh time.
        """
        if cls.runs(control_plane):
            raise AlreadyRunningError("Argo CD runs already beside this control plane: stop it first")
        tell = progress or (lambda _message: None)
        binaries, helm = ARGOCD.folder(tell), HELM.folder(tell)
        tell("installing Argo CD")
        ours = {
            "application.sync.impersonation.enabled": str(impersonation).lower(),
            "application.sync.impersonation.enforced": "true",
            "application.sync.requireOverridePrivilegeForRevisionSync": "true",
            "timeout.reconciliation": f"{refresh_seconds}s",
            "timeout.reconciliation.jitter": "0s",
        }
        install(control_plane, namespace, {**ours, **(settings or {})}, parameters or {})
        tell("starting Argo CD")
        argocd = cls(control_plane, namespace)
        # What a start that was broken off has left behind would be in the way.
        argocd.stop()
        parts = (*_ALWAYS, APPLICATION_SETS) if application_sets else _ALWAYS
        with_free_ports(lambda: control_plane.run(*Plan.make(control_plane, namespace, binaries, helm).programs(parts)))
        return argocd

    @classmethod
    def load(cls, control_plane: ControlPlane, *, namespace: str = "argocd") -> Self:
        """Return the Argo CD that runs beside a control plane."""
        if not cls.runs(control_plane):
            raise NotRunningError("no Argo CD runs beside this control plane: start it with --argocd")
        return cls(control_plane, namespace)

    @staticmethod
    def runs(control_plane: ControlPlane) -> bool:
        """Whether the controllers run beside a control plane."""
        return all(control_plane.programs.alive(part) for part in _ALWAYS)

    def trust(self, ca_file: Path) -> None:
        """Let the repository server trust the servers on this machine that an authority has signed."""
        shutil.copyfile(ca_file, certificates(self.control_plane) / "127.0.0.1")

    def register_cluster(self, remote: Cluster, *, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Let it deploy to another cluster, known by this name."""
        registration.register_cluster(self.control_plane, remote, name=name, namespace=self.namespace, labels=labels)

    def register_repository(self, url: str, *, name: str, password: str | None = None) -> None:
        """Let it read a repository, with a password or token if that is asked for."""
        hub = self.control_plane
        registration.register_repository(hub, url, name=name, namespace=self.namespace, password=password)

    def application(self, name: str) -> dict[str, Any]:
        """Return an Application."""
        answer = self.control_plane.kubectl("get", _APPLICATIONS, name, self._flag, "--output=json")
        found: dict[str, Any] = json.loads(answer.stdout)
        return found

    def refresh(self, name: str, *, hard: bool = False) -> None:
        """Let an Application be compared with its repository now; hard also forgets what was rendered before."""
        how = f"argocd.argoproj.io/refresh={'hard' if hard else 'normal'}"
        self.control_plane.kubectl("annotate", "--overwrite", _APPLICATIONS, name, self._flag, how)

    def wait_for(
        self,
        name: str,
        *,
        sync: str = "Synced",
        health: str = "Healthy",
        revision: str | None = None,
        seconds: float = 60,
    ) -> dict[str, Any]:
        """Wait until an Application is in a state, perhaps of a certain commit, and return it."""
        seen: list[dict[str, Any]] = [{}]

        def there() -> bool:
            seen[:] = [self._status(name)]
            state = seen[0].get("sync", {})
            reached = state.get("status"), seen[0].get("health", {}).get("status")
            return reached == (sync, health) and revision in (None, state.get("revision"))

        try:
            wait_until(there, f"{name} getting {sync} and {health}", seconds)
        except DevclusterError as error:
            error.add_note(_told(seen[0]))
            raise
        return self.application(name)

    def process_id(self, part: str) -> int:
        """Return the process id of a part."""
        return self.control_plane.programs.process_id(part)

    def stop(self) -> None:
        """End the controllers; what they have put into clusters stays."""
        self.control_plane.programs.stop((*_ALWAYS, APPLICATION_SETS))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _status(self, name: str) -> dict[str, Any]:
        """Return the status of an Application; empty where it has none or does not exist yet."""
        answer = self.control_plane.kubectl(
            "get", _APPLICATIONS, name, self._flag, "--output=json", "--ignore-not-found"
        )
        found: dict[str, Any] = json.loads(answer.stdout or "{}").get("status", {})
        return found

    @property
    def _flag(self) -> str:
        return f"--namespace={self.namespace}"


def _told(status: dict[str, Any]) -> str:
    """Return what an Application says about itself."""
    operation = status.get("operationState", {})
    return json.dumps(
        {
            "sync": status.get("sync", {}).get("status"),
            "health": status.get("health"),
            "conditions": status.get("conditions"),
            "operation": [operation.get("phase"), operation.get("message")],
            "resources": [
                [item["kind"], item["name"], item.get("status"), item.get("health")]
                for item in status.get("resources", [])
            ],
        },
        indent=2,
    )
