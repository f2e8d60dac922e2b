"""What of a world has a newer form than this operator knows, as after its image was rolled back; pure.

Such an object is never read in part and built from: what is admitted stays until a newer operator runs again.
"""

from typing import NamedTuple

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.kinds import NAMESPACE
from onboarding.reconcile.observed.snapshot import Snapshot


class Newer(NamedTuple):
    """What was found."""

    problem: str
    """In words: the object, the field, and what mends it."""
    frozen: bool
    """Whether nothing of the project may be touched: an admitted revision says more than can be read of it."""


def find_newer(snapshot: Snapshot) -> Newer | None:
    """Return what holds a project because this operator is older than it; None where there is nothing of the kind."""
    if admitted := _newer_admitted(snapshot):
        return Newer(admitted, frozen=True)
    spec, policy = snapshot.project.spec, snapshot.policy
    if spec is None:
        return Newer(snapshot.project.problem, frozen=False) if snapshot.project.newer else None
    if policy is None:
        return Newer(snapshot.policy_problem, frozen=False) if snapshot.policy_newer else None
    if holding := next((item for item in snapshot.unread if item.withholds), None):
        return Newer(f"{holding}; until it can be, it holds the project", frozen=False)
    if target := next(iter(sorted(_targets(spec, policy) & snapshot.newer_targets)), None):
        return Newer(f"HostingTarget {target}: {snapshot.target_problems.get(target, '')}", frozen=False)
    return None


def _targets(spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> set[str]:
    """Return the targets of the environments that are declared."""
    defaults = {stage.name: stage.default_target for stage in policy.stages}
    named = {environment.target or defaults.get(environment.stage) for environment in spec.environments}
    return {target for target in named if target}


def _newer_admitted(snapshot: Snapshot) -> str:
    """Return the admitted revision that a newer operator wrote, and how this shows; the empty string without one."""
    found = [
        f"what is admitted in {key} cannot be read, so that nothing of the project is touched: {item.admitted.newer}"
        for key, item in snapshot.live.items()
        if key.kind is NAMESPACE and not item.deleting and item.admitted.newer
    ]
    return min(found, default="")
