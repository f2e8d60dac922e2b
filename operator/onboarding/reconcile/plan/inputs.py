"""The inputs that the plans of all environments of a project share; pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from onboarding.api.common import Mode
from onboarding.api.gates import Actor
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.journey import JourneyInForce, journey_in_force
from onboarding.reconcile.admission.covered import Covering
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.gates.decisions import Decisions, suspended_by
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.snapshot import Snapshot


class Hold(NamedTuple):
    """The reason why an environment is held, and the actor who can end it."""

    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """A snapshot with a readable spec and policy, the decisions that count and the admitted revisions."""

    snapshot: Snapshot
    spec: ProjectOnboardingSpec
    policy: OnboardingPolicySpec
    decisions: Decisions
    admitted: Mapping[Place, Revision | None]
    digests: Digests

    @property
    def covering(self) -> Covering:
        """The approvals, and the fields that they cover."""
        return Covering(self.policy, self.journey, self.digests, self.decisions.approvals)

    @property
    def journey(self) -> JourneyInForce:
        """The journey in force."""
        return journey_in_force(self.policy, self.spec.journey)

    def kept(self, environment: str, *, but: Container[str] = ()) -> tuple[Revision, ...]:
        """Return the admitted revisions of an environment after revocation, except those on the clusters ``but``."""
        return tuple(
            revoke(revision, self.spec, self.policy, self.snapshot.project.name)
            for place, revision in self.admitted.items()
            if revision is not None and place.environment == environment and place.cluster not in but
        )

    def hold(self, environment: str) -> Hold | None:
        """Return the hold on all changes and the removal of an environment; None if there is none."""
        if self.spec.mode is Mode.PLAN:
            return Hold("spec.mode is Plan", Actor.PROJECT)
        suspension = self.decisions.suspension(environment)
        return Hold(suspended_by(suspension), Actor.PLATFORM) if suspension else None
