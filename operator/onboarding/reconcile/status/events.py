"""Events of a project: one for each gate that it passes, or that holds something; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onboarding.api.status import GateState
from onboarding.reconcile.observed.ports import Event


def events_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Event]:
    """Return the Events for the change from one status to the next."""
    return list(_gate_events(before, after))


def _gate_events(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Event]:
    passed, held = set(_passed(before)), _held(before)
    yield from (Event("GateOpened", f"gate {name} is open") for name in _passed(after) if name not in passed)
    for name, reasons in _held(after).items():
        if name not in held:
            yield Event("GateHeld", f"gate {name} is held: {'; '.join(reasons)}"[:1024])


def _passed(status: Mapping[str, Any]) -> list[str]:
    """Return the gates up to the stage that the project has reached."""
    names = [gate["name"] for gate in status.get("gates", ())]
    stage = status.get("stage")
    return names[: names.index(stage) + 1] if stage in names else []


def _held(status: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return the gates that are held while something waits behind them, each with its reasons."""
    gates = (gate for gate in status.get("gates", ()) if gate["state"] == GateState.HELD)
    return {gate["name"]: gate["waitingFor"] for gate in gates if gate.get("waitingFor")}
