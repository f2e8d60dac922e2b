"""Every request of requests/*.yaml is refused by the guard that the row names, or admitted as the row says.

Each request is also sent by somebody for whom it is admitted: none is refused for being malformed.
"""

import pytest

from tests.attack.cases import CASES, ROWS, Case, cases_of
from tests.attack.rows import Allowed, Refused, Row
from tests.attack.world import World

ADMITTED = Allowed(to=(), because="")
CONTROLLED = {name: row for name, row in ROWS.items() if not row.allowed and not row.control.none}


def test_there_are_enough_attacks() -> None:
    assert sum(isinstance(case.verdict, Refused) for case in CASES) >= 3000


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_request_is_refused_by_its_guard(world: World, row: Row) -> None:
    faults = [*filter(None, (case.fault(world.send(case.actor, case.row)) for case in cases_of(row)))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("row", CONTROLLED.values(), ids=CONTROLLED)
def test_the_request_is_well_formed(world: World, row: Row) -> None:
    """Somebody is admitted with it, or with one that differs in the attack alone."""
    faults = []
    for request in row.requests():
        control = request.control
        changed = {} if control.body is None else {"body": control.body}
        if control.send:
            changed["send"] = control.send
        answer = world.send(control.to, request.model_copy(update=changed))
        if fault := Case(control.to, request, ADMITTED).fault(answer):
            faults.append(fault)
    assert not faults, "\n".join(faults)
