"""Nodes without machines: kwok lets them and their pods become ready."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devcluster.builds import KWOK
from devcluster.controlplane import ControlPlane
from devcluster.ports import free_ports, with_free_ports
from devcluster.programs import Program
from devcluster.readiness import answers

_NAME = "kwok"
_CAPACITY = {"cpu": "32", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "110"}
# Apart from the network of the Services, which kwok would take by itself.
_PODS = "10.244.0.1/16"
_READY_SECONDS = 30
# Without a lease that is renewed Kubernetes gives a node up after 50 seconds, and its pods are never ready again.
_LEASE_SECONDS = 40


class Nodes:
    """The nodes of one control plane, on which pods seem to run."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane

    @classmethod
    def start(
        cls, control_plane: ControlPlane, *, count: int = 1, progress: Callable[[str], None] | None = None
    ) -> Self:
        """Have at least so many nodes and wait until they are ready; they end with the control plane."""
        if not control_plane.programs.alive(_NAME):
            binaries = KWOK.folder(progress or (lambda _message: None))
            with_free_ports(lambda: control_plane.run(_kwok(control_plane, binaries)))
        names = [f"node-{number}" for number in range(1, count + 1)]
        control_plane.apply(*(_node(name) for name in names))
        control_plane.kubectl("wait", "--for=condition=Ready", "nodes", *names, f"--timeout={_READY_SECONDS}s")
        return cls(control_plane)

    def stop(self) -> None:
        """End what keeps the nodes ready; their objects stay."""
        self.control_plane.programs.stop([_NAME])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _kwok(control_plane: ControlPlane, binaries: Path) -> Program:
    port = free_ports(1)[0]
    stages = control_plane.directory / "data" / "kwok-stages.yaml"
    stages.write_bytes(subprocess.run([binaries / "kwok-stages"], capture_output=True, check=True).stdout)
    flags = {
        "kubeconfig": control_plane.kubeconfig_for("kwok", ["system:masters"]),
        "config": stages,
        "manage-all-nodes": "true",
        "cidr": _PODS,
        "node-lease-duration-seconds": str(_LEASE_SECONDS),
        "server-address": f"127.0.0.1:{port}",
    }
    command: list[str | Path] = [binaries / "kwok", *(f"--{name}={value}" for name, value in flags.items())]
    # Else it would also read the settings in the home folder of whoever starts it.
    environment = {**os.environ, "HOME": str(control_plane.directory)}
    return Program(_NAME, command, partial(answers, port, "/healthz"), environment)


def _node(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
        },
        "status": {"capacity": _CAPACITY, "allocatable": _CAPACITY},
    }
