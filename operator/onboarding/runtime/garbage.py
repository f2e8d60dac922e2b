"""Python's search for garbage, kept away from the many objects that come at the start and stay.

Searching among them took a fifth of the start's CPU.
"""

import gc

_USUAL = gc.get_threshold()


def search_less() -> None:
    """Search seldom, while nearly everything that comes is here to stay."""
    gc.set_threshold(50_000, 20, 100)


def search_what_is_new() -> None:
    """Search as usual, and among what comes from now on: closed connections have to give their buffers back."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_USUAL)
