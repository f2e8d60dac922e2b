"""The doors of the journey: which are open, what holds the next one, and how far the project has come; pure.

A door is open when nothing blocks it, every approval that it demands is there, and the door before it is open. One
that would close again behind what exists stays passed for that, and lets nothing new through. Nothing of this is
remembered: it is derived in each pass from what is declared, decided and provisioned.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onboarding.api.gates import Actor, Gate
from onboarding.api.status import CheckResult, GateState
from onboarding.reconcile.journey.decisions import Decisions, describe
from onboarding.reconcile.journey.survey import Found, Survey


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that holds a door, in words, and who has to act."""

    actor: Actor
    message: str
    remedy: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """One door."""

    gate: Gate
    open: bool
    """Whether something new may go through."""
    state: GateState
    """What is shown: a door that only waits for questions asked anew after a start is shown as before."""
    obstacles: tuple[Obstacle, ...] = ()
    """What holds it, the worst first; only of doors that nothing before them is shown to hold."""


def open_doors(
    gates: Sequence[Gate], survey: Survey, decisions: Decisions, passed: int, status: Mapping[str, Any]
) -> list[Door]:
    """Return the doors in order; ``passed`` is the place of the last one behind which something is provisioned, or -1.

    The first door that does not open holds all doors behind it. Shown are the doors as if what is asked anew after a
    start had been answered as before.
    """
    states = {state.value: state for state in GateState}
    before = {item["name"]: states.get(item["state"]) for item in status.get("gates", ())}
    doors: list[Door] = []
    free = shown_free = True
    for index, gate in enumerate(gates):
        obstacles = sorted(_obstacles(gate, survey, decisions, new=index > passed), key=lambda item: item.quiet)
        is_open = free and not obstacles
        told = [obstacle for obstacle in obstacles if not obstacle.quiet]
        state = _state(is_open=is_open, free=shown_free, passed=index <= passed, told=told, was=before.get(gate.name))
        doors.append(Door(gate, is_open, state, tuple(obstacles) if shown_free else ()))
        free = is_open
        shown_free = shown_free and state is GateState.OPEN
    return doors


def stage_of(doors: Iterable[Door]) -> str:
    """Return the step that the project has reached: behind the last door that is open or passed."""
    reached = ""
    for door in doors:
        if door.state in (GateState.OPEN, GateState.PASSED):
            reached = door.gate.name
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


def _obstacles(gate: Gate, survey: Survey, decisions: Decisions, *, new: bool) -> Iterable[Obstacle]:
    """Yield what holds a door, the worst first; ``new``: nothing is provisioned behind it yet."""
    if new and gate.name in survey.awaited:
        yield Obstacle(Actor.OPERATOR, f"environment {survey.awaited[gate.name]} is not in place yet", "wait a moment")
    elif new and gate.name in survey.unseen:
        yield Obstacle(
            Actor.PROJECT,
            f"no environment runs yet before door {gate.name}",
            "declare one that a door before it opens, and deploy to it",
        )
    for found in sorted(survey.at_door(gate.name), key=lambda item: item.rank):
        yield _of_check(found)
    for approval in gate.approvals:
        door = (gate.name, approval.name)
        if rejection := decisions.rejected.get(door):
            yield Obstacle(
                approval.actor,
                f"{describe(rejection)}: {rejection.reason}",
                "settle it with its author, who then deletes that OnboardingDecision",
            )
        elif door not in decisions.approved:
            yield Obstacle(
                approval.actor,
                f"approval {approval.name} of door {gate.name} is missing",
                f"look at the project and create an OnboardingDecision Approve for gate {gate.name}, "
                f"approval {approval.name}",
            )


def _of_check(found: Found) -> Obstacle:
    where = f"environment {found.environment}: " if found.environment else ""
    actor = Actor.OPERATOR if found.finding.result is CheckResult.PENDING else found.actor
    return Obstacle(actor, f"{where}{found.check.id}: {found.finding.message}", found.remedy, found.quiet)
