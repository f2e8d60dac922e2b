"""Freshness: which of two states of one object is the newer, and whether an answer to our own write counts.

Events, lists and answers to writes come by different ways, so that an older state may arrive after a newer one. A
``resourceVersion`` tells them apart: Kubernetes lets clients compare it as a number within one resource (KEP-5504).
"""

from enum import Enum


class Freshness(Enum):
    """How a state that arrives compares with the known one."""

    NEWER = "newer"
    """It is news: take it in. Everything is, as long as nothing is known."""
    SAME = "same"
    """The known state itself. It may still read differently, if the definition of its kind has changed since."""
    OLDER = "older"
    """Ignore it: something newer is known, or the object is gone by now."""


def freshness(version: int, known: int | None, *, must_be_known: bool = False) -> Freshness:
    """Compare the version of a state that arrives with the known one, which is None if the object is not known.

    ``must_be_known`` is for the answer to a change or deletion of ours: if its object is not known, the DELETED event
    came before the answer, which would bring the object back as a ghost.
    """
    if known is None:
        return Freshness.OLDER if must_be_known else Freshness.NEWER
    if version == known:
        return Freshness.SAME
    return Freshness.NEWER if version > known else Freshness.OLDER


def outlives(version: int, known: int) -> bool:
    """Return whether a known object outlives the end of an object at ``version``: it is another one of its name.

    The end is a DELETED event, or a complete list that does not hold the object.
    """
    return freshness(version, known) is Freshness.OLDER
