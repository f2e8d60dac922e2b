"""Back-off between attempts, and the jitter that keeps clients from coming back all at once."""

import random
from collections.abc import Callable

Uniform = Callable[[float, float], float]
"""Returns a random number between two."""


def uniform(low: float, high: float) -> float:
    """Return a random number between two; not for secrets."""
    return random.uniform(low, high)  # noqa: S311 - not for security


def jittered(seconds: float, share: float = 0.2, *, uniform: Uniform = uniform) -> float:
    """Return a time that is longer or shorter by a share at most."""
    return seconds * uniform(1 - share, 1 + share)


class Backoff:
    """Exponential back-off: each pause is twice as long as the one before, up to a bound."""

    __slots__ = ("_first", "_next", "_uniform", "last")

    def __init__(self, first: float, last: float, *, uniform: Uniform = uniform) -> None:
        """Begin with ``first`` seconds; never exceed ``last``, jitter aside, which is a fifth."""
        self._first = self._next = first
        self._uniform = uniform
        self.last = last
        """The longest pause; it may be changed at any time."""

    def next(self) -> float:
        """Return the seconds to wait before the next attempt."""
        pause = min(self._next, self.last)
        self._next = 2 * pause
        return jittered(pause, uniform=self._uniform)

    def reset(self) -> None:
        """Begin anew after a success."""
        self._next = self._first
