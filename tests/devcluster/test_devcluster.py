"""Real control planes: started, used, broken and ended."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import (
    AlreadyRunningError,
    ArgoCD,
    ControlPlane,
    DevclusterError,
    KubectlError,
    NotRunningError,
    binaries,
    controlplane,
)
from devcluster.processes import Process
from devcluster.waiting import wait_until

ROOT = Path(__file__).parents[2]
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("DEVCLUSTER_KUBECONFIG")), reason="these tests start control planes of their own"
)

STARTS_IN_A_THREAD = """
import sys, threading
from pathlib import Path
from devcluster import ControlPlane

thread = threading.Thread(target=lambda: ControlPlane.start("victim", directory=Path(sys.argv[1])))
thread.start()
thread.join()
print("ready", flush=True)
sys.stdin.read()
"""


def recorded_processes(directory: Path) -> list[Process]:
    state = json.loads((directory / "state.json").read_text())
    return [Process(*identity) for identity in state["processes"].values()]


def processes_that_mention(directory: Path) -> set[str]:
    found = set()
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        # A process may end while its entry is read.
        with contextlib.suppress(OSError):
            if str(directory) in command_line.read_text():
                found.add(command_line.parent.name)
    return found


def run_command(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devcluster", *args],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_two_side_by_side_do_not_see_each_other(control_plane: ControlPlane):
    with ControlPlane.start("second", controllers=False) as second:
        second.kubectl("create", "namespace", "only-here")
        assert second.server != control_plane.server
        with pytest.raises(KubectlError, match="NotFound"):
            control_plane.kubectl("get", "namespace", "only-here")
        etcd = Process(second.process_id("etcd"), recorded_processes(second.directory)[0].started)
        assert etcd.alive
    assert not etcd.alive
    assert not second.directory.exists()
    assert control_plane.kubectl("get", "namespace", "default").returncode == 0


def test_a_service_account_is_who_it_says_and_may_do_what_rbac_grants(control_plane: ControlPlane):
    control_plane.kubectl("create", "namespace", "rbac")
    control_plane.kubectl("create", "serviceaccount", "reader", "-n", "rbac")
    kubeconfig = control_plane.kubeconfig_for_service_account("rbac", "reader")
    me = control_plane.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", kubeconfig=kubeconfig)
    assert me.stdout == "system:serviceaccount:rbac:reader"

    refused = control_plane.kubectl("get", "configmaps", "-n", "rbac", "-v=6", kubeconfig=kubeconfig, check=False)
    assert 'status="403 Forbidden"' in refused.stderr

    control_plane.kubectl(
        "create", "rolebinding", "r", "-n", "rbac", "--clusterrole=view", "--serviceaccount=rbac:reader"
    )
    assert "kube-root-ca.crt" in control_plane.kubectl("get", "configmaps", "-n", "rbac", kubeconfig=kubeconfig).stdout


def test_a_user_has_the_name_and_groups_of_the_certificate(control_plane: ControlPlane):
    kubeconfig = control_plane.kubeconfig_for("system:odd/name", ["team-a", "team-b"])
    me = json.loads(control_plane.kubectl("auth", "whoami", "-o", "json", kubeconfig=kubeconfig).stdout)
    assert me["status"]["userInfo"]["username"] == "system:odd/name"
    assert {"team-a", "team-b"} <= set(me["status"]["userInfo"]["groups"])
    assert kubeconfig.stat().st_mode & 0o077 == 0


def test_every_request_is_audited_once_when_it_is_answered(control_plane: ControlPlane):
    control_plane.kubectl("create", "configmap", "audited", "-n", "default")
    events = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]
    assert {event["stage"] for event in events} == {"ResponseComplete"}
    assert (
        sum(e["verb"] == "create" and e["objectRef"].get("name") == "audited" for e in events if "objectRef" in e) == 1
    )


def test_the_api_server_comes_back_on_the_same_address_with_its_data(control_plane: ControlPlane):
    control_plane.kubectl("create", "configmap", "lasting", "-n", "default")
    before = control_plane.process_id("kube-apiserver")
    control_plane.stop_part("kube-apiserver")
    with pytest.raises(KubectlError, match="refused"):
        control_plane.kubectl("get", "configmap", "lasting", "-n", "default")
    control_plane.start_part("kube-apiserver")
    assert control_plane.process_id("kube-apiserver") != before
    assert control_plane.kubectl("get", "configmap", "lasting", "-n", "default").returncode == 0
    with pytest.raises(AlreadyRunningError):
        control_plane.start_part("kube-apiserver")


def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_IN_A_THREAD, tmp_path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        processes = recorded_processes(tmp_path)
        assert len(processes) == len(PARTS)
        assert all(process.alive for process in processes)
        parent.kill()
    wait_until(lambda: not any(process.alive for process in processes), "the end of all parts", 10)
    assert processes_that_mention(tmp_path) == set()


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """A shell lets what it starts in the background ignore them, and that is inherited; a handler is not."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("heeds_interrupts")
def test_nothing_outlives_an_interrupted_start(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "devcluster", "up", "--directory", tmp_path], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as starter:
        wait_until((tmp_path / "state.json").exists, "the first part", 30)
        assert processes_that_mention(tmp_path) > {str(starter.pid)}
        starter.send_signal(signal.SIGINT)
        assert starter.wait(30) != 0
    assert processes_that_mention(tmp_path) == set()
    assert not (tmp_path / "data").exists()


def test_a_detached_one_lives_until_it_is_stopped(tmp_path: Path):
    folder = ("--directory", tmp_path)
    try:
        assert (
            run_command("up", *folder).stdout
            == f"export KUBECONFIG={shlex.quote(str(tmp_path / 'kubeconfigs/admin'))}\n"
        )
        assert "runs already" in run_command("up", *folder).stderr
        loaded = ControlPlane.load(tmp_path)
        assert loaded.kubectl("get", "--raw", "/readyz").stdout == "ok"
        assert f"export KUBEBUILDER_ASSETS={loaded.binaries.folder}" in run_command("env", *folder).stdout
        with pytest.raises(AlreadyRunningError):
            ControlPlane.start("again", directory=tmp_path)
        processes = recorded_processes(tmp_path)
    finally:
        run_command("down", *folder)
    assert not any(process.alive for process in processes)
    assert (tmp_path / "logs" / "audit.log").exists()
    with pytest.raises(NotRunningError):
        ControlPlane.load(tmp_path)


@pytest.mark.timeout(1200)
def test_what_runs_beside_a_detached_one_is_started_once_and_ended_with_it(tmp_path: Path):
    folder = ("--directory", tmp_path)
    try:
        run_command("up", "--nodes", "1", *folder)
        run_command("up", "--nodes", "2", "--argocd", *folder)
        control_plane = ControlPlane.load(tmp_path)
        nodes = control_plane.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")
        assert nodes.stdout == "node-1 node-2"
        assert ArgoCD.load(control_plane).process_id("argocd-redis") > 0
        before = control_plane.programs.process_id("kwok")
        run_command("up", "--nodes", "2", "--argocd", *folder)
        assert ControlPlane.load(tmp_path).programs.process_id("kwok") == before
        assert len(processes_that_mention(tmp_path)) > len(PARTS)
    finally:
        run_command("down", *folder)
    assert processes_that_mention(tmp_path) == set()
    assert {path.stem for path in (tmp_path / "logs").glob("*.log")} > {"kwok", "argocd-application-controller"}


def test_a_recycled_process_id_is_not_signalled():
    with subprocess.Popen(["sleep", "60"]) as other:
        Process(other.pid, started=1).stop(patience=0.1)
        assert other.poll() is None
        other.kill()


def test_a_port_that_is_taken_meanwhile_is_replaced(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        choices = [[taken.getsockname()[1], *controlplane.free_ports(4)], controlplane.free_ports(5)]
        monkeypatch.setattr(controlplane, "free_ports", lambda _count: choices.pop(0))
        with ControlPlane.start("crowded", controllers=False) as control_plane:
            assert control_plane.kubectl("get", "--raw", "/readyz").stdout == "ok"
    assert choices == []


def test_a_given_kubeconfig_is_used_and_its_cluster_left_alone(
    control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DEVCLUSTER_KUBECONFIG", str(control_plane.kubeconfig))
    with ControlPlane.start("given") as given:
        assert (given.server, given.kubeconfig, given.is_ours) == (
            control_plane.server,
            control_plane.kubeconfig,
            False,
        )
        assert given.ca_file.read_bytes() == control_plane.ca_file.read_bytes()
        given.kubectl("create", "serviceaccount", "guest", "-n", "default")
        guest = given.kubeconfig_for_service_account("default", "guest")
        assert "guest" in given.kubectl("auth", "whoami", kubeconfig=guest).stdout
        with pytest.raises(DevclusterError, match="unset DEVCLUSTER_KUBECONFIG"):
            given.stop_part("etcd")
    assert run_command("up").stdout == f"export KUBECONFIG={shlex.quote(str(control_plane.kubeconfig))}\n"
    assert "nothing is stopped" in run_command("down").stderr
    assert control_plane.kubectl("get", "--raw", "/readyz").stdout == "ok"


def test_binaries_that_are_at_hand_are_taken_before_the_cached_build(
    control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for part in (*PARTS, "kubectl"):
        (tmp_path / part).symlink_to(control_plane.binaries.folder / part)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    found = binaries.find(pytest.fail)
    assert found.folder == tmp_path
    assert found.kubectl == tmp_path / "kubectl"

    (tmp_path / "etcd").unlink()
    shutil.copy(shutil.which("false") or "", tmp_path / "etcd")
    with pytest.raises(DevclusterError, match=f"{tmp_path}/etcd does not run here"):
        binaries.find(pytest.fail)


def test_a_folder_with_other_files_is_refused(tmp_path: Path):
    (tmp_path / "data").mkdir()
    with pytest.raises(DevclusterError, match="name an empty folder"):
        ControlPlane.start("careless", directory=tmp_path)
    assert (tmp_path / "data").exists()
