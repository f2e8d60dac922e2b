"""Cases of the attacks: one actor's request, and what the row says about the answer."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.attack.rows import Allowed, Refused, Row, themes
from tests.attack.sending import Answer


class Case(NamedTuple):
    """Request of one actor, and what the row says about the answer."""

    actor: str
    row: Row
    verdict: Refused | Allowed

    def fault(self, answer: Answer) -> str:
        """Return why an answer is not what the row says; the empty string if it is."""
        said = f"{self.row.attack}, {self.actor}: {answer.status} {answer.text[:600]}"
        if isinstance(self.verdict, Allowed):
            return "" if answer.admitted and self.verdict.contains in answer.text else said
        told = answer.comes_from(self.verdict.by, self.verdict.words)
        return "" if told or any(answer.comes_from(guard, "") for guard in self.verdict.also) else said


ROWS: Final = {f"{theme}: {row.sentence()}": row for theme, item in themes().items() for row in item.rows}
"""Every row by its theme and attack."""


def cases_of(row: Row) -> Iterator[Case]:
    """Yield every request of a row by every actor."""
    for request in row.requests():
        for verdict in (*request.refused, *request.allowed):
            for actor in verdict.to:
                yield Case(actor, request, verdict)


CASES: Final = tuple(case for row in ROWS.values() for case in cases_of(row))
