"""One announcement per door that opens or is held, and none on repeats."""

from itertools import pairwise, product
from typing import Any

import pytest

from onboarding.api.status import GateState
from onboarding.reconcile.report.news import news
from tests.unit.worlds import approved, environment, policy_of, spec_of, told, with_status, world_of

OPENS = {(was, now) for was in (None, "Held", "Closed") for now in ("Open", "Passed")}
HOLDS = {(was, "Held") for was in (None, "Open", "Passed", "Closed")}


STATES = [None, *map(str, GateState)]


def status(state: str | None, **fields: Any) -> dict[str, Any]:
    return {"gates": [{"name": "live", "state": state, **fields}]} if state else {}


@pytest.mark.parametrize(("was", "now"), list(product(STATES, STATES)))
def test_a_door_is_told_of_once_when_it_opens_and_once_when_it_is_held(was: str | None, now: str | None) -> None:
    found = [item.reason for item in news(status(was), status(now))]
    expected = ["GateOpened"] if (was, now) in OPENS else ["GateHeld"] if (was, now) in HOLDS else []
    assert found == expected


def test_what_holds_a_door_is_told_and_no_longer_than_an_event_may_be() -> None:
    (held,) = news({}, status("Held", waitingFor=["one", "two"]))
    assert held.note == "door live is held: one; two"
    (long,) = news({}, status("Held", waitingFor=["é" * 512] * 5))
    assert len(long.note) == 1024
    (silent,) = news({}, status("Held"))
    assert silent.note == "door live is held: it waits for answers"
    (opened,) = news({}, status("Open"))
    assert (opened.reason, opened.note, opened.warning) == ("GateOpened", "door live is open", False)


def test_another_reason_for_the_same_state_is_no_news() -> None:
    assert news(status("Held", waitingFor=["one"]), status("Held", waitingFor=["two"])) == []


POLICY = policy_of(
    {"name": "build", "opens": [{"stages": ["dev"]}]},
    {"name": "talk", "approvals": [{"name": "visa", "actor": "security"}]},
    {"name": "live", "opens": [{"stages": ["prod"]}]},
    checks=[{"id": "PoaNamed", "gate": "live"}],
)


def test_a_walk_through_three_doors_tells_each_of_them_once() -> None:
    spec = spec_of(environment(), environment("prod", stage="prod"))
    yes = (approved(spec, POLICY, "talk", "visa"),)
    first = told(world_of(spec, policy=POLICY))
    again = told(with_status(world_of(spec, policy=POLICY), first))
    second = told(with_status(world_of(spec, policy=POLICY, decisions=yes), again))
    broken = told(with_status(world_of(spec, policy=None, policy_problem="broken"), second))
    mended = told(with_status(world_of(spec, policy=POLICY, decisions=yes), broken))
    taken_back = told(with_status(world_of(spec, policy=POLICY), mended))
    walk = [{}, first, again, second, broken, mended, taken_back]
    assert [[item.note for item in news(before, after)] for before, after in pairwise(walk)] == [
        ["door build is open", "door talk is held: approval visa of door talk is missing"],
        [],
        ["door talk is open", "door live is held: PoaNamed: spec.team.poa names nobody"],
        [],
        [],
        ["door talk is held: approval visa of door talk is missing"],
    ]
