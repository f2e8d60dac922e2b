"""Repairs: writes that undo a change which somebody else made to an object in place; pure.

A write is a repair if the former status reports, for the environment on that site, the revision that is built now:
neither the project nor the platform asked for a change then. An AppProject belongs to all environments, and is narrowed
after a removal: a write to it is a repair only if the reconcile before had nothing left to remove.
"""

from dataclasses import dataclass
from typing import Final

from onboarding.build.credentials import SECRET
from onboarding.build.place import Place
from onboarding.build.revision import digest
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan

_REPAIRING: Final = (Action.CREATE, Action.CHANGE, Action.REPLACE)


@dataclass(frozen=True, slots=True)
class InPlace:
    """The environments on clusters whose wanted objects are the same as when the status was written."""

    places: frozenset[Place] = frozenset()
    everything: bool = False
    """Whether that holds for every environment, and the reconcile before had nothing left to remove."""

    @classmethod
    def of(cls, snapshot: Snapshot, plan: ReconcilePlan, *, settled: bool) -> "InPlace":
        """Compare the plan with the status; ``settled``: the reconcile before had nothing left to remove."""
        reported = {
            (environment["name"], site["name"]): site.get("revision")
            for environment in snapshot.project.status.get("environments", ())
            for site in environment.get("sites", ())
        }
        places = frozenset(
            Place(revision.environment, revision.cluster)
            for revision in plan.building
            if reported.get((revision.environment, revision.site)) == digest(revision.canonical)
        )
        return cls(places, settled and places == plan.places)

    def is_repair(self, change: Change) -> bool:
        """Return whether a change is a repair; a first creation and a change of what is wanted are none."""
        if change.action not in _REPAIRING or change.key.kind is SECRET:
            return False
        return self.holds(Place(change.environment, change.cluster))

    def holds(self, place: Place) -> bool:
        """Return whether the same objects are wanted there as before; without an environment: everywhere."""
        return place in self.places if place.environment else self.everything
