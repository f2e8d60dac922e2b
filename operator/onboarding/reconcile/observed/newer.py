"""Objects in a form that only a newer operator can read, as after a rollback of its image; pure.

Nothing is built from a part of such an object: admitted revisions stay until a newer operator runs again.
"""

from typing import NamedTuple

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.kinds import NAMESPACE
from onboarding.reconcile.observed.snapshot import Snapshot


class Newer(NamedTuple):
    """An object that a newer operator wrote."""

    problem: str
    """The object, the field and the remedy."""
    frozen: bool
    """Whether no object of the project may be changed, because an admitted revision cannot be read completely."""


def find_newer(snapshot: Snapshot) -> Newer | None:
    """Return the newer object that holds a project; None if there is none."""
    if admitted := _newer_admitted(snapshot):
        return Newer(admitted, frozen=True)
    spec, policy = snapshot.project.spec, snapshot.policy
    if spec is None:
        return Newer(snapshot.project.problem, frozen=False) if snapshot.project.newer else None
    if policy is None:
        return Newer(snapshot.policy_problem, frozen=False) if snapshot.policy_newer else None
    if decision := next((item for item in snapshot.unread if item.may_hold), None):
        return Newer(f"{decision}; the project is held until it can be read", frozen=False)
    if target := next(iter(sorted(_targets(spec, policy) & snapshot.newer_targets)), None):
        return Newer(f"HostingTarget {target}: {snapshot.target_problems.get(target, '')}", frozen=False)
    return None


def _targets(spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> set[str]:
    """Return the targets of the declared environments."""
    defaults = {stage.name: stage.default_target for stage in policy.stages}
    named = {environment.target or defaults.get(environment.stage) for environment in spec.environments}
    return {target for target in named if target}


def _newer_admitted(snapshot: Snapshot) -> str:
    """Return the problem of an admitted revision that a newer operator wrote; the empty string if there is none."""
    problems = [
        f"the admitted revision of {key} cannot be read, so the project is left unchanged: {item.admitted.newer}"
        for key, item in snapshot.live.items()
        if key.kind is NAMESPACE and not item.deleting and item.admitted.newer
    ]
    return min(problems, default="")
