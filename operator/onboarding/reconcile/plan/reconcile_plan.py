"""The plan of one reconcile: a plan per environment, the gates, and the time of the next reconcile; frozen and pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from onboarding.build.kinds import ObjectKey
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.finding import GateFinding
from onboarding.checks.journey import JourneyInForce
from onboarding.checks.probe import Request
from onboarding.reconcile.admission.resolve import Taken
from onboarding.reconcile.gates.confirmations import Removal
from onboarding.reconcile.gates.decisions import Decisions
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.gates import GateResult
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.capacity import SiteKey
from onboarding.reconcile.observed.former_sites import FormerSite
from onboarding.reconcile.observed.newer import Newer
from onboarding.reconcile.plan.environment_plan import EnvironmentAction, EnvironmentPlan


@dataclass(frozen=True)
class ReconcilePlan:
    """The plan of one reconcile of one project."""

    admitted: Mapping[Place, Revision | None]
    """The admitted revisions; None for one that cannot be read."""
    environments: tuple[EnvironmentPlan, ...] = ()
    gates: tuple[GateResult, ...] = ()
    reached: str = ""
    """The last gate that the project has passed; the empty string if there is none."""
    waited_for: GateResult | None = None
    """The first gate that is not open, if something waits behind it or is in place there."""
    findings: tuple[GateFinding, ...] = ()
    decisions: Decisions = field(default_factory=Decisions)
    digests: Digests | None = None
    """The digests that decisions have to name now; None if nothing can be evaluated."""
    requests: frozenset[Request[Any]] = frozenset()
    """The probe requests of the checks."""
    full: tuple[SiteKey, ...] = ()
    """Sites without capacity for the project."""
    again_at: datetime | None = None
    """Time of the next reconcile without an event: a decision expires, the day of a contract or certificate check
    changes, the warning of a journey's end changes, or the obstacle is not watched."""
    urgent: bool = False
    """Whether a candidate waits for the result of a probe."""
    hold: str = ""
    """The reason why the whole project is held; the empty string if it is not."""
    newer: Newer | None = None
    """The object that a newer operator wrote, if there is one."""
    journey: JourneyInForce | None = None
    """The journey in force; None if nothing can be evaluated, or if the project is being deleted."""
    expires: date | None = None
    """The day on which that journey expires; None if it does not."""
    taken: tuple[Taken, ...] = ()
    """The domains that environments lack because another project has them."""

    @cached_property
    def by_name(self) -> Mapping[str, EnvironmentPlan]:
        """The plans of the environments by name."""
        return {item.name: item for item in self.environments}

    @cached_property
    def building(self) -> tuple[Revision, ...]:
        """The revisions that all objects are built from."""
        return tuple(revision for item in self.environments for revision in item.revisions)

    @cached_property
    def places(self) -> frozenset[Place]:
        """The environments with the clusters that they are built on."""
        return frozenset(Place(revision.environment, revision.cluster) for revision in self.building)

    @cached_property
    def removing(self) -> frozenset[str]:
        """The environments that are removed altogether."""
        return frozenset(self._with(EnvironmentAction.REMOVE))

    @property
    def frozen(self) -> bool:
        """Whether nothing is written, because a newer operator wrote what is admitted."""
        return self.newer is not None and self.newer.frozen

    @cached_property
    def suspended(self) -> frozenset[str]:
        """The environments that a decision suspends, or suspends with the whole project."""
        return frozenset(item.name for item in self.environments if self.decisions.suspension(item.name))

    @cached_property
    def held(self) -> Mapping[str, str]:
        """The environments that are held on some site, with the reasons."""
        return self._with(EnvironmentAction.HOLD)

    @property
    def incomplete(self) -> frozenset[str]:
        """The held environments of which not every admitted revision is known."""
        unread = {place.environment for place, revision in self.admitted.items() if revision is None}
        return frozenset(name for name in self.held if name in unread or self.by_name[name].missing)

    @property
    def refused(self) -> Mapping[str, str]:
        """The environments whose declaration is refused, with the reasons."""
        return {item.name: item.refused for item in self.environments if item.refused}

    @cached_property
    def staying(self) -> Mapping[str, str]:
        """The environments that stay although they are undeclared or cannot be evaluated, with the reasons."""
        return self._with(EnvironmentAction.STAY)

    @cached_property
    def missing(self) -> Mapping[FormerSite, EnvironmentPlan]:
        """The sites whose namespace is gone and cannot be rebuilt, each with the plan of its environment."""
        return {site: item for item in self.environments for site in item.missing}

    @property
    def leaving(self) -> frozenset[Place]:
        """The clusters that environments leave while they stay on others."""
        return frozenset(place for item in self.environments for place in item.leaving)

    @property
    def awaiting(self) -> str:
        """The decision that a removal waits for; the empty string if none does."""
        return next((item.removal.awaiting for item in self.environments if item.removal.awaiting), "")

    @property
    def unconfirmed(self) -> tuple[Removal, ...]:
        """The removals that wait for a decision; one of the whole project is there once."""
        waiting = (item.removal.unconfirmed for item in self.environments)
        return tuple(dict.fromkeys(removal for removal in waiting if removal))

    @property
    def marking(self) -> bool:
        """Whether namespaces are marked before their removal."""
        return any(item.removal.marks for item in self.environments)

    @property
    def arriving(self) -> frozenset[str]:
        """The environments that later gates evaluate only once they are in place."""
        return frozenset(item.name for item in self.environments if item.arriving)

    def being_removed(self, live: Mapping[ObjectKey, CachedObject]) -> list[str]:
        """Return the removed environments of which ``live`` still holds an object, by name."""
        return sorted(self.removing & {item.environment for item in live.values()})

    def deletes(self, environment: str) -> bool:
        """Return whether the removal of an environment deletes it, rather than detach it."""
        plan = self.by_name.get(environment)
        return plan is not None and plan.removal.deletes

    def paused(self, environment: str) -> bool:
        """Return whether nothing of an environment is removed yet, although that is confirmed."""
        plan = self.by_name.get(environment)
        return plan is not None and plan.removal.paused

    def mark(self, environment: str, key: ObjectKey) -> str:
        """Return the annotation that marks a namespace before its removal; the empty string if there is none."""
        plan = self.by_name.get(environment)
        return plan.removal.marks.get(key, "") if plan is not None else ""

    def _with(self, action: EnvironmentAction) -> Mapping[str, str]:
        return {item.name: item.reason for item in self.environments if item.action is action}


def first_held(environments: Sequence[EnvironmentPlan]) -> EnvironmentPlan | None:
    """Return the first environment that is held, in the order of the spec; None if none is."""
    return next((item for item in environments if item.action is EnvironmentAction.HOLD), None)
