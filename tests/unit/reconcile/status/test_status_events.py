"""One announcement per gate that opens or is held, and none on repeats."""

from itertools import pairwise, product
from typing import Any

import pytest

from onboarding.api.status import GateState
from onboarding.reconcile.status.events import events_of
from tests.unit.snapshots import approved, environment, policy_of, snapshot_of, spec_of, told, with_status

OPENS = {(was, now) for was in (None, "Held", "Closed") for now in ("Open", "Passed")}
HOLDS = {(was, "Held") for was in (None, "Open", "Passed", "Closed")}


STATES = [None, *map(str, GateState)]


def status(state: str | None, **fields: Any) -> dict[str, Any]:
    return {"gates": [{"name": "live", "state": state, **fields}]} if state else {}


@pytest.mark.parametrize(("was", "now"), list(product(STATES, STATES)))
def test_a_gate_is_told_of_once_when_it_opens_and_once_when_it_is_held(was: str | None, now: str | None) -> None:
    found = [item.reason for item in events_of(status(was), status(now))]
    expected = ["GateOpened"] if (was, now) in OPENS else ["GateHeld"] if (was, now) in HOLDS else []
    assert found == expected


def test_what_holds_a_gate_is_told_and_no_longer_than_an_event_may_be() -> None:
    (held,) = events_of({}, status("Held", waitingFor=["one", "two"]))
    assert held.note == "gate live is held: one; two"
    (long,) = events_of({}, status("Held", waitingFor=["é" * 512] * 5))
    assert len(long.note) == 1024
    (silent,) = events_of({}, status("Held"))
    assert silent.note == "gate live is held: waiting for probe results"
    (opened,) = events_of({}, status("Open"))
    assert (opened.reason, opened.note, opened.warning) == ("GateOpened", "gate live is open", False)


def test_another_reason_for_the_same_state_is_no_news() -> None:
    assert events_of(status("Held", waitingFor=["one"]), status("Held", waitingFor=["two"])) == []


POLICY = policy_of(
    {"name": "build", "opens": [{"stages": ["dev"]}]},
    {"name": "talk", "approvals": [{"name": "visa", "actor": "security"}]},
    {"name": "live", "opens": [{"stages": ["prod"]}]},
    checks=[{"id": "PoaNamed", "gate": "live"}],
)


def test_a_walk_through_three_gates_tells_each_of_them_once() -> None:
    spec = spec_of(environment(), environment("prod", stage="prod"))
    yes = (approved(spec, POLICY, "talk", "visa"),)
    first = told(snapshot_of(spec, policy=POLICY))
    again = told(with_status(snapshot_of(spec, policy=POLICY), first))
    second = told(with_status(snapshot_of(spec, policy=POLICY, decisions=yes), again))
    broken = told(with_status(snapshot_of(spec, policy=None, policy_problem="broken"), second))
    mended = told(with_status(snapshot_of(spec, policy=POLICY, decisions=yes), broken))
    taken_back = told(with_status(snapshot_of(spec, policy=POLICY), mended))
    walk = [{}, first, again, second, broken, mended, taken_back]
    assert [[item.note for item in events_of(before, after)] for before, after in pairwise(walk)] == [
        ["gate build is open", "gate talk is held: approval visa of gate talk is missing"],
        [],
        ["gate talk is open", "gate live is held: PoaNamed: spec.team.poa names nobody"],
        [],
        [],
        ["gate talk is held: approval visa of gate talk is missing"],
    ]
