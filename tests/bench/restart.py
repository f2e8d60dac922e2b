"""Part ``restart``: the operator starts anew where everything is in place already, beside guard rails of others."""

import time
from collections.abc import Mapping

from tests.bench.audit import count, requests_of
from tests.bench.figures import Result
from tests.bench.foreign import add_foreign_guards
from tests.bench.load import make_projects
from tests.bench.plane import OPERATOR, Plane, caught_up, declare, operator_on, passes, read_metrics
from tests.bench.proc import cpu_seconds, memory
from tests.bench.progress import Progress
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

PART = "restart"
SECONDS_LIMIT = 30
MEMORY_LIMIT = 210
_MIB = 1024 * 1024
_QUIET_SECONDS = 5
"""How long after it has caught up a late write would still be seen."""


def measure_restart(plane: Plane, projects: int, foreign: int, progress: Progress) -> Result:
    """Onboard the projects, add guard rails of others, end the operator, start it again and watch."""
    with operator_on(plane) as first:
        declare(plane, projects, progress)
        named = [item["metadata"]["name"] for item in make_projects(projects)]
        add_foreign_guards(plane, named, foreign, progress)
        wait_until(lambda: caught_up(first, projects), what="the operator has nothing left to do", within=120)
        before = memory(first.process.pid)
    start = plane.mark()
    progress.tell(f"starting the operator again on {projects} projects")
    began = time.monotonic()
    with operator_on(plane) as second:
        ready = time.monotonic() - began
        wait_until(lambda: caught_up(second, projects), what="the operator has caught up", within=300, every=0.2)
        seconds = time.monotonic() - began
        time.sleep(_QUIET_SECONDS)
        sizes = {"projects": projects, "guard rails of others": foreign}
        return _result(plane, second, start, sizes, (ready, seconds), before.peak)


def _result(
    plane: Plane,
    operator: OperatorProcess,
    start: int,
    sizes: Mapping[str, int],
    seconds: tuple[float, float],
    first_peak: int,
) -> Result:
    plane.mark()
    pid = operator.process.pid
    used, requests = memory(pid), requests_of(OPERATOR, plane.cluster.audit_log, start)
    result = Result(
        details={
            **sizes,
            "seconds until ready": round(seconds[0], 2),
            "seconds until caught up": round(seconds[1], 2),
            "passes": passes(read_metrics(operator)),
            "CPU seconds": round(cpu_seconds(pid), 2),
            "resident MiB": round(used.now / _MIB, 1),
            "peak resident MiB": round(used.peak / _MIB, 1),
            "peak resident MiB of the operator that onboarded": round(first_peak / _MIB, 1),
            "requests": count(requests),
        }
    )
    what = " and ".join(f"{count} {name}" for name, count in sizes.items() if count)
    result.exactly(PART, f"writes after a restart with {what}", sum(item.writes for item in requests), 0)
    result.at_most(PART, "seconds until caught up", round(seconds[1], 2), SECONDS_LIMIT, " s")
    result.at_most(PART, "peak resident memory", round(used.peak / _MIB, 1), MEMORY_LIMIT, " MiB")
    return result
