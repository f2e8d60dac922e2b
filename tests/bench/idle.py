"""Part ``idle``: what the operator asks of the API server when nothing happens."""

import time

from tests.bench.audit import count, requests_of
from tests.bench.figures import Result
from tests.bench.plane import OPERATOR, Plane
from tests.bench.proc import cpu_seconds
from tests.bench.progress import Progress
from tests.support.operator import OperatorProcess

PART = "idle"


def measure_idle(plane: Plane, operator: OperatorProcess, seconds: int, progress: Progress) -> Result:
    """Do nothing for a while, and count."""
    progress.tell(f"idle for {seconds} s")
    start, cpu = plane.mark(), cpu_seconds(operator.process.pid)
    for second in range(seconds):
        progress.show(second, seconds)
        time.sleep(1)
    cpu = cpu_seconds(operator.process.pid) - cpu
    plane.mark()
    requests = requests_of(OPERATOR, plane.cluster.audit_log, start)
    writes = [item for item in requests if item.writes]
    probes = [item for item in requests if item.dry]
    # A watch that is taken up again asks for one object, which proves that the server has not gone back, and after a
    # silence for the UID of kube-system, which proves that it is the same one.
    ended = {item.resource for item in requests if item.verb == "watch"}
    usual = {(verb, resource) for verb in ("watch", "list") for resource in ended}
    proof = ("namespaces", "", "kube-system") if ended else None
    asked = [item for item in requests if not item.writes and not item.dry]
    reads = [item for item in asked if (item.verb, item.resource) not in usual and item.place != proof]
    result = Result(
        details={
            "seconds": seconds,
            "requests": count(requests),
            "operator CPU milliseconds per second": round(1000 * cpu / seconds, 2),
        }
    )
    result.exactly(PART, f"writes in {seconds} s", len(writes), 0)
    result.exactly(
        PART, f"reads other than watches, and what one asks as it is taken up, in {seconds} s", len(reads), 0
    )
    result.informs(PART, f"dry runs that ask the guard rails in {seconds} s", str(len(probes)))
    return result
