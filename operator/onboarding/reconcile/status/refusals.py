"""Refused status writes, reported as an Event on the object because its status cannot show them."""

from collections.abc import Hashable

from onboarding.errors import ApiError
from onboarding.reconcile.observed.ports import Event

_TRANSIENT = frozenset({404, 409, 429})
"""Not found, conflict, too many requests: the next reconcile may succeed."""
_REPORTED = 2
"""The refusal in a row that is reported: the first may come from an API server that is starting."""


def refuses_status(error: ApiError) -> bool:
    """Return whether the API server would refuse the same status again."""
    return 400 <= error.status < 500 and error.status not in _TRANSIENT


class Refusals:
    """The last refusal of each object, so that each cause is reported once per object."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[str, int]] = {}

    def take(self, about: Hashable, error: ApiError) -> list[Event]:
        """Record a refusal; return the Event to post if it is the second in a row with the same cause."""
        cause = str(error)
        former, count = self._last.get(about, ("", 0))
        count = count + 1 if former == cause else 1
        self._last[about] = cause, count
        if count != _REPORTED:
            return []
        note = f"the status cannot be written and is out of date: the API server answers {cause}"
        return [Event("StatusNotWritten", note[:1024], warning=True)]

    def end(self, about: Hashable) -> None:
        """Forget the refusals of an object, because its status was written or it is gone."""
        self._last.pop(about, None)
