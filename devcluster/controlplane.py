"""A Kubernetes control plane on this machine, without containers."""

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster import kubeconfig as kubeconfigs
from devcluster.binaries import Binaries, find, find_kubectl
from devcluster.cluster import Cluster
from devcluster.commands import Layout, prepare
from devcluster.errors import AlreadyRunningError, DevclusterError, NotRunningError
from devcluster.folder import Folder
from devcluster.parts import Parts
from devcluster.ports import free_ports, with_free_ports
from devcluster.programs import Program, Programs

KUBECONFIG_VARIABLE = "DEVCLUSTER_KUBECONFIG"
_LISTENERS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


class ControlPlane(Cluster):
    """A control plane that was started here, or the cluster of the kubeconfig that DEVCLUSTER_KUBECONFIG names."""

    def __init__(self, cluster: Cluster, folder: Folder, parts: Parts | None) -> None:
        super().__init__(**vars(cluster))
        self.programs = Programs(folder.path)
        self._folder = folder
        self._own_parts = parts

    @classmethod
    def start(
        cls,
        name: str,
        *,
        directory: Path | None = None,
        detached: bool = False,
        progress: Callable[[str], None] | None = None,
        controllers: bool = True,
    ) -> Self:
        """Start a control plane and wait until it is ready.

        Unless it is detached, it ends with this process, whatever ends that. Without a directory its files lie in a
        temporary one. An error during the start ends what was started and keeps the logs alone.
        """
        tell = progress or (lambda _message: None)
        if given := os.environ.get(KUBECONFIG_VARIABLE):
            return cls._given(Path(given).absolute(), name, directory)
        binaries = find(tell)
        folder = Folder.open(name, directory)
        folder.lock()
        try:
            _end_leftovers(folder)
            parts = with_free_ports(partial(_bring_up, folder, binaries, detached, controllers, tell))
        except BaseException:
            folder.unlock()
            raise
        if detached:
            folder.unlock()
        return cls._of(parts, folder)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Return the detached control plane that runs in a folder."""
        control_plane = cls.recorded(directory)
        if control_plane is None or not control_plane._parts.running:
            raise NotRunningError(f"no control plane runs in {directory}: start one with python -m devcluster up")
        return control_plane

    @classmethod
    def recorded(cls, directory: Path) -> Self | None:
        """Return what was started in a folder and not stopped, even if it does not run any more."""
        parts = Parts.recorded(directory.absolute())
        return cls._of(parts, Folder(directory.absolute(), temporary=False)) if parts else None

    @classmethod
    def _of(cls, parts: Parts, folder: Folder) -> Self:
        layout = parts.layout
        authority = layout.authority.files.certificate
        kubectl = parts.binaries.kubectl
        return cls(Cluster(folder.path, layout.server, authority, layout.kubeconfig("admin"), kubectl), folder, parts)

    @classmethod
    def _given(cls, kubeconfig: Path, name: str, directory: Path | None) -> Self:
        server, authority = kubeconfigs.read_cluster(kubeconfig)
        kubectl = find_kubectl()
        folder = Folder.open(name, directory)
        ca_file = folder.path / "data" / "ca.crt"
        ca_file.parent.mkdir(parents=True, exist_ok=True)
        ca_file.write_bytes(authority)
        return cls(Cluster(folder.path, server, ca_file, kubeconfig, kubectl), folder, None)

    @property
    def is_ours(self) -> bool:
        """Whether it was started here; the cluster of a given kubeconfig was not."""
        return self._own_parts is not None

    @property
    def audit_log(self) -> Path:
        """Return the file to which the API server writes one line of JSON for every request it has answered."""
        return self._parts.layout.logs / "audit.log"

    @property
    def binaries(self) -> Binaries:
        """Return the programs it runs."""
        return self._parts.binaries

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Write the kubeconfig of a user who shows a client certificate."""
        identity = hashlib.sha256("\n".join([user, *groups]).encode()).hexdigest()[:8]
        name = f"user-{re.sub('[^A-Za-z0-9]+', '-', user)}-{identity}"
        layout = self._parts.layout
        login = kubeconfigs.certificate_user(layout.authority.client(name, user, groups))
        return kubeconfigs.write(layout.kubeconfig(name), self.server, self.ca_file, login)

    def process_id(self, part: str) -> int:
        """Return the process id of a part."""
        return self._parts.process(part).pid

    def stop_part(self, part: str) -> None:
        """End one part."""
        self._parts.stop(part)

    def start_part(self, part: str) -> None:
        """Start one part again, on the same port and data, and wait until it is ready."""
        if self._parts.process(part).alive:
            raise AlreadyRunningError(f"{part} runs already: stop it first")
        self._parts.start(part)

    def run(self, *programs: Program) -> None:
        """Start programs that end with this control plane, and wait until they are ready."""
        self.programs.start(programs, outlive_us=self._own_parts is not None and self._own_parts.detached)

    def stop(self, *, keep_logs: bool = False) -> None:
        """End every part and delete its data; logs stay in a folder that was asked for, or if they shall be kept."""
        self.programs.stop_all()
        if self._own_parts is not None:
            self._own_parts.stop_all()
        self._folder.close(keep_logs=keep_logs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(keep_logs=error is not None)
        if error is not None and self.is_ours:
            error.add_note(f"the control plane's logs are kept in {self.directory}")

    @property
    def _parts(self) -> Parts:
        if self._own_parts is None:
            raise DevclusterError(
                f"{self.server} was not started here, so this is not possible with it: unset {KUBECONFIG_VARIABLE}"
            )
        return self._own_parts


def _end_leftovers(folder: Folder) -> None:
    """End what a start that was itself killed has left behind."""
    leftovers = Parts.recorded(folder.path)
    if leftovers is None:
        return
    if leftovers.running:
        raise AlreadyRunningError(
            f"a control plane runs already in {folder.path}: stop it with python -m devcluster down"
        )
    Programs(folder.path).stop_all()
    leftovers.stop_all()


def _bring_up(
    folder: Folder, binaries: Binaries, detached: bool, controllers: bool, tell: Callable[[str], None]
) -> Parts:
    folder.clear(keep_logs=False)
    layout = Layout(folder.path, dict(zip(_LISTENERS, free_ports(len(_LISTENERS)), strict=True)))
    parts = Parts(layout, binaries, detached)
    try:
        prepare(layout)
        tell("starting etcd")
        parts.start("etcd")
        tell("starting the API server")
        parts.start("kube-apiserver")
        if controllers:
            tell("starting the controller manager and the scheduler")
            parts.start("kube-controller-manager", "kube-scheduler")
        parts.declare_ready()
    except BaseException:
        parts.stop_all()
        folder.clear(keep_logs=True)
        raise
    return parts
