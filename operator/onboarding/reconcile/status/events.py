"""Events of a project: one for each gate that opens or becomes held; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from onboarding.api.status import GateState
from onboarding.reconcile.observed.ports import Event

_OPEN = (GateState.OPEN, GateState.PASSED)


def events_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Event]:
    """Return the Events for the change from one status to the next."""
    return list(_gate_events(before, after))


def _gate_events(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Event]:
    states = {gate["name"]: gate["state"] for gate in before.get("gates", ())}
    for gate in after.get("gates", ()):
        name, state, former = gate["name"], gate["state"], states.get(gate["name"])
        if state in _OPEN and former not in _OPEN:
            yield Event("GateOpened", f"gate {name} is open")
        elif state == GateState.HELD and former != state:
            reasons = "; ".join(gate.get("waitingFor", ())) or "waiting for probe results"
            yield Event("GateHeld", f"gate {name} is held: {reasons}"[:1024])
