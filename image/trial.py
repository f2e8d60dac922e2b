"""Try an image against a control plane: its program starts as in a pod and onboards a project."""

import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster import ControlPlane
from devcluster.image import Image
from devcluster.pod import Deviation, Pod
from devcluster.waiting import wait_until
from image.build import ROOT
from image.errors import ImageError

_NAMESPACE = "project-onboarding"
_DEPLOYMENT = "project-onboarding-operator"
_PROJECT = ROOT / "examples" / "five-lines.yaml"
_READY_SECONDS = 60
_PATIENCE_SECONDS = 20


def onboard(image: Image, logs: Path, tell: Callable[[str], None]) -> str:
    """Onboard the project of examples/five-lines.yaml from inside the image; return what Ready says of it."""
    tell("starting a control plane")
    with ControlPlane.start("image", progress=tell) as cluster:
        tell("applying manifests/install and the default profile")
        _install(cluster)
        listen = f"127.0.0.1:{_free_port()}"
        log = logs / "operator.log"
        tell("starting the container that the Deployment describes")
        pod = Pod.of_deployment(cluster, _NAMESPACE, _DEPLOYMENT, cluster.directory / "pod")
        # The network is this machine's, where other programs may listen on the Deployment's port.
        with _running(pod.command(image, Deviation({"ONBOARDING_LISTEN": listen})), log) as process:
            wait_until(lambda: _is_ready(process, listen, log), f"readiness of the container ({log})", _READY_SECONDS)
            tell(f"applying {_PROJECT.relative_to(ROOT)}")
            return _declare(cluster)


def _install(cluster: ControlPlane) -> None:
    # Roles for Argo CD's namespace are among the manifests; it need not run.
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    cluster.kubectl("apply", "--server-side", "-k", str(ROOT / "manifests/install"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    profile = str(ROOT / "manifests/profiles/default")
    wait_until(lambda: cluster.kubectl("apply", "-k", profile, check=False).returncode == 0, "applying the profile", 30)


def _declare(cluster: ControlPlane) -> str:
    cluster.kubectl("apply", "-f", str(_PROJECT))
    wait = ("wait", "--for=condition=Ready", f"--timeout={_READY_SECONDS}s", "-f", str(_PROJECT))
    cluster.kubectl(*wait)
    answer = cluster.kubectl("get", "-f", str(_PROJECT), "--output=json")
    status = json.loads(answer.stdout)["status"]
    ready: dict[str, str] = next(item for item in status["conditions"] if item["type"] == "Ready")
    return f"{ready['reason']}: {ready['message']}"


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


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
