"""The outcomes of changes."""

from dataclasses import dataclass
from enum import StrEnum

from onboarding.reconcile.apply.diff import Change


class Result(StrEnum):
    """The result of a change."""

    DONE = "done"
    WAITING = "waiting"
    CONFLICT = "conflict"
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "stale"
    """The cache was stale; it has been refreshed."""
    UNREACHABLE = "unreachable"
    GUARD_MISSING = "guard missing"
    ARGOCD_MISSING = "Argo CD missing"
    FORMER = "former"
    """The object belongs to a former incarnation of the project: same name, other UID."""
    DRIFTED = "drifted"
    """The object is not stored as it was written, or somebody else changes it again and again."""
    UNCONFIRMED = "unconfirmed"
    """A quota is not in force yet, so that no access is granted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A change with its result, and a message if it is not done."""

    change: Change
    result: Result
    message: str = ""
    told: bool = False
    """Whether a watch event is sure to come when the result may change, so that no retry is needed before."""
