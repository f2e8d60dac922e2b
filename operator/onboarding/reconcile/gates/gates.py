"""The gates of the journey: which are open, what holds the next one, and how far the project has come; pure.

A gate is open when nothing blocks it, every approval that it demands is there, and the gate before it is open. One
that would close again behind what exists stays passed for that, and lets nothing new through. Nothing of this is
remembered: it is derived in each pass from what is declared, decided and provisioned.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onboarding.api.gates import Actor, Gate
from onboarding.api.status import CheckResult, GateState
from onboarding.checks.finding import GateFinding
from onboarding.reconcile.gates.decisions import Decisions, describe
from onboarding.reconcile.gates.evaluation import GateEvaluation


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that holds a gate, in words, and who has to act."""

    actor: Actor
    message: str
    remedy: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate."""

    gate: Gate
    open: bool
    """Whether something new may go through."""
    state: GateState
    """What is shown: a gate that only waits for questions asked anew after a start is shown as before."""
    obstacles: tuple[Obstacle, ...] = ()
    """What holds it, the worst first; only of gates that nothing before them is shown to hold."""


def evaluate_gates(
    gates: Sequence[Gate], evaluation: GateEvaluation, decisions: Decisions, passed: int, status: Mapping[str, Any]
) -> list[GateResult]:
    """Return the gates in order; ``passed`` is the place of the last one behind which something is provisioned, or -1.

    The first gate that does not open holds all gates behind it. Shown are the gates as if what is asked anew after a
    start had been answered as before.
    """
    states = {state.value: state for state in GateState}
    before = {item["name"]: states.get(item["state"]) for item in status.get("gates", ())}
    gate_results: list[GateResult] = []
    free = shown_free = True
    for index, gate in enumerate(gates):
        obstacles = sorted(_obstacles(gate, evaluation, decisions, new=index > passed), key=lambda item: item.quiet)
        is_open = free and not obstacles
        told = [obstacle for obstacle in obstacles if not obstacle.quiet]
        state = _state(is_open=is_open, free=shown_free, passed=index <= passed, told=told, was=before.get(gate.name))
        gate_results.append(GateResult(gate, is_open, state, tuple(obstacles) if shown_free else ()))
        free = is_open
        shown_free = shown_free and state is GateState.OPEN
    return gate_results


def stage_of(gate_results: Iterable[GateResult]) -> str:
    """Return the step that the project has reached: behind the last gate that is open or passed."""
    reached = ""
    for result in gate_results:
        if result.state in (GateState.OPEN, GateState.PASSED):
            reached = result.gate.name
    return reached


def _state(*, is_open: bool, free: bool, passed: bool, told: Sequence[Obstacle], was: GateState | None) -> GateState:
    if is_open:
        return GateState.OPEN
    if free and not told and was not in (None, GateState.CLOSED):
        # Only answers are missing that were there before the start.
        return was
    if passed:
        return GateState.PASSED
    return GateState.HELD if free else GateState.CLOSED


def _obstacles(gate: Gate, evaluation: GateEvaluation, decisions: Decisions, *, new: bool) -> Iterable[Obstacle]:
    """Yield what holds a gate, the worst first; ``new``: nothing is provisioned behind it yet."""
    if new and gate.name in evaluation.awaited:
        yield Obstacle(
            Actor.OPERATOR, f"environment {evaluation.awaited[gate.name]} is not in place yet", "wait a moment"
        )
    elif new and gate.name in evaluation.unseen:
        yield Obstacle(
            Actor.PROJECT,
            f"no environment runs yet before gate {gate.name}",
            "declare one that a gate before it opens, and deploy to it",
        )
    for found in sorted(evaluation.at_gate(gate.name), key=lambda item: item.rank):
        yield _of_check(found)
    for approval in gate.approvals:
        result = (gate.name, approval.name)
        if rejection := decisions.rejected.get(result):
            yield Obstacle(
                approval.actor,
                f"{describe(rejection)}: {rejection.reason}",
                "settle it with its author, who then deletes that OnboardingDecision",
            )
        elif result not in decisions.approved:
            yield Obstacle(
                approval.actor,
                f"approval {approval.name} of gate {gate.name} is missing",
                f"look at the project and create an OnboardingDecision Approve for gate {gate.name}, "
                f"approval {approval.name}",
            )


def _of_check(found: GateFinding) -> Obstacle:
    where = f"environment {found.environment}: " if found.environment else ""
    actor = Actor.OPERATOR if found.finding.result is CheckResult.PENDING else found.actor
    return Obstacle(actor, f"{where}{found.check.id}: {found.finding.message}", found.remedy, found.quiet)
