"""Every request of requests/*.yaml is refused by the guard that the row names, or admitted as the row says.

Each request is also sent by somebody for whom it is admitted: none is refused for being malformed.
"""

from typing import NamedTuple

import pytest

from tests.attack.rows import Allowed, Refused, Row, themes
from tests.attack.sending import Answer
from tests.attack.world import World


class Case(NamedTuple):
    """Request of one actor, and what the row says about the answer."""

    actor: str
    row: Row
    verdict: Refused | Allowed

    def fault(self, answer: Answer) -> str:
        """Return why an answer is not what the row says; the empty string if it is."""
        said = f"{answer.status} {answer.text[:600]}"
        if isinstance(self.verdict, Allowed):
            return "" if answer.admitted and self.verdict.contains in answer.text else said
        told = answer.comes_from(self.verdict.by, self.verdict.words)
        return "" if told or any(answer.comes_from(guard, "") for guard in self.verdict.also) else said


ROWS = {f"{theme}: {row.attack}": row for theme, item in themes().items() for row in item.requests()}
CASES = {
    f"{name} - {actor}": Case(actor, row, verdict)
    for name, row in ROWS.items()
    for verdict in (*row.refused, *row.allowed)
    for actor in verdict.to
}


def test_there_are_enough_attacks() -> None:
    assert sum(isinstance(case.verdict, Refused) for case in CASES.values()) >= 250


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_request_is_refused_by_its_guard(world: World, case: Case) -> None:
    assert case.fault(world.send(case.actor, case.row)) == ""


ADMITTED = Allowed(to=(), because="")
CONTROLLED = {name: row for name, row in ROWS.items() if not row.allowed and not row.control.none}


@pytest.mark.parametrize("row", CONTROLLED.values(), ids=CONTROLLED)
def test_the_request_is_well_formed(world: World, row: Row) -> None:
    control = row.control
    changed = {} if control.body is None else {"body": control.body}
    if control.send:
        changed["send"] = control.send
    answer = world.send(control.to, row.model_copy(update=changed))
    assert Case(control.to, row, ADMITTED).fault(answer) == ""
