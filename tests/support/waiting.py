"""Wait for conditions, never for time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, what: str, within: float = 30, every: float = 0.1) -> T:
    """Return the first true answer of a condition; AssertionError with the last answer when the time is over."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:.0f} s: {what}; last answer: {answer!r}")
        time.sleep(every)
