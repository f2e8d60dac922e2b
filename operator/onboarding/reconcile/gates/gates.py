"""The gates of a project: their states and their obstacles; pure.

A gate is open if no check blocks it, every approval that it requires is there, the gate before it is open, and the
project's journey leads through it. If it
closes again after an environment behind it was provisioned, its state is Passed: that environment stays, and nothing
new goes through. No state of a gate is stored: each reconcile derives it from the spec, the decisions and the
provisioned environments.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onboarding import names
from onboarding.api.gates import Actor, Approval, Gate
from onboarding.api.status import CheckResult, GateState
from onboarding.checks.finding import GateFinding
from onboarding.checks.journey import JourneyInForce
from onboarding.reconcile.gates.decisions import Decisions, describe
from onboarding.reconcile.gates.evaluation import GateEvaluation

_NAME_AUTHORS: Final = (
    f"name everybody who wrote the spec in the annotation {names.ANNOTATION_INSIDERS}, as docs/guard-rails.md says"
)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason why a gate or an environment is held, with the remedy and the actor."""

    actor: Actor
    message: str
    remedy: str
    quiet: bool = False
    """Whether it is left out of the status, because a start only repeats a probe that it waits for."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """The state of one gate."""

    gate: Gate
    open: bool
    """Whether a candidate may go through."""
    state: GateState
    """The state in the status; a gate that only waits for probes repeated after a start keeps its former state."""
    obstacles: tuple[Obstacle, ...] = ()
    """Its obstacles, worst first; empty if the status shows an earlier gate as held."""
    approvals: tuple[Approval, ...] = ()
    """The approvals that it requires of this project."""
    beyond: bool = False
    """Whether it is behind the last gate of the project's journey."""


def evaluate_gates(
    gates: Sequence[Gate],
    evaluation: GateEvaluation,
    decisions: Decisions,
    passed: int,
    status: Mapping[str, Any],
    journey: JourneyInForce,
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
        asked = journey.asked(gate)
        found = _obstacles(gate, asked, evaluation, decisions, new=index > passed)
        obstacles = sorted(found, key=lambda item: item.quiet)
        is_open = free and not obstacles
        shown = [obstacle for obstacle in obstacles if not obstacle.quiet]
        former = before.get(gate.name)
        state = _state(is_open=is_open, free=shown_free, passed=index <= passed, shown=shown, former=former)
        gate_results.append(GateResult(gate, is_open, state, tuple(obstacles) if shown_free else (), asked))
        free = is_open
        shown_free = shown_free and state is GateState.OPEN
    return [*gate_results, *_beyond(gates, passed, journey)]


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


def _obstacles(
    gate: Gate, approvals: Sequence[Approval], evaluation: GateEvaluation, decisions: Decisions, *, new: bool
) -> Iterable[Obstacle]:
    """Yield the obstacles of a gate, worst first; ``new``: nothing is provisioned behind it yet."""
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
    if approvals:
        yield from _unknown_authors(decisions)
    for approval in approvals:
        key = (gate.name, approval.name)
        if rejection := decisions.rejected.get(key):
            yield Obstacle(
                approval.actor,
                f"{describe(rejection)}: {rejection.reason}",
                "resolve it with its author, who then deletes the OnboardingDecision",
            )
        elif key not in decisions.approved:
            yield Obstacle(
                approval.actor,
                f"approval {approval.name} of gate {gate.name} is missing",
                f"review the project and create an OnboardingDecision Approve for gate {gate.name}, "
                f"approval {approval.name}",
            )


def _unknown_authors(decisions: Decisions) -> Iterable[Obstacle]:
    """Yield the obstacle of unknown authors, if the policy holds for it."""
    if decisions.authors_hold and decisions.unknown_authors:
        yield Obstacle(Actor.PLATFORM, f"authors unknown: {decisions.unknown_authors}", _NAME_AUTHORS)


def _blocking_check(found: GateFinding) -> Obstacle:
    subject = f"environment {found.environment}: " if found.environment else ""
    actor = Actor.OPERATOR if found.finding.result is CheckResult.PENDING else found.actor
    return Obstacle(actor, f"{subject}{found.check.id}: {found.finding.message}", found.remedy, found.quiet)
