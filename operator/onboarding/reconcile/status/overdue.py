"""Applications that sync by themselves and stay OutOfSync, although Argo CD has had time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from onboarding.build.kinds import APPLICATION, ObjectKey
from onboarding.build.revision import Revision
from onboarding.reconcile.gates.running import application_keys
from onboarding.reconcile.observed.snapshot import Snapshot

_TIME: Final = timedelta(minutes=5)
_OUT_OF_SYNC: Final = b'"sync":"OutOfSync"'


class Overdue(NamedTuple):
    """The Applications that are overdue, and the time when the next one is."""

    keys: frozenset[ObjectKey] = frozenset()
    again_at: datetime | None = None


class OverdueApplications:
    """Remembers since when each Application has been OutOfSync; a restart begins anew."""

    def __init__(self) -> None:
        self._since: dict[str, dict[ObjectKey, datetime]] = {}

    def look(self, snapshot: Snapshot, building: Iterable[Revision]) -> Overdue:
        """Return which Applications are overdue; those of an environment with sync windows have a reason to wait."""
        name, now = snapshot.project.name, snapshot.now
        known = self._since.pop(name, {})
        if not (found := _out_of_sync(snapshot, building)):
            return Overdue()
        since = self._since[name] = {key: known.get(key, now) for key in found}
        waiting = [at + _TIME for at in since.values() if at + _TIME > now]
        return Overdue(frozenset(key for key, at in since.items() if at + _TIME <= now), min(waiting, default=None))

    def forget(self, project: str) -> None:
        """Drop a project that is gone."""
        self._since.pop(project, None)


def _out_of_sync(snapshot: Snapshot, building: Iterable[Revision]) -> set[ObjectKey]:
    """Return the Applications that are OutOfSync and sync by themselves at any time."""
    found = {key for key, item in snapshot.live.items() if key.kind is APPLICATION and _OUT_OF_SYNC in item.told}
    if not found:
        return found
    automatic = (item for item in building if item.auto_sync and not item.windows)
    return found & {key for revision in automatic for key in application_keys(snapshot, revision)}
