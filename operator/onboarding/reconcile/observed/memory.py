"""What pure functions said in the last pass over a project, said again where they are asked the very same.

It saves work and decides nothing: a pass without it comes to the same.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, TypeVarTuple

AnswerT = TypeVar("AnswerT")
QuestionTs = TypeVarTuple("QuestionTs")


class Memory:
    """What was asked in one pass, and what in the one before it; of anything older nothing is kept."""

    def __init__(self, last: "Memory | None" = None) -> None:
        self._before: dict[Hashable, tuple[tuple[Any, ...], Any]] = last._asked if last else {}
        self._asked: dict[Hashable, tuple[tuple[Any, ...], Any]] = {}

    def recall(self, about: Hashable, work_out: Callable[[*QuestionTs], AnswerT], *question: *QuestionTs) -> AnswerT:
        """Return what a pure function answers to a question; ``about`` tells its questions in one pass apart.

        Most questions consist of the very objects of the pass before, so that comparing them costs next to nothing.
        """
        key = (work_out, about)
        known = self._asked.get(key) or self._before.get(key)
        if known is None or known[0] != question:
            known = question, work_out(*question)
        self._asked[key] = known
        answer: AnswerT = known[1]
        return answer

    def forget(self, about: Hashable, work_out: Callable[..., object]) -> None:
        """Keep no answer to this."""
        self._asked.pop((work_out, about), None)
