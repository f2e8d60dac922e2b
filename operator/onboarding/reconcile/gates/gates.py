"""The gates of a project: their states and their obstacles; pure.

A gate is open if no check blocks it, every approval that it requires is there, the gate before it is open, and the
project's journey leads through it. Approvals of a gate that opens environments are there for one environment at a time,
so that it is open as soon as one environment has all of them; the others wait at it. If it closes again after an
environment behind it was provisioned, its state is Passed: that environment stays, and nothing new goes through. No
state of a gate is stored: each reconcile derives it from the spec, the decisions and the provisioned environments.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from onboarding import names
from onboarding.api.gates import Actor, Approval, Gate
from onboarding.api.status import CheckResult, GateState
from onboarding.checks.finding import GateFinding
from onboarding.checks.journey import JourneyInForce
from onboarding.reconcile.gates.approvals import Approvals, Key, describe
from onboarding.reconcile.gates.evaluation import GateEvaluation
from onboarding.reconcile.gates.waiting import Obstacle, Waiting, rejection_of

AtGates = Mapping[str, Mapping[str, Waiting]]
"""By gate and environment: what each environment that the gate opens waits for there."""
_NAME_AUTHORS: Final = (
    f"name everybody who wrote the spec in the annotation {names.ANNOTATION_INSIDERS}, as docs/guard-rails.md says"
)


@dataclass(frozen=True, slots=True)
class GateResult:
    """The state of one gate."""

    gate: Gate
    open: bool
    """Whether the gates behind it may open."""
    state: GateState
    """The state in the status; a gate that only waits for probes repeated after a start keeps its former state."""
    obstacles: tuple[Obstacle, ...] = ()
    """Its obstacles, worst first; empty if the status shows an earlier gate as held."""
    missing: tuple[Key, ...] = ()
    """The approvals that are not there, of the project or of its environments."""
    beyond: bool = False
    """Whether it is behind the last gate of the project's journey."""
    environments: Mapping[str, Waiting] = field(default_factory=dict)
    """What each environment behind it waits for, by name; empty if the gate requires no approval."""
    lets_in: bool = False
    """Whether nothing but the approval of an environment keeps that environment out."""


def evaluate_gates(
    gates: Sequence[Gate],
    evaluation: GateEvaluation,
    approvals: Approvals,
    passed: int,
    status: Mapping[str, Any],
    journey: JourneyInForce,
    at_gates: AtGates,
) -> list[GateResult]:
    """Return the gates in order; ``passed`` is the index of the last one with a provisioned environment, or -1.

    The first gate that does not open closes all gates behind it. A gate behind the last one of the journey never opens
    and has no obstacles. States are shown as if the probes that are repeated after a start had given the former
    answers.
    """
    states = {state.value: state for state in GateState}
    before = {item["name"]: states.get(item["state"]) for item in status.get("gates", ())}
    gate_results: list[GateResult] = []
    free = shown_free = True
    for index, gate in enumerate(gates[: journey.last + 1]):
        environments = at_gates.get(gate.name, {})
        missing = tuple(_missing(gate, journey.asked(gate), approvals, environments))
        own = [
            *_of_checks(gate, evaluation, new=index > passed),
            *_of_project(gate, journey.asked(gate), approvals, missing),
        ]
        obstacles = sorted((*own, *_of_environments(environments)), key=lambda item: item.quiet)
        is_open = free and not obstacles
        shown = [obstacle for obstacle in obstacles if not obstacle.quiet]
        former = before.get(gate.name)
        state = _state(is_open=is_open, free=shown_free, passed=index <= passed, shown=shown, former=former)
        result = GateResult(gate, is_open, state, tuple(obstacles), missing, False, environments, free and not own)
        gate_results.append(result if shown_free else replace(result, obstacles=()))
        free = is_open
        shown_free = shown_free and state is GateState.OPEN
    return [*gate_results, *_beyond(gates, passed, journey)]


def _of_environments(environments: Mapping[str, Waiting]) -> Iterator[Obstacle]:
    """Yield what the environments behind a gate lack, if none of them has all its approvals."""
    if not any(item.passes for item in environments.values()):
        for item in environments.values():
            yield from item.obstacles


def _beyond(gates: Sequence[Gate], passed: int, journey: JourneyInForce) -> Iterable[GateResult]:
    """Yield the gates behind the end of the journey."""
    for index in range(journey.last + 1, len(gates)):
        state = GateState.PASSED if index <= passed else GateState.BEYOND
        yield GateResult(gates[index], False, state, beyond=True)


def _state(
    *, is_open: bool, free: bool, passed: bool, shown: Sequence[Obstacle], former: GateState | None
) -> GateState:
    if is_open:
        return GateState.OPEN
    if free and not shown and former not in (None, GateState.CLOSED, GateState.BEYOND):
        # Only probe results are missing that were known before the start.
        return former
    if passed:
        return GateState.PASSED
    return GateState.HELD if free else GateState.CLOSED


def _of_checks(gate: Gate, evaluation: GateEvaluation, *, new: bool) -> Iterable[Obstacle]:
    """Yield the obstacles of the checks at a gate, worst first; ``new``: nothing is provisioned behind it yet."""
    if new and gate.name in evaluation.awaited:
        yield Obstacle(
            Actor.OPERATOR, f"environment {evaluation.awaited[gate.name]} is not in place yet", "wait a moment"
        )
    elif new and gate.name in evaluation.without_environment:
        yield Obstacle(
            Actor.PROJECT,
            f"no environment runs yet behind a gate before {gate.name}",
            "declare an environment behind an earlier gate and deploy to it",
        )
    for found in sorted(evaluation.at_gate(gate.name), key=lambda item: item.rank):
        yield _blocking_check(found)


def _of_project(
    gate: Gate, asked: Sequence[Approval], approvals: Approvals, missing: Container[Key]
) -> Iterator[Obstacle]:
    """Yield the rejections of a whole gate, and its approvals of the project that are not there."""
    if asked and approvals.authors_hold:
        yield Obstacle(Actor.PLATFORM, f"authors unknown: {approvals.unknown_authors}", _NAME_AUTHORS)
    for approval in asked:
        key = Key(gate.name, approval.name)
        if rejection := approvals.rejected.get(key):
            yield rejection_of(approval, describe(rejection), rejection.reason)
        elif key in missing:
            yield Obstacle(
                approval.actor,
                f"approval {approval.name} of gate {gate.name} is missing",
                f"review the project and create an OnboardingDecision Approve for gate {gate.name}, "
                f"approval {approval.name}, with the digest of the gate in status.gates",
            )


def _missing(
    gate: Gate, asked: Iterable[Approval], approvals: Approvals, environments: Mapping[str, Waiting]
) -> Iterator[Key]:
    """Yield the approvals that are not there: of the environments behind the gate or, if there is none, the project."""
    if not environments:
        keys = (Key(gate.name, approval.name) for approval in asked)
        yield from (key for key in keys if not approvals.there(key))
    for name, waiting in environments.items():
        yield from (Key(gate.name, approval.name, name) for approval in waiting.missing)


def _blocking_check(found: GateFinding) -> Obstacle:
    subject = f"environment {found.environment}: " if found.environment else ""
    actor: str = Actor.OPERATOR if found.finding.result is CheckResult.PENDING else found.actor
    return Obstacle(actor, f"{subject}{found.check.id}: {found.finding.message}", found.remedy, found.quiet)
