"""Part ``drift``: somebody edits and deletes managed objects, and the operator mends them."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Sequence

from onboarding.adapters.client import Client
from tests.bench.audit import Request, Tail, count
from tests.bench.figures import Figure, Result, percentile
from tests.bench.load import all_keys, place_of
from tests.bench.plane import OPERATOR, STRANGER, Plane, caught_up
from tests.bench.progress import Progress
from tests.bench.tampering import Tampering, namespaces, tamperings
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

PART = "drift"
OBJECTS = 200
PER_SECOND = 10
NAMESPACES = 5
P50_LIMIT = 0.3
P99_LIMIT = 2.0
_GIVE_UP_SECONDS = 60

Place = tuple[str, str, str]


def measure_drift(plane: Plane, operator: OperatorProcess, projects: int, progress: Progress) -> Result:
    """Drift object by object, and then, apart, whole namespaces."""
    result = Result()
    _measure_objects(plane, operator, projects, progress, result)
    _measure_namespaces(plane, operator, projects, progress, result)
    return result


def _measure_objects(
    plane: Plane, operator: OperatorProcess, projects: int, progress: Progress, result: Result
) -> None:
    plan = tamperings(projects, OBJECTS)
    start = plane.mark()
    progress.tell(f"drift: {len(plan)} foreign writes, {PER_SECOND} a second")
    asyncio.run(tamper(plane, plan, progress))
    wait_settled(plane, operator, projects, start, {item.place for item in plan})
    everything = _writes(plane, start)
    foreign = [entry for entry in everything if entry.user == STRANGER]
    repairs = [entry for entry in everything if entry.user == OPERATOR]
    latencies: dict[str, list[float]] = defaultdict(list)
    writes = 0
    for item in plan:
        broken = next(entry.answered for entry in foreign if entry.place == item.place)
        mine = [entry for entry in repairs if entry.place == item.place]
        writes += len(mine)
        mended = [entry.answered for entry in mine if entry.done and entry.verb != "delete"]
        if mended:
            latencies[item.name].append(mended[0] - broken)
    seconds = [value for values in latencies.values() for value in values]
    result.at_most(PART, f"p50 of {len(plan)} repairs", percentile(seconds, 0.5), P50_LIMIT, " s")
    result.at_most(PART, "p99", percentile(seconds, 0.99), P99_LIMIT, " s")
    per_object = len(repairs) / len(plan)
    met = writes == len(plan) == len(seconds) == len(repairs)
    result.figures.append(Figure(PART, "writes per drifted object", "1", f"{per_object:.2f}", per_object, met))
    result.details["objects"] = {
        "foreign writes": len(plan),
        "repaired": len(seconds),
        "slowest seconds": round(max(seconds), 3),
        "writes": count(repairs),
        "p50 seconds by kind": {name: round(percentile(values, 0.5), 4) for name, values in latencies.items()},
        "slowest seconds by kind": {name: round(max(values), 4) for name, values in latencies.items()},
    }


def _measure_namespaces(
    plane: Plane, operator: OperatorProcess, projects: int, progress: Progress, result: Result
) -> None:
    plan = namespaces(projects, min(NAMESPACES, projects))
    start = plane.mark()
    progress.tell(f"drift: {len(plan)} namespaces deleted")
    asyncio.run(tamper(plane, plan, progress))
    content = {
        item.key.name: [
            place_of(key)
            for keys in all_keys(projects).values()
            for key in keys
            if key.namespace == item.key.name or key == item.key
        ]
        for item in plan
    }
    wait_settled(plane, operator, projects, start, {place for places in content.values() for place in places})
    everything = _writes(plane, start)
    writes = [entry for entry in everything if entry.user == OPERATOR]
    gone = {entry.name: entry.answered for entry in everything if entry.what == "namespaces/finalize" and entry.done}
    restored = {
        name: max(times)
        for name, places in content.items()
        if (times := [entry.answered for entry in writes if entry.place in places and entry.done])
    }
    seconds = [restored[name] - gone[name] for name in restored if name in gone]
    if len(seconds) < len(plan):
        missing = ", ".join(sorted(set(content) - restored.keys()))
        raise RuntimeError(f"not restored within {_GIVE_UP_SECONDS} s: {missing}")
    objects = sum(len(places) for places in content.values())
    result.informs(
        PART,
        f"{len(plan)} deleted namespaces: back with their contents, after the server let them go",
        f"p50 {percentile(seconds, 0.5):.2f} s, slowest {max(seconds):.2f} s",
    )
    result.details["namespaces"] = {
        "deleted": len(plan),
        "objects to restore": objects,
        "seconds until restored": [round(value, 2) for value in sorted(seconds)],
        "writes": count(writes),
    }


async def tamper(plane: Plane, plan: Sequence[Tampering], progress: Progress) -> None:
    """Carry out the plan at an even pace; a slow answer delays no later write."""
    client = await Client.from_environment(str(plane.kubeconfig(STRANGER)), request_timeout=30)
    began = time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            for number, item in enumerate(plan):
                await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
                group.create_task(item.carry_out(client))
                progress.show(number + 1, len(plan))
    finally:
        await client.close()


def wait_settled(plane: Plane, operator: OperatorProcess, projects: int, start: int, places: set[Place]) -> None:
    """Wait until every place has been written to and nothing is left to do; what is late counts as not mended."""
    tail = Tail(plane.cluster.audit_log, start)
    written: set[Place] = set()

    def settled() -> bool:
        written.update(
            item.place
            for item in tail.poll(OPERATOR.encode())
            if item.user == OPERATOR and item.writes and item.done and item.verb != "delete"
        )
        return places <= written and caught_up(operator, projects)

    with contextlib.suppress(AssertionError):
        wait_until(settled, what="every drifted object is mended", within=_GIVE_UP_SECONDS, every=0.5)


def _writes(plane: Plane, start: int) -> list[Request]:
    """Return everybody's writes, in order."""
    plane.mark()
    entries = Tail(plane.cluster.audit_log, start).poll()
    return sorted((entry for entry in entries if entry.writes), key=lambda entry: entry.answered)
