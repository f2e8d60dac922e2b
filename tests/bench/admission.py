"""Part ``admission``: what the admission policies add to the API server's CPU per write, by the raw writer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import orjson

from onboarding import names
from tests.bench.contender import writer
from tests.bench.figures import Figure, Result
from tests.bench.load import children_plan, make_projects
from tests.bench.plane import WRITER, Plane
from tests.bench.progress import Progress
from tests.support.waiting import wait_until

PART = "admission"
LIMIT = 1.1
_ROUNDS = 2
_SERVER = "kube-apiserver"

FreshPlane = Callable[[str], AbstractContextManager[Plane]]


def measure_admission(plane: FreshPlane, projects: int, progress: Progress) -> Result:
    """Write the same objects with the policies in force and without their bindings, in turn, and compare the means."""
    plain, judged = [], []
    for number in range(1, _ROUNDS + 1):
        with plane(f"unjudged-{number}") as without:
            _unbind(without)
            plain.append(_milliseconds_per_write(without, projects, progress))
        with plane(f"judged-{number}") as within:
            judged.append(_milliseconds_per_write(within, projects, progress))
    before, after = sum(plain) / _ROUNDS, sum(judged) / _ROUNDS
    measured = f"{after:.2f} ms ({before:.2f} ms without)"
    result = Result(details={"milliseconds per write without policies": plain, "with them": judged})
    result.figures.append(
        Figure(
            PART,
            "API-server CPU per write",
            f"≤ {LIMIT} × without policies",
            measured,
            after / before,
            after <= LIMIT * before,
        )
    )
    return result


def _milliseconds_per_write(plane: Plane, projects: int, progress: Progress) -> float:
    plan = children_plan(make_projects(projects))
    writes = sum(len(step) for steps in plan for step in steps)
    with writer(plane.kubeconfig(WRITER), plan, plane.cluster.directory) as raw:
        progress.tell(f"raw writer: {projects} projects")
        before = plane.server_cpu()[_SERVER]
        raw.write_all()
        return 1000 * (plane.server_cpu()[_SERVER] - before) / writes


def _unbind(plane: Plane) -> None:
    """Delete the bindings of the policies, and return when the raw writer may do what they refuse to everybody."""
    plane.cluster.kubectl("delete", "validatingadmissionpolicybindings", *_bindings(plane))
    mark = {names.ANNOTATION_GUARD_PROBE: f"{names.GUARD_POLICIES[0]}/bench"}
    metadata = {"name": "bench-probe", "namespace": names.SYNC_NAMESPACE, "annotations": mark}
    probe = orjson.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}).decode()
    kubeconfig = plane.kubeconfig(WRITER)
    wait_until(
        lambda: (
            plane.cluster.kubectl(
                "create", "--dry-run=server", "-f", "-", stdin=probe, kubeconfig=kubeconfig, check=False
            ).returncode
            == 0
        ),
        what="the admission policies are not in force any more",
    )


def _bindings(plane: Plane) -> Iterator[str]:
    listed = plane.cluster.kubectl("get", "validatingadmissionpolicybindings", "-o", "name").stdout.split()
    return (name.rpartition("/")[2] for name in listed if "/project-onboarding-" in name)
