"""Part ``soak``: the operator for a long time under foreign hands, and then at rest; it is asked for by name."""

import asyncio
import time
from collections.abc import Iterator

import orjson

from tests.bench.audit import count, requests_of
from tests.bench.drift import tamper, wait_settled
from tests.bench.figures import Result
from tests.bench.idle import measure_idle
from tests.bench.plane import OPERATOR, Plane, declare, operator_on
from tests.bench.proc import memory
from tests.bench.progress import Progress
from tests.bench.tampering import tamperings
from tests.support.operator import OperatorProcess

PART = "soak"
PROJECTS = 50
OBJECTS = 200
REST_SECONDS = 60
ROUND_SECONDS = 65
"""Of one round at least: an object that is repaired more than ten times in ten minutes is repaired more slowly."""
GROWTH_LIMIT = 3.0
"""MiB between the second third of the time and the last: less than what each round would leave behind."""
_MIB = 1024 * 1024
_BAD = ("error", "critical", "exception")


def measure_soak(plane: Plane, minutes: int, progress: Progress) -> Result:
    """Let strangers edit and delete managed objects, round after round; renew the token; look at memory and log."""
    result = Result()
    with operator_on(plane) as operator:
        declare(plane, PROJECTS, progress)
        start = plane.mark()
        resident = list(_rounds(plane, operator, minutes * 60, progress))
        repairs = requests_of(OPERATOR, plane.cluster.audit_log, start)
        rest = measure_idle(plane, operator, REST_SECONDS, progress)
        errors = [line for line in operator.log.read_text().splitlines() if _is_error(line)]
    result.at_most(
        PART, f"memory that {minutes} min of repairs leave behind", round(_growth(resident), 2), GROWTH_LIMIT, " MiB"
    )
    result.exactly(PART, "error lines in the log", len(errors), 0)
    result.figures += rest.figures
    result.informs(PART, "writes of the operator under load", str(sum(item.writes for item in repairs)))
    result.details = {
        "minutes": minutes,
        "resident MiB by round": [round(value, 1) for value in resident],
        "requests": count(repairs),
        "errors": errors[:20],
        "rest": rest.details,
    }
    return result


def _rounds(plane: Plane, operator: OperatorProcess, seconds: int, progress: Progress) -> Iterator[float]:
    """Yield the resident memory in MiB after each round."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        number, began = number + 1, time.monotonic()
        plan = tamperings(PROJECTS, OBJECTS)
        start = plane.mark()
        left = max(0, round((end - time.monotonic()) / 60))
        progress.tell(f"soak: round {number}, {len(plan)} foreign writes; {left} min to go")
        asyncio.run(tamper(plane, plan, progress))
        wait_settled(plane, operator, PROJECTS, start, {item.place for item in plan})
        operator.pod.account.renew()
        yield memory(operator.process.pid).now / _MIB
        time.sleep(max(0.0, min(began + ROUND_SECONDS, end) - time.monotonic()))


def _growth(resident: list[float]) -> float:
    """Return how much more the last third of the rounds holds than the third before it, on average."""
    third = max(1, len(resident) // 3)
    before, last = resident[-2 * third : -third] or resident[:third], resident[-third:]
    return sum(last) / len(last) - sum(before) / len(before)


def _is_error(line: str) -> bool:
    """Return whether a line of the log tells of an error; one that is no JSON is part of a traceback."""
    try:
        return orjson.loads(line)["level"] in _BAD
    except (orjson.JSONDecodeError, KeyError):
        return True
