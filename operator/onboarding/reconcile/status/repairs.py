"""Repairs: writes that undid a change which somebody else made to an object in place.

A write is a repair if the former status reports the environment on that site as Ready with the revision that is built
now: neither the project nor the platform asked for a change then. An AppProject belongs to all environments, and is
narrowed after a removal: a write to it is a repair only if the reconcile before had nothing left to do.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from onboarding.api.status import EnvironmentState
from onboarding.build.credentials import SECRET
from onboarding.build.kinds import ObjectKey
from onboarding.build.place import Place
from onboarding.build.revision import digest
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan

_AGAIN: Final = timedelta(hours=1)
"""Time after which the same repair is told again."""
_NAMED: Final = 3
_REPAIRING: Final = (Action.CREATE, Action.CHANGE, Action.REPLACE)

Repair = tuple[ObjectKey, tuple[str, ...]]


def repairs_of(snapshot: Snapshot, plan: ReconcilePlan, outcomes: Iterable[Outcome], *, settled: bool) -> list[Change]:
    """Return the changes that were repairs; a first creation and a change of what is wanted are none.

    ``settled``: the reconcile before had nothing left to do.
    """
    done = [
        outcome.change
        for outcome in outcomes
        if outcome.result is Result.DONE
        and outcome.change.action in _REPAIRING
        and outcome.change.key.kind is not SECRET
    ]
    if not done:
        return []
    places = _unchanged(snapshot, plan)
    all_unchanged = settled and places == plan.places
    return [
        change
        for change in done
        if (Place(change.environment, change.cluster) in places if change.environment else all_unchanged)
    ]


def _unchanged(snapshot: Snapshot, plan: ReconcilePlan) -> frozenset[Place]:
    """Return the places that the former status reports as Ready with the revision that is built now."""
    reported = {
        (environment["name"], site["name"]): site.get("revision")
        for environment in snapshot.project.status.get("environments", ())
        for site in environment.get("sites", ())
        if site["state"] == EnvironmentState.READY
    }
    return frozenset(
        Place(revision.environment, revision.cluster)
        for revision in plan.building
        if reported.get((revision.environment, revision.site)) == digest(revision.canonical)
    )


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
