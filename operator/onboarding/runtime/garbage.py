"""Tune Python's garbage collector for the start, which makes many objects that stay.

Collections among them took a fifth of the start's CPU.
"""

import gc

_USUAL = gc.get_threshold()


def search_less() -> None:
    """Collect rarely, while nearly all new objects stay."""
    gc.set_threshold(50_000, 20, 100)


def search_what_is_new() -> None:
    """Collect as usual among new objects, so that closed connections free their buffers; freeze all present ones."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_USUAL)
