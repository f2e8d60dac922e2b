"""Repeated warnings: each is logged when its state begins, and then once an hour while the state lasts."""

import time
from collections.abc import Callable

_AGAIN = 3600.0


class Repeats:
    """The warnings that were logged, by the subject of the state."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns seconds."""
        self._clock = clock
        self._said: dict[str, dict[str, float]] = {}

    def due(self, subject: str, text: str) -> bool:
        """Return whether to log a warning about a subject now: another text is another state."""
        said, now = self._said.setdefault(subject, {}), self._clock()
        if text in said and now - said[text] < _AGAIN:
            return False
        recent = {known: at for known, at in said.items() if now - at < _AGAIN}
        self._said[subject] = {**recent, text: now}
        return True

    def end(self, subject: str) -> None:
        """Forget a subject whose state has ended, so that its next warning is logged at once."""
        self._said.pop(subject, None)
