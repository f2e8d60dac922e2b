"""Events about repairs: writes that undid a change which somebody else made to an object in place."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from onboarding.build.kinds import ObjectKey
from onboarding.reconcile.apply.diff import Change
from onboarding.reconcile.observed.ports import Event

_AGAIN: Final = timedelta(hours=1)
"""Time after which the same repair is told again."""
_NAMED: Final = 3

Repair = tuple[ObjectKey, tuple[str, ...]]


class RepairEvents:
    """Events about repairs: one per reconcile, and the same repair once an hour."""

    def __init__(self) -> None:
        self._told: dict[str, dict[Repair, datetime]] = {}

    def take(self, project: str, repairs: Iterable[Change], now: datetime) -> list[Event]:
        """Return the Event to post about repairs, without those that were told within the last hour."""
        told = {item: at for item, at in self._told.pop(project, {}).items() if now - at < _AGAIN}
        news = [change for change in repairs if (change.key, change.fields) not in told]
        told.update(((change.key, change.fields), now) for change in news)
        if told:
            self._told[project] = told
        if not news:
            return []
        named = "; ".join(f"{change.key} ({', '.join(change.fields) or 'it was missing'})" for change in news[:_NAMED])
        more = f" and {len(news) - _NAMED} more" if len(news) > _NAMED else ""
        return [Event("DriftRepaired", f"repaired what somebody else had changed: {named}{more}"[:1024], warning=True)]

    def forget(self, project: str) -> None:
        """Drop a project that is gone."""
        self._told.pop(project, None)
