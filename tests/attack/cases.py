"""Cases of the attacks: one actor's request, and what the row says about the answer."""

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
        said = f"{answer.status} {answer.text[:600]}"
        if isinstance(self.verdict, Allowed):
            return "" if answer.admitted and self.verdict.contains in answer.text else said
        told = answer.comes_from(self.verdict.by, self.verdict.words)
        return "" if told or any(answer.comes_from(guard, "") for guard in self.verdict.also) else said


ROWS: Final = {f"{theme}: {row.attack}": row for theme, item in themes().items() for row in item.requests()}
"""Every request by its name."""
CASES: Final = {
    f"{name} - {actor}": Case(actor, row, verdict)
    for name, row in ROWS.items()
    for verdict in (*row.refused, *row.allowed)
    for actor in verdict.to
}
