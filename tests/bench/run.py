"""One run: which part needs which control plane."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.bench import admission, decide, drift, idle, memory, onboard, restart, soak, unchanged
from tests.bench.figures import Result
from tests.bench.machine import Facts, facts_of
from tests.bench.plane import Plane, fresh_plane, operator_on
from tests.bench.progress import Progress

PARTS = (onboard.PART, admission.PART, idle.PART, restart.PART, drift.PART, decide.PART, memory.PART, unchanged.PART)
ON_REQUEST = (soak.PART,)
"""Parts that take too long to be measured unasked."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a run is."""

    projects: int
    restart_projects: int
    foreign_guards: int
    idle_seconds: int
    soak_minutes: int


@dataclass(slots=True)
class Run:
    """The parts of a run, and what came of them so far."""

    sizes: Sizes
    parts: frozenset[str]
    progress: Progress
    results: dict[str, Result] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)

    def run(self) -> None:
        """Measure every part that was asked for; the failure of one stops no other."""
        if self.parts & {onboard.PART, idle.PART, drift.PART}:
            self._on_shared_plane()
        if restart.PART in self.parts:
            self._part(restart.PART, self._restart)
        self._part(admission.PART, self._admission)
        if decide.PART in self.parts:
            self._part(decide.PART, self._decide)
        if memory.PART in self.parts:
            self._part(memory.PART, self._memory)
        self._part(soak.PART, self._soak)
        self._part(unchanged.PART, self._unchanged)

    def _on_shared_plane(self) -> None:
        """Onboard, and then look at the same projects at rest and under attack."""
        costs: list[onboard.Cost] = []
        if onboard.PART in self.parts:
            with self._reported(onboard.PART):
                costs.append(self._raw())
        with self._reported(onboard.PART), self._plane("operator") as plane, operator_on(plane) as operator:
            cost = onboard.measure_operator(plane, operator, self.sizes.projects, self.progress)
            if onboard.PART in self.parts:
                raw = costs[0] if costs else None
                self.results[onboard.PART] = onboard.compare_costs(raw, cost, self.sizes.projects)
            self._part(idle.PART, lambda: idle.measure_idle(plane, operator, self.sizes.idle_seconds, self.progress))
            self._part(drift.PART, lambda: drift.measure_drift(plane, operator, self.sizes.projects, self.progress))

    def _raw(self) -> onboard.Cost:
        with self._plane("raw") as plane:
            return onboard.measure_raw(plane, self.sizes.projects, self.progress)

    def _restart(self) -> Result:
        with self._plane("restart") as plane:
            return restart.measure_restart(plane, self.sizes.restart_projects, self.sizes.foreign_guards, self.progress)

    def _decide(self) -> Result:
        with self._plane("decide") as plane:
            decide.demand_approval(plane)
            with operator_on(plane) as operator:
                return decide.measure_decide(plane, operator, self.sizes.projects, self.progress)

    def _admission(self) -> Result:
        return admission.measure_admission(self._plane, self.sizes.projects, self.progress)

    def _unchanged(self) -> Result:
        return unchanged.measure_unchanged(self.sizes.restart_projects, self.progress)

    def _memory(self) -> Result:
        with self._plane("memory") as plane:
            return memory.measure_memory(plane, self.progress)

    def _soak(self) -> Result:
        with self._plane("soak") as plane:
            return soak.measure_soak(plane, self.sizes.soak_minutes, self.progress)

    def _part(self, name: str, measure: Callable[[], Result]) -> None:
        if name in self.parts:
            with self._reported(name):
                self.results[name] = measure()

    @contextlib.contextmanager
    def _plane(self, name: str) -> Iterator[Plane]:
        with fresh_plane(name, self.progress) as plane:
            self.facts = facts_of(plane)
            yield plane

    @contextlib.contextmanager
    def _reported(self, part: str) -> Iterator[None]:
        """Keep the failure of a part for the end."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever broke one part, the others are still worth having
            self.failures[part] = _explain(error)
            self.progress.tell(f"{part} failed: {self.failures[part]}")


def _explain(error: Exception) -> str:
    """Return an error with its notes, and of a group the first of its errors."""
    first = error
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return "; ".join([f"{type(first).__name__}: {first}", *getattr(error, "__notes__", ())])
