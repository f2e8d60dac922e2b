"""Part ``memory``: what the operator holds beyond its libraries, with ten projects."""

import subprocess
import sys
import time

from tests.bench.figures import Result
from tests.bench.plane import Plane, caught_up, declare, operator_on
from tests.bench.proc import memory
from tests.bench.progress import Progress
from tests.support.waiting import wait_until

PART = "memory"
PROJECTS = 10
LIMIT = 30
_MIB = 1024 * 1024
_SETTLE_SECONDS = 5
_LIBRARIES = (
    "onboarding.adapters.official",  # First, so that Kopf does not load the whole of the official client.
    "aiohttp",
    "aiohttp.web",
    "click",
    "kopf",
    "kubernetes.aio.config",
    "orjson",
    "prometheus_client",
    "pydantic",
    "pydantic_settings",
    "structlog",
    "yaml",
)


def measure_memory(plane: Plane, progress: Progress) -> Result:
    """Compare the idle operator with a process that only imports the same libraries."""
    with operator_on(plane) as operator:
        declare(plane, PROJECTS, progress)
        wait_until(lambda: caught_up(operator, PROJECTS), what="the operator has nothing left to do")
        time.sleep(_SETTLE_SECONDS)
        used = memory(operator.process.pid).now
    libraries = _libraries()
    result = Result(
        details={
            "projects": PROJECTS,
            "operator resident MiB": round(used / _MIB, 1),
            "libraries resident MiB": round(libraries / _MIB, 1),
        }
    )
    name = f"resident above the libraries' {libraries / _MIB:.0f} MiB, {PROJECTS} projects"
    result.at_most(PART, name, round((used - libraries) / _MIB, 1), LIMIT, " MiB")
    return result


def _libraries() -> int:
    code = f"import {', '.join(_LIBRARIES)}; print(flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            return memory(process.pid).now
        finally:
            process.kill()
