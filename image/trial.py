"""Try an image against a control plane: its program starts as in a pod and onboards a project."""

import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devcluster import ControlPlane
from devcluster.waiting import wait_until
from image.build import ROOT, Opened
from image.container import Container, running
from image.errors import ImageError

_NAMESPACE = "project-onboarding"
_DEPLOYMENT = "project-onboarding-operator"
_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
_PROJECT = ROOT / "examples" / "five-lines.yaml"
_READY_SECONDS = 60


def onboard(image: Opened, logs: Path, tell: Callable[[str], None]) -> str:
    """Onboard the project of examples/five-lines.yaml from inside the image; return what Ready says of it."""
    tell("starting a control plane")
    with ControlPlane.start("image", progress=tell) as cluster:
        tell("applying manifests/install and the default profile")
        _install(cluster)
        pod = _pod(cluster)
        listen = f"127.0.0.1:{_free_port()}"
        container = _container(cluster, image, pod, listen)
        log = logs / "operator.log"
        tell(f"starting the container as {image.user}")
        with running(image, container, log) as process:
            wait_until(lambda: _is_ready(process, listen, log), f"readiness of the container ({log})", _READY_SECONDS)
            tell(f"applying {_PROJECT.relative_to(ROOT)}")
            return _declare(cluster)


def _install(cluster: ControlPlane) -> None:
    # Roles for Argo CD's namespace are among the manifests; it need not run.
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    cluster.kubectl("apply", "--server-side", "-k", str(ROOT / "manifests/install"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    profile = str(ROOT / "manifests/profiles/default")
    wait_until(
        lambda: cluster.kubectl("apply", "-k", profile, check=False).returncode == 0, "applying the profile", 30
    )


def _pod(cluster: ControlPlane) -> dict[str, Any]:
    answer = cluster.kubectl("get", "deployment", _DEPLOYMENT, f"--namespace={_NAMESPACE}", "--output=json")
    pod: dict[str, Any] = json.loads(answer.stdout)["spec"]["template"]["spec"]
    return pod


def _container(cluster: ControlPlane, image: Opened, pod: Mapping[str, Any], listen: str) -> Container:
    """Return what the kubelet would make of a pod; only its address is another, since the network is this machine's."""
    described = pod["containers"][0]
    server = urlsplit(cluster.server)
    declared = {item["name"]: item.get("value", _NAMESPACE) for item in described["env"]}
    return Container(
        command=[*described.get("command", image.entrypoint), *described.get("args", image.arguments)],
        environment={
            "KUBERNETES_SERVICE_HOST": server.hostname or "",
            "KUBERNETES_SERVICE_PORT": str(server.port),
            **declared,
            "ONBOARDING_LISTEN": listen,
        },
        mounts={_ACCOUNT_FOLDER: _account(cluster, pod["serviceAccountName"])},
    )


def _account(cluster: ControlPlane, name: str) -> Path:
    folder = cluster.directory / "serviceaccount"
    folder.mkdir(mode=0o755)
    (folder / "token").write_text(cluster.service_account_token(_NAMESPACE, name))
    (folder / "ca.crt").write_bytes(cluster.ca_file.read_bytes())
    (folder / "namespace").write_text(_NAMESPACE)
    return folder


def _declare(cluster: ControlPlane) -> str:
    cluster.kubectl("apply", "-f", str(_PROJECT))
    wait = ("wait", "--for=condition=Ready", f"--timeout={_READY_SECONDS}s", "-f", str(_PROJECT))
    cluster.kubectl(*wait)
    answer = cluster.kubectl("get", "-f", str(_PROJECT), "--output=json")
    status = json.loads(answer.stdout)["status"]
    ready: dict[str, str] = next(item for item in status["conditions"] if item["type"] == "Ready")
    return f"{ready['reason']}: {ready['message']}"


def _is_ready(process: subprocess.Popen[bytes], listen: str, log: Path) -> bool:
    if process.poll() is not None:
        raise ImageError(f"the container ended with {process.returncode}, see {log}:\n{log.read_text()[-2000:]}")
    try:
        with urllib.request.urlopen(f"http://{listen}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
