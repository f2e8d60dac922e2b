"""Waiting for a condition."""

import time
from collections.abc import Callable

from devcluster.errors import DevclusterError

_POLL_SECONDS = 0.1


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Return once the condition holds, or raise an error that names what did not happen in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DevclusterError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(_POLL_SECONDS)
