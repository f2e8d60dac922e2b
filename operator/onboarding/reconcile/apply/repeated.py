"""Writes that do not last: an admission policy changes them, or somebody undoes them again and again.

Both are reported as Drifted and slowed down. The memory holds objects that were repaired within the last minutes, and
is empty after a start.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from onboarding.backoff import Backoff
from onboarding.build.kinds import ObjectKey
from onboarding.build.place import Place
from onboarding.reconcile.apply.diff import Action, Change, Rank
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.repairs import InPlace
from onboarding.reconcile.apply.stored import fingerprint

MOST_REPAIRS: Final = 10
"""Repairs of one object within the window that are not slowed down."""
WINDOW: Final = timedelta(minutes=10)
SLOW: Final = timedelta(minutes=1)
"""Time between two repairs of an object that somebody changes again and again."""
_CALM: Final = 2 * SLOW
"""Time without a repair after which nobody changes the object any more."""
_FIRST: Final = 1.0
_LAST: Final = 60.0


@dataclass(slots=True)
class _Writes:
    """The latest writes of one object."""

    wanted: int
    """Fingerprint of the wanted object: another one begins anew."""
    place: Place
    expires: datetime
    repairs: list[datetime] = field(default_factory=list)
    next_at: datetime | None = None
    """Time of the next write; None if it need not wait."""
    message: str = ""
    """Message while the object is Drifted; else the empty string."""
    backoff: Backoff | None = None
    """Back-off of the writes that an admission policy changes."""

    @property
    def contested(self) -> bool:
        """Whether somebody changes the object again and again."""
        return bool(self.message) and self.backoff is None


class RepeatedWrites:
    """The writes of all projects that did not last."""

    def __init__(self) -> None:
        self._projects: dict[str, dict[ObjectKey, _Writes]] = {}

    def of(self, project: str, in_place: InPlace | None, now: datetime) -> "ProjectWrites":
        """Return the writes of one project, for one reconcile; ``in_place`` is None if there is nothing to write."""
        known = self._projects.setdefault(project, {})
        for key in [key for key, writes in known.items() if now >= writes.expires]:
            del known[key]
        return ProjectWrites(known, in_place, now)

    def forget(self, project: str) -> None:
        """Drop the writes of a deleted project."""
        self._projects.pop(project, None)


class ProjectWrites:
    """The writes of one project that did not last, as one reconcile sees them."""

    def __init__(self, known: dict[ObjectKey, _Writes], in_place: InPlace | None, now: datetime) -> None:
        self._known = known
        self._now = now
        self._in_place = in_place
        self.repairs: list[Change] = []
        """The repairs of this reconcile."""
        for key in [key for key, writes in known.items() if writes.backoff is None and self._is_renewed(writes.place)]:
            del known[key]

    def held(self, change: Change) -> Outcome | None:
        """Return the outcome of a write that has to wait; None if it need not."""
        writes = self._known.get(change.key)
        if writes is None or writes.next_at is None or self._now >= writes.next_at:
            return None
        if writes.wanted != fingerprint(change):
            return None
        return Outcome(change, Result.DRIFTED, writes.message, told=True)

    def note(self, change: Change, outcome: Outcome) -> Outcome:
        """Take in the outcome of a write, and return the one to report: Drifted if the write does not last."""
        if outcome.result is Result.DRIFTED:
            return self._changed_by_policy(change, outcome)
        if outcome.result is not Result.DONE:
            return outcome
        if self._in_place is not None and self._in_place.is_repair(change):
            self.repairs.append(outcome.change)
            return self._repaired(change, outcome)
        self._known.pop(change.key, None)
        return outcome

    def contested(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Return an outcome for each object that somebody changes again and again, but that is in place now."""
        met = {outcome.change.key for outcome in outcomes}
        return [
            Outcome(Change(Action.CHANGE, key, Rank.LAST, *writes.place), Result.DRIFTED, writes.message, told=True)
            for key, writes in self._known.items()
            if writes.contested and key not in met
        ]

    @property
    def again_at(self) -> datetime | None:
        """Time of the next write, or of the end of a condition Drifted; None if nothing waits."""
        waits = (self._waits_until(writes) for writes in self._known.values())
        return min((moment for moment in waits if moment), default=None)

    def _waits_until(self, writes: _Writes) -> datetime | None:
        if writes.next_at is not None and writes.next_at > self._now:
            return writes.next_at
        return writes.expires if writes.contested else None

    def _is_renewed(self, place: Place) -> bool:
        """Return whether other objects are wanted there than before: repairs are counted anew."""
        return self._in_place is not None and not self._in_place.holds(place)

    def _changed_by_policy(self, change: Change, outcome: Outcome) -> Outcome:
        writes = self._writes_of(change)
        writes.backoff = writes.backoff or Backoff(_FIRST, _LAST)
        writes.next_at = self._now + timedelta(seconds=writes.backoff.next())
        writes.expires = writes.next_at + WINDOW
        writes.message = outcome.message
        return replace(outcome, told=True)

    def _repaired(self, change: Change, outcome: Outcome) -> Outcome:
        writes = self._writes_of(change)
        if writes.backoff is not None:
            writes.backoff, writes.message, writes.next_at = None, "", None
        writes.repairs = [*(at for at in writes.repairs if self._now - at < WINDOW), self._now][-MOST_REPAIRS - 1 :]
        writes.expires = self._now + WINDOW
        if not writes.message and len(writes.repairs) <= MOST_REPAIRS:
            return outcome
        writes.message = writes.message or _undone(change)
        writes.next_at, writes.expires = self._now + SLOW, self._now + _CALM
        return replace(outcome, result=Result.DRIFTED, message=writes.message, told=True)

    def _writes_of(self, change: Change) -> _Writes:
        wanted, writes = fingerprint(change), self._known.get(change.key)
        if writes is None or writes.wanted != wanted:
            place = Place(change.environment, change.cluster)
            writes = self._known[change.key] = _Writes(wanted, place, self._now + WINDOW)
        return writes


def _undone(change: Change) -> str:
    fields = f" ({', '.join(change.fields)})" if change.fields else ""
    return (
        f"{change.key}{fields} was repaired more than {MOST_REPAIRS} times in {WINDOW.seconds // 60} minutes: "
        f"somebody else changes it again and again, and the operator repairs it once a minute only. The platform "
        f"stops the controller or person; kubectl get --show-managed-fields names it"
    )
