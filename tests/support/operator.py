"""The operator as a process: its Deployment's pod, under its own service account, as in production."""

import http.client
import os
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from devcluster import ControlPlane
from devcluster.image import checkout_image
from devcluster.pod import Deviation, Pod
from tests.support.faultproxy import FaultProxy
from tests.support.measuring import Measurement
from tests.support.waiting import wait_until

NAMESPACE = "project-onboarding"
ACCOUNT = "project-onboarding-operator"
"""Name of the Deployment and of its service account."""
WATCH_LAG = float(os.environ.get("ONBOARDING_WATCH_LAG", "0"))
"""Seconds by which the operator hears of anything late at most (``make faults``); no test may depend on it."""
_TRUSTED = "/etc/onboarding/ca.crt"


class OperatorProcess:
    """One run of the Deployment that is applied to a control plane, in a sandbox of its own."""

    def __init__(
        self,
        cluster: ControlPlane,
        log: Path,
        *,
        trust: Path | None = None,
        proxy: FaultProxy | None = None,
        uid: int = 0,
        template: dict[str, Any] | None = None,
        measured: bool = True,
        **settings: str,
    ) -> None:
        """Start the process; ``settings`` become ONBOARDING_* variables. Use ``wait_ready`` before relying on it.

        Probes trust the authorities of the file ``trust``, in place of the usual ones. With a ``proxy``, the API server
        is reached through that. A ``template`` takes the place of the applied Deployment's. Under coverage the process
        is ``measured``, too, for which its pod gets a variable and a folder more.
        """
        self.log = log
        self._behind = ExitStack()
        """What stands between it and the API server."""
        self.port = _free_port()
        folder = Path(tempfile.mkdtemp(prefix="pod-", dir=log.parent))
        self._measurement = Measurement(folder / "coverage", wanted=measured)
        environment = {
            **self._measurement.environment,
            "ONBOARDING_LISTEN": f"127.0.0.1:{self.port}",
            "ONBOARDING_LOG_LEVEL": "debug",
            **({"SSL_CERT_FILE": _TRUSTED} if trust else {}),
            **{f"ONBOARDING_{name.upper()}": value for name, value in settings.items()},
        }
        way = {"server": proxy.server, "ca_file": proxy.ca_file} if proxy else {}
        files = {_TRUSTED: trust} if trust else {}
        if template is None:
            self.pod = Pod.of_deployment(cluster, NAMESPACE, ACCOUNT, folder)
        else:
            self.pod = Pod.of_template(cluster, NAMESPACE, template, folder)
        deviation = Deviation(environment, files, self._measurement.folders, uid=uid, **way)
        command = self.pod.command(checkout_image(), deviation)
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    @classmethod
    def on(cls, cluster: ControlPlane, directory: Path, *, trust: Path | None = None, **settings: str) -> Self:
        """Start it on a control plane and wait until it is ready."""
        with ExitStack() as behind:
            proxy = behind.enter_context(FaultProxy(cluster, directory, lag=WATCH_LAG)) if WATCH_LAG else None
            operator = cls(cluster, directory / "operator.log", trust=trust, proxy=proxy, **settings)
            try:
                operator.wait_ready()
            except BaseException:
                operator.kill()
                raise
            operator._behind = behind.pop_all()
        return operator

    def wait_ready(self) -> None:
        """Wait until /readyz says ok."""
        wait_until(lambda: self.get("/readyz") == "ok\n", what=f"the operator is ready (log: {self.log})", within=90)

    def get(self, path: str) -> str:
        """Return the text of one of its pages, or the empty string."""
        if self.process.poll() is not None:
            raise AssertionError(f"the operator ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return ""

    def page(self, path: str) -> str:
        """Return what one of its pages says, whatever its status; the empty string where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except OSError:
            return ""
        finally:
            connection.close()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)
        self._measurement.keep(complete=self.process.returncode == 0)
        self._behind.close()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.kill()
        self.process.wait(timeout=20)
        self._behind.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
