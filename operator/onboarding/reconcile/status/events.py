"""What of a status is worth an Event: gates that open or are held, each once; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from onboarding.api.status import GateState
from onboarding.reconcile.observed.ports import Event

_THROUGH = (GateState.OPEN, GateState.PASSED)


def events_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Event]:
    """Return what the change from one status to the next has to tell."""
    return list(_news(before, after))


def _news(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Event]:
    former = {gate["name"]: gate["state"] for gate in before.get("gates", ())}
    for gate in after.get("gates", ()):
        name, state, was = gate["name"], gate["state"], former.get(gate["name"])
        if state in _THROUGH and was not in _THROUGH:
            yield Event("GateOpened", f"gate {name} is open")
        elif state == GateState.HELD and was != state:
            told = "; ".join(gate.get("waitingFor", ())) or "it waits for answers"
            yield Event("GateHeld", f"gate {name} is held: {told}"[:1024])
