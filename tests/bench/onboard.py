"""Part ``onboard``: the same projects by a raw writer and by the operator, each on a fresh control plane."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.bench.audit import Request, Tail, count, requests_of
from tests.bench.contender import writer
from tests.bench.figures import Figure, Result
from tests.bench.load import Formula, all_keys, children_plan, formula, make_projects, place_of
from tests.bench.plane import OPERATOR, WRITER, Plane, caught_up, declare, passes, read_metrics
from tests.bench.proc import cpu_seconds
from tests.bench.progress import Progress
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

PART = "onboard"
WALL_LIMIT = 1.5
CPU_LIMIT = 2.5
OWN_WRITES = 3
"""The finalizer and at most two of the status."""
_DRIVER = "system:serviceaccount:bench:driver"


@dataclass(slots=True)
class Cost:
    """What one contender cost, by the server's own records."""

    writes: list[Request]
    events: list[Request]
    wall: float
    cpu: float
    effective: dict[str, int]
    server_cpu: dict[str, float]
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def cpu_per_write(self) -> float:
        """Milliseconds of the client's CPU per write."""
        return 1000 * self.cpu / len(self.writes)

    def details(self) -> dict[str, Any]:
        """Return it for the file."""
        return {
            "writes": len(self.writes),
            "writes by verb and kind": count(self.writes),
            "events": len(self.events),
            "wall seconds": round(self.wall, 3),
            "writes per second": round(len(self.writes) / self.wall, 1),
            "client CPU seconds": round(self.cpu, 2),
            "client CPU milliseconds per write": round(self.cpu_per_write, 3),
            "effective writes": self.effective,
            "server CPU seconds": {part: round(seconds, 2) for part, seconds in self.server_cpu.items()},
            **self.extra,
        }


def measure_raw(plane: Plane, projects: int, progress: Progress) -> Cost:
    """Let the raw writer write everything."""
    plan = children_plan(make_projects(projects))
    with writer(plane.kubeconfig(WRITER), plan, plane.cluster.directory) as raw:
        start, server = plane.mark(), plane.server_cpu()
        before = plane.revision()
        progress.tell(f"raw writer: {projects} projects")
        cpu = raw.write_all()
        plane.mark()
        writes, events = _split(requests_of(WRITER, plane.cluster.audit_log, start))
        wall = max(item.answered for item in writes) - min(item.received for item in writes)
        return Cost(writes, events, wall, cpu, _effective(plane, WRITER, start, before), _spent(plane, server))


def measure_operator(plane: Plane, operator: OperatorProcess, projects: int, progress: Progress) -> Cost:
    """Let the driver declare the projects and the operator onboard them."""
    pid = operator.process.pid
    start, server, cpu = plane.mark(), plane.server_cpu(), cpu_seconds(pid)
    before = plane.revision()
    declare(plane, projects, progress)
    wait_until(lambda: caught_up(operator, projects), what="the operator has nothing left to do", within=60)
    cpu, server = cpu_seconds(pid) - cpu, _spent(plane, server)
    plane.mark()
    writes, events = _split(requests_of(OPERATOR, plane.cluster.audit_log, start))
    declared = [item for item in requests_of(_DRIVER, plane.cluster.audit_log, start) if item.writes]
    ready = {item.name: item.answered for item in writes if item.what == "projectonboardings/status"}
    wall = max(ready.values()) - min(item.received for item in declared)
    extra = {"passes": passes(read_metrics(operator))}
    return Cost(writes, events, wall, cpu, _effective(plane, OPERATOR, start, before), server, extra)


def compare_costs(raw: Cost | None, operator: Cost, projects: int) -> Result:
    """Return the figures of both."""
    result = Result(details={"projects": projects, "operator": operator.details()})
    _judge_writes(result, operator, projects, formula())
    result.informs(PART, "Events written", str(len(operator.events)))
    if raw is None:
        return result
    result.details["raw writer"] = raw.details()
    _judge_ratio(result, "wall time", (operator.wall, raw.wall), WALL_LIMIT, "s")
    _judge_ratio(result, "client CPU per write", (operator.cpu_per_write, raw.cpu_per_write), CPU_LIMIT, "ms")
    return result


def _judge_writes(result: Result, operator: Cost, projects: int, minimum: Formula) -> None:
    """Hold the writes against the formula, project by project: each object once, and the project's own."""
    owner = {place_of(key): name for name, keys in all_keys(projects).items() for key in keys}
    children, own = Counter[str](), Counter[str]()
    strays = []
    for item in operator.writes:
        if item.resource == "projectonboardings":
            own[item.name] += 1
        elif item.place in owner:
            children[owner[item.place]] += 1
        else:
            strays.append(item)
    exact = len(children) == projects and set(children.values()) == {minimum.writes}
    met = exact and max(own.values()) <= OWN_WRITES and not strays
    mean = len(operator.writes) / projects
    most = max(children[name] + own[name] for name in children | own)
    result.figures.append(
        Figure(
            PART,
            f"writes per project ({minimum} = {minimum.writes}, and finalizer and status)",
            f"{minimum.writes} + ≤ {OWN_WRITES}",
            f"{mean:.2f}, at most {most}",
            mean / minimum.writes,
            met,
        )
    )
    result.details["writes"] = {
        "formula": f"{minimum} = {minimum.writes}",
        "children per project": _spread(children),
        "finalizer and status per project": _spread(own),
        "refused": sum(not item.done for item in operator.writes),
        "other": count(strays),
    }


def _spread(counts: Counter[str]) -> dict[str, str]:
    """Return how many projects have which count."""
    return {str(value): f"{projects} projects" for value, projects in sorted(Counter(counts.values()).items())}


def _judge_ratio(result: Result, name: str, both: tuple[float, float], limit: float, unit: str) -> None:
    mine, raw = both
    measured = f"{mine:.2f} {unit} (raw {raw:.2f} {unit})"
    result.figures.append(Figure(PART, name, f"≤ {limit} × raw", measured, mine / raw, mine <= limit * raw))


def _split(requests: list[Request]) -> tuple[list[Request], list[Request]]:
    """Return the writes, and those on Events."""
    writes = [item for item in requests if item.writes]
    return (
        [item for item in writes if item.resource != "events"],
        [item for item in writes if item.resource == "events"],
    )


def _effective(plane: Plane, user: str, start: int, revision: int) -> dict[str, int]:
    """Return etcd's revisions beside the writes of all identities: fewer revisions are writes without effect.

    Both are read while the controllers work, so that they may differ by the few writes of that moment.
    """
    stored = [item for item in Tail(plane.cluster.audit_log, start).poll() if item.stores]
    return {
        "etcd revisions": plane.revision() - revision,
        "writes of the contender": sum(item.user == user for item in stored),
        "writes of all others": sum(item.user != user for item in stored),
    }


def _spent(plane: Plane, before: dict[str, float]) -> dict[str, float]:
    return {part: seconds - before[part] for part, seconds in plane.server_cpu().items()}
