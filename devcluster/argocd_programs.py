"""The command line and the environment of each of Argo CD's programs."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from devcluster.argocd_install import workload_environment
from devcluster.cluster import Cluster
from devcluster.crds import argocd_release
from devcluster.errors import DevclusterError
from devcluster.ports import accepts, free_ports
from devcluster.programs import Program
from devcluster.readiness import answers

CONTROLLER = "argocd-application-controller"
APPLICATION_SETS = "argocd-applicationset-controller"
REPO_SERVER = "argocd-repo-server"
REDIS = "argocd-redis"

Command = list[str | Path]
Ready = Callable[[], bool]

_PORTS = ("redis", "repo", "repo-metrics", "controller-metrics", "sets-metrics", "sets-probe", "sets-webhook")
_VERIFIER = "git-verify-wrapper.sh"
# The kernel's limit for the address of a local socket, less its final zero.
_SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class Plan:
    """Where the programs of one Argo CD lie, listen and keep their files."""

    cluster: Cluster
    namespace: str
    binaries: Path
    helm: Path
    ports: dict[str, int]

    @classmethod
    def make(cls, cluster: Cluster, namespace: str, binaries: Path, helm: Path) -> "Plan":
        """Choose the ports and make the folders."""
        plan = cls(cluster, namespace, binaries, helm, dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True)))
        if len(os.fsencode(plan._socket)) > _SOCKET_PATH_BYTES:
            raise DevclusterError(f"{cluster.directory} is too long for the path of a socket: name a shorter folder")
        for folder in (certificates(cluster), plan._scratch, plan._scripts):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The repository server calls it for each commit, signed or not. A Go module has no executable files.
        script = shutil.copyfile(argocd_release() / "hack" / _VERIFIER, plan._scripts / _VERIFIER)
        script.chmod(0o700)
        return plan

    def programs(self, names: Sequence[str]) -> list[Program]:
        """Describe programs by their names."""
        makers = {
            REDIS: self._redis,
            REPO_SERVER: self._repo_server,
            CONTROLLER: self._controller,
            APPLICATION_SETS: self._application_sets,
        }
        return [makers[name]() for name in names]

    def _redis(self) -> Program:
        command: Command = [self.binaries / "redis", f"--listen={self._address('redis')}"]
        return Program(REDIS, command, partial(accepts, self.ports["redis"]))

    def _repo_server(self) -> Program:
        flags = {
            "address": "127.0.0.1",
            "port": self.ports["repo"],
            "metrics-address": "127.0.0.1",
            "metrics-port": self.ports["repo-metrics"],
            "redis": self._address("redis"),
            "disable-tls": "true",
            # It has a default, which is refused together with disable-tls whether the file is there or not.
            "client-ca-path": "",
        }
        folders = [str(self.binaries), str(self.helm), str(self._scripts), os.environ.get("PATH", os.defpath)]
        helm = dict.fromkeys(("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"), str(self._scratch))
        environment = {
            "PATH": os.pathsep.join(folders),
            "TMPDIR": str(self._scratch),
            "ARGOCD_ASK_PASS_SOCK": str(self._socket),
            "ARGOCD_TLS_DATA_PATH": str(certificates(self.cluster)),
            # No setting of the person whose machine this is may change what is rendered.
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **_past_the_proxy(),
            **helm,
        }
        ready = partial(answers, self.ports["repo-metrics"], "/healthz?full=true")
        return self._program(REPO_SERVER, flags, environment, ready)

    def _controller(self) -> Program:
        flags = {
            "namespace": self.namespace,
            "redis": self._address("redis"),
            "repo-server": self._address("repo"),
            "repo-server-plaintext": "true",
            "metrics-port": self.ports["controller-metrics"],
        }
        # The kubeconfig flag alone would leave this cluster, by the name it has inside, out of reach.
        environment = {"ARGOCD_FAKE_IN_CLUSTER": "true", **self._login(CONTROLLER)}
        ready = partial(answers, self.ports["controller-metrics"], "/healthz")
        return self._program(CONTROLLER, flags, environment, ready)

    def _application_sets(self) -> Program:
        flags = {
            "namespace": self.namespace,
            "argocd-repo-server": self._address("repo"),
            "repo-server-plaintext": "true",
            "metrics-addr": self._address("sets-metrics"),
            "probe-addr": self._address("sets-probe"),
            "webhook-addr": self._address("sets-webhook"),
        }
        environment = {"ARGOCD_FAKE_IN_CLUSTER": "true", "NAMESPACE": self.namespace, **self._login(APPLICATION_SETS)}
        ready = partial(answers, self.ports["sets-metrics"], "/metrics")
        return self._program(APPLICATION_SETS, flags, environment, ready)

    def _program(self, name: str, flags: Mapping[str, object], environment: dict[str, str], ready: Ready) -> Program:
        command: Command = [self.binaries / name, *(f"--{flag}={value}" for flag, value in flags.items())]
        settings = workload_environment(name, self.cluster, self.namespace)
        # Signatures of commits need gpg and its keys, which not every machine has.
        ours = {"ARGOCD_GPG_ENABLED": "false", **environment}
        return Program(name, command, ready, {**self._inherited(), **settings, **ours})

    def _login(self, account: str) -> dict[str, str]:
        return {"KUBECONFIG": str(self.cluster.kubeconfig_for_service_account(self.namespace, account))}

    def _inherited(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("ARGOCD_")}

    def _address(self, port: str) -> str:
        return f"127.0.0.1:{self.ports[port]}"

    @property
    def _scratch(self) -> Path:
        return self.cluster.directory / "data" / "argocd" / "scratch"

    @property
    def _scripts(self) -> Path:
        return self.cluster.directory / "data" / "argocd" / "scripts"

    @property
    def _socket(self) -> Path:
        return self.cluster.directory / "data" / "argocd" / "askpass"


def certificates(cluster: Cluster) -> Path:
    """Return the folder in which the repository server looks for the authority of a host."""
    return cluster.directory / "data" / "argocd" / "tls"


def _past_the_proxy() -> dict[str, str]:
    """Let Git and Helm reach a server on this machine directly, whatever proxy the machine uses."""
    direct = ",".join(filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1"]))
    return {"no_proxy": direct, "NO_PROXY": direct}
