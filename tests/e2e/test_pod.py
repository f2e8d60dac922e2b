"""The operator as it is deployed: what its pod is given is enough, also on OpenShift, and for as long as it runs.

All suites run the kustomize Deployment in such a sandbox (devcluster/pod.py); here is what only a few runs need.
"""

import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devcluster import ControlPlane
from devcluster.ports import free_ports
from onboarding.build.kinds import NETWORK_POLICY
from tests.support.helm import render, rendered
from tests.support.hub import Hub
from tests.support.operator import ACCOUNT, NAMESPACE, OperatorProcess
from tests.support.waiting import wait_until

OPENSHIFT_UID = 1_000_650_000
Start = Callable[..., OperatorProcess]


@pytest.fixture
def start(installed: ControlPlane, tmp_path: Path) -> Iterator[Start]:
    """Start the operator and wait until it is ready; it ends with the test."""
    started: list[OperatorProcess] = []

    def start_one(**options: object) -> OperatorProcess:
        started.append(OperatorProcess(installed, tmp_path / "operator.log", **options))
        started[-1].wait_ready()
        return started[-1]

    yield start_one
    for operator in started:
        operator.stop()


def test_the_sandbox_holds_the_process_to_its_description(start: Start) -> None:
    """Without this the other tests of the pod would prove nothing: the rights are what the kernel says they are."""
    operator = start(measured=False)
    process = Path(f"/proc/{operator.process.pid}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    uid, _, length = (process / "uid_map").read_text().split()
    assert (int(status["Uid"].split()[0]), length) in ((65532, "4294967295"), (os.getuid(), "1")), uid
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    mounts = [line.split() for line in (process / "mounts").read_text().splitlines()]
    kernel = ("/proc", "/dev")
    writable = [place for _, place, _, how, *_ in mounts if "rw" in how.split(",") and not place.startswith(kernel)]
    assert writable == ["/tmp"]
    environment = (process / "environ").read_text().split("\0")
    known = ("PATH=", "PYTHON", "HOSTNAME=", "KUBERNETES_SERVICE_", "ONBOARDING_")
    assert [item for item in environment if item and not item.startswith(known)] == []
    assert not any("KUBECONFIG" in item for item in environment)
    passwd = (process / "root/etc/passwd").read_text()
    assert "65532" not in passwd


def test_any_user_will_do(hub: Hub, start: Start) -> None:
    """OpenShift gives each namespace a range of users of its own, which no image can know."""
    operator = start(uid=OPENSHIFT_UID)
    assert Path(f"/proc/{operator.process.pid}").stat().st_uid in (OPENSHIFT_UID, os.getuid())
    hub.declare("as-anybody")
    hub.wait("as-anybody")


def test_the_charts_deployment_starts_as_well(hub: Hub, installed: ControlPlane, start: Start, tmp_path: Path) -> None:
    """What Helm renders is another text: it is taken for what it is, with the server's defaults."""
    found = rendered(render(tmp_path))
    deployment = found["Deployment", NAMESPACE, ACCOUNT]
    deployment["metadata"]["name"] = "from-the-chart"
    made = installed.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(deployment))
    start(template=json.loads(made.stdout)["spec"]["template"]["spec"])
    hub.declare("from-the-chart")
    hub.wait("from-the-chart")


def test_the_token_is_renewed_while_it_runs(hub: Hub, start: Start) -> None:
    """The kubelet replaces the file; the former token is refused soon after, and nobody restarts the operator."""
    operator = start()
    account = operator.pod.account
    former = (account.folder / "token").read_text()
    account.renew()
    account.revoke_former()
    wait_until(lambda: _status(hub, former) == 401, what="the API server refuses the former token")
    hub.declare("renewed")
    hub.wait("renewed", within=120)
    hub.api.delete(NETWORK_POLICY.path("renewed-dev", "default-deny"))
    wait_until(lambda: hub.one(NETWORK_POLICY, "default-deny", "renewed-dev"), what="the drift is repaired")
    wait_until(lambda: operator.get("/readyz") == "ok\n", what="it is ready", within=90)
    assert operator.process.poll() is None


def test_a_developer_starts_it_with_a_kubeconfig(hub: Hub, installed: ControlPlane, tmp_path: Path) -> None:
    """In a shell there is no service account: ONBOARDING_KUBECONFIG names the login."""
    kubeconfig = installed.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
    settings = {"ONBOARDING_KUBECONFIG": str(kubeconfig), "ONBOARDING_LISTEN": f"127.0.0.1:{free_ports(1)[0]}"}
    command = [sys.executable, "-m", "onboarding", "run"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)
    try:
        hub.declare("from-a-shell")
        hub.wait("from-a-shell")
    finally:
        process.terminate()
        process.wait(timeout=20)


def _status(hub: Hub, token: str) -> int:
    """Return what the API server answers to a token; it remembers for some seconds that one was good."""
    trust = ssl.create_default_context(cafile=str(hub.cluster.ca_file))
    request = urllib.request.Request(f"{hub.cluster.server}/api", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, context=trust) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
