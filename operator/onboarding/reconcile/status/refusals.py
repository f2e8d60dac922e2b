"""A status that the API server refuses: people look at the status, so that they have to be told elsewhere."""

from collections.abc import Hashable

from onboarding.errors import ApiError
from onboarding.reconcile.observed.ports import Event

_MAY_PASS = frozenset({404, 409, 429})
"""Gone, changed meanwhile, or too much at once: the next pass finds out."""
_TELLING = 2


def refuses_status(error: ApiError) -> bool:
    """Return whether an answer will be the same for the same status."""
    return 400 <= error.status < 500 and error.status not in _MAY_PASS


class Refusals:
    """The last refusal of each object, so that each is told once for every object and cause."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[str, int]] = {}

    def take(self, about: Hashable, error: ApiError) -> list[Event]:
        """Return what a refusal has to tell: something the second time in a row, for a server that starts may pass."""
        cause = str(error)
        before, count = self._last.get(about, ("", 0))
        count = count + 1 if before == cause else 1
        self._last[about] = cause, count
        if count != _TELLING:
            return []
        note = f"the status cannot be written, so that it shows what was true before: the API server answers {cause}"
        return [Event("StatusNotWritten", note[:1024], warning=True)]

    def end(self, about: Hashable) -> None:
        """Know that the status of an object was written, or that it is gone."""
        self._last.pop(about, None)
