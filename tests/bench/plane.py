"""A fresh control plane for one contender, and the operator on it."""

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from devcluster import ControlPlane
from devcluster.controlplane import KUBECONFIG_VARIABLE
from devcluster.errors import DevclusterError
from onboarding import names
from tests.bench.audit import Tail, end_of, fence
from tests.bench.contender import Writer, writer
from tests.bench.load import ENVIRONMENTS, declarations_plan, make_projects
from tests.bench.proc import cpu_seconds
from tests.bench.progress import Progress
from tests.support import operator as operators
from tests.support.installing import install
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

OPERATOR = f"system:serviceaccount:{operators.NAMESPACE}:{operators.ACCOUNT}"
WRITER = f"system:serviceaccount:{operators.NAMESPACE}:bench-writer"
STRANGER = "system:serviceaccount:bench:stranger"
_ACCOUNTS = Path(__file__).with_name("accounts.yaml")
_PARTS = ("kube-apiserver", "etcd", "kube-controller-manager")
_SECONDS_PER_PROJECT = 3.0
"""After which a project counts as stuck; it is a fraction of this on any machine that works."""
_LABELLED = {
    "name": "bench-writer",
    "labels": {names.LABEL_INSTALLATION: "bench", f"{names.POD_SECURITY_PREFIX}enforce": "restricted"},
}
_fences = itertools.count()


@dataclass
class Plane:
    """A control plane with everything installed."""

    cluster: ControlPlane
    _kubeconfigs: dict[str, Path] = field(default_factory=dict)

    def kubeconfig(self, user: str) -> Path:
        """Return the kubeconfig of a service account, by its user name."""
        if user not in self._kubeconfigs:
            _, _, namespace, name = user.split(":")
            self._kubeconfigs[user] = self.cluster.kubeconfig_for_service_account(namespace, name)
        return self._kubeconfigs[user]

    def mark(self) -> int:
        """Return a point in the audit log: everything that was answered before now lies before it."""
        log = self.cluster.audit_log
        fence(log, self._ask, f"bench-fence-{next(_fences)}")
        return end_of(log)

    def revision(self) -> int:
        """Return etcd's revision."""
        page = self.cluster.kubectl("get", "--raw", "/api/v1/namespaces?limit=1").stdout
        return int(orjson.loads(page)["metadata"]["resourceVersion"])

    def server_cpu(self) -> dict[str, float]:
        """Return the CPU seconds that each part of the control plane has used."""
        return {part: cpu_seconds(self.cluster.process_id(part)) for part in _PARTS}

    def _ask(self, label: str) -> None:
        self.cluster.kubectl("get", "configmap", label, "--namespace=bench", check=False)


@contextlib.contextmanager
def fresh_plane(name: str, progress: Progress) -> Iterator[Plane]:
    """Start a control plane with all that is needed; its logs stay after an error, and nothing after Ctrl-C."""
    if os.environ.get(KUBECONFIG_VARIABLE):
        raise DevclusterError(f"a measurement needs control planes of its own: unset {KUBECONFIG_VARIABLE}")
    progress.tell(f"{name}: starting a control plane")
    directory = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
    failed = False
    try:
        with _started(name, directory, progress) as cluster:
            install(cluster)
            cluster.kubectl("apply", "-f", str(_ACCOUNTS))
            _admit_writer(cluster)
            yield Plane(cluster)
    except Exception as error:
        failed = True
        error.add_note(f"the logs are kept in {directory}")
        raise
    finally:
        if not failed:
            shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _started(name: str, directory: Path, progress: Progress) -> Iterator[ControlPlane]:
    cluster = ControlPlane.start(
        f"bench-{name}", directory=directory, progress=lambda message: progress.tell(f"{name}: {message}")
    )
    try:
        yield cluster
    finally:
        cluster.stop()


@contextlib.contextmanager
def operator_on(plane: Plane) -> Iterator[OperatorProcess]:
    """Run the operator as it runs in production."""
    log = plane.cluster.audit_log.with_name("operator.log")
    process = OperatorProcess(plane.cluster, log, log_level="info")
    try:
        process.wait_ready()
        yield process
    finally:
        try:
            process.stop()
        except subprocess.TimeoutExpired:
            process.kill()


def declare(plane: Plane, count: int, progress: Progress) -> None:
    """Have the driver POST the projects while the operator runs, and return when all of them are Ready."""
    tail = Tail(plane.cluster.audit_log)
    reported: set[str] = set()

    def all_reported(driver: Writer) -> bool:
        driver.check()
        # The log is watched, not the server: whoever waits costs the contender nothing.
        reported.update(item.name for item in tail.poll(b'"projectonboardings"', b'"status"') if item.done)
        progress.show(len(reported), count)
        return len(reported) >= count

    plan = declarations_plan(make_projects(count))
    kubeconfig = plane.kubeconfig("system:serviceaccount:bench:driver")
    progress.tell(f"onboarding {count} projects")
    with writer(kubeconfig, plan, plane.cluster.directory) as driver:
        driver.begin()
        wait_until(
            lambda: all_reported(driver),
            what=f"{count} projects are reported on",
            within=60 + _SECONDS_PER_PROJECT * count,
            every=0.2,
        )
    wait_until(lambda: _ready(plane) == count, what=f"{count} projects are Ready", within=60, every=1)


def caught_up(operator: OperatorProcess, projects: int) -> bool:
    """Return whether the operator has made a pass over every project and has nothing left to do."""
    metrics = read_metrics(operator)
    environments = sum(value for name, value in metrics.items() if name.startswith("onboarding_environments{"))
    idle = (
        metrics.get("onboarding_workqueue_depth") == 0
        and metrics.get("onboarding_workqueue_oldest_unfinished_seconds") == 0
    )
    return idle and passes(metrics) >= projects and environments == projects * len(ENVIRONMENTS)


def passes(metrics: dict[str, float]) -> int:
    """Return how many passes the operator has made."""
    return int(sum(value for name, value in metrics.items() if name.startswith("onboarding_reconcile_total{")))


def read_metrics(operator: OperatorProcess) -> dict[str, float]:
    """Return the samples of /metrics."""
    lines = (line for line in operator.get("/metrics").splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def _admit_writer(cluster: ControlPlane) -> None:
    """Enter the raw writer as an operator in the guard rails: then both contenders pay for the same admission."""
    for policy in names.GUARD_POLICIES:
        guard = ("validatingadmissionpolicy", policy)
        found = orjson.loads(cluster.kubectl("get", *guard, "-o", "json").stdout)
        # A controller writes the status of a policy at about the same time.
        del found["metadata"]["resourceVersion"]
        text = orjson.dumps(found).decode().replace(f"['{OPERATOR}'", f"['{WRITER}', '{OPERATOR}'")
        cluster.kubectl("replace", "-f", "-", stdin=text)
    _, _, namespace, name = WRITER.split(":")
    kubeconfig = cluster.kubeconfig_for_service_account(namespace, name)
    probe = orjson.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": _LABELLED}).decode()
    dry = ("create", "--dry-run=server", "-f", "-")
    wait_until(
        lambda: cluster.kubectl(*dry, stdin=probe, kubeconfig=kubeconfig, check=False).returncode == 0,
        what="the guard rails take the raw writer for an operator",
    )


def _ready(plane: Plane) -> int:
    """Return how many projects are Ready, as one of their columns tells."""
    path = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
    answer = plane.cluster.kubectl("get", "projectonboardings", "-o", f"jsonpath={path}").stdout
    return answer.split().count("True")
