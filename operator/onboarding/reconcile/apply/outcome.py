"""How a change ended."""

from dataclasses import dataclass
from enum import StrEnum

from onboarding.reconcile.apply.diff import Change


class Result(StrEnum):
    """How a change ended."""

    DONE = "done"
    WAITING = "waiting"
    CONFLICT = "conflict"
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "stale"
    """The cache was behind; it knows better now."""
    UNREACHABLE = "unreachable"
    GUARD_MISSING = "guard missing"
    ARGOCD_MISSING = "Argo CD missing"
    FORMER = "former"
    """An object of a former incarnation of the project stands there."""
    UNCONFIRMED = "unconfirmed"
    """A quota is not in force yet, so that nothing gives access."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A change and how it ended, with words for the reader where it did not end well."""

    change: Change
    result: Result
    message: str = ""
    told: bool = False
    """Whether an event surely tells when this may end otherwise, so that trying again before is of no use."""
