"""The operator as a background process: its Deployment's pod, recorded, and ended by exactly that record."""

import contextlib
import json
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from devcluster.cluster import Cluster
from devcluster.image import checkout_image
from devcluster.pod import Deviation, Pod
from devcluster.ports import free_ports
from devcluster.processes import Process, spawn

_READY_SECONDS = 60
# Every write of the operator is guarded, so that one cut off in the middle of its work harms nothing.
_PATIENCE_SECONDS = 1
_TAIL_LINES = 15


@dataclass(frozen=True)
class Background:
    """Where the operator of the demo is recorded, and where it writes its log."""

    record: Path
    log: Path

    def start(self, cluster: Cluster, namespace: str, deployment: str) -> None:
        """Start the pod of the operator's Deployment and wait until it is ready to work."""
        port = free_ports(1)[0]
        pod = Pod.of_deployment(cluster, namespace, deployment, self._pod)
        settings = {"ONBOARDING_LISTEN": f"127.0.0.1:{port}", "ONBOARDING_LOG_FORMAT": "console"}
        command = pod.command(checkout_image(), Deviation(settings), tied=False)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        spawn(command, self.log, lambda process: self._remember(process, port), outlives_us=True)
        self._wait_ready(port)

    @property
    def _pod(self) -> Path:
        """Return the folder of the pod's files, a token among them."""
        return self.record.with_suffix("")

    def stop(self) -> bool:
        """End the operator, if it runs; return whether there was one."""
        process = self._recorded()
        self.record.unlink(missing_ok=True)
        shutil.rmtree(self._pod, ignore_errors=True)
        if process is None or not process.alive:
            return False
        process.stop(_PATIENCE_SECONDS)
        return True

    def tail(self) -> str:
        """Return the end of the log."""
        with contextlib.suppress(FileNotFoundError):
            return "\n".join(self.log.read_text().splitlines()[-_TAIL_LINES:])
        return ""

    def _remember(self, process: Process, port: int) -> None:
        self.record.write_text(json.dumps({"pid": process.pid, "started": process.started, "port": port}))

    def _recorded(self) -> Process | None:
        try:
            state = json.loads(self.record.read_text())
        except FileNotFoundError:
            return None
        return Process(state["pid"], state["started"])

    def _wait_ready(self, port: int) -> None:
        process = self._recorded()
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(port):
            if process is None or not process.alive:
                raise DemoError(f"the operator ended while it started, see {self.log}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise DemoError(f"the operator was not ready within {_READY_SECONDS} s, see {self.log}:\n{self.tail()}")
            time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
