"""What one environment would become by its declaration alone; pure.

Nothing here knows the time of day, the room that is left or what the outside world answers. So what was worked out
stays true for as long as nobody declares anything else.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.naming import namespace_of
from onboarding.build.revision import Revision
from onboarding.checks import continuity
from onboarding.checks.catalogue import OF_DECLARATION
from onboarding.checks.finding import Check
from onboarding.checks.inputs import EnvironmentInputs, ProjectInputs
from onboarding.reconcile.admission.resolve import Place, resolve_revisions, revoke
from onboarding.reconcile.gates.evaluation import GateFinding

Current = Mapping[Place, Revision | None]
"""What is admitted of an environment, on each of its clusters; None where it cannot be read."""


class Draft(NamedTuple):
    """What an environment would become."""

    found: tuple[GateFinding, ...]
    """What about its declaration holds it."""
    revisions: tuple[Revision, ...]
    """What it would become on each of its sites; empty where it cannot be built."""
    new: bool
    """Whether it would become something else than what is admitted."""


def lasting_inputs(
    name: str,
    spec: ProjectOnboardingSpec,
    policy: OnboardingPolicySpec,
    targets: Mapping[str, HostingTargetSpec],
    target_problems: Mapping[str, str],
    day: datetime,
) -> ProjectInputs:
    """Return what is declared of a project and for it, on a day."""
    return ProjectInputs(spec, policy, targets, day, target_problems=target_problems, name=name)


def bare_inputs(project: ProjectInputs, environment: Environment, current: Current) -> EnvironmentInputs:
    """Return an environment as its declaration has it."""
    former = tuple((old.target, old.namespace) for old in current.values() if old)
    return EnvironmentInputs(project, environment, namespace_of(project.name, environment), former)


def draft(inputs: EnvironmentInputs, flows_opened: bool, current: Current) -> Draft:
    """Return what an environment would become, and what about its declaration holds it."""
    found = made(inputs, OF_DECLARATION)
    if found:
        return Draft(found, (), new=False)
    resolved = resolve_revisions(inputs.project.name, inputs, flows_opened, current)
    # One object is enough for what is admitted and still declared: a thousand projects are remembered.
    revisions = tuple(_admitted(revision, current) or revision for revision in resolved)
    inputs = inputs.knowing(revision_bytes=max(len(revision.canonical) for revision in revisions))
    new = any(not _stands(revision, current, inputs) for revision in revisions)
    return Draft(made(inputs, (continuity.revision_fits,)), revisions, new)


def made(inputs: EnvironmentInputs, checks: Iterable[Check[EnvironmentInputs]]) -> tuple[GateFinding, ...]:
    """Make checks, and return what they find."""
    environment = inputs.environment.name
    findings = ((check, check.run(inputs)) for check in checks)
    return tuple(
        GateFinding(check, found, environment=environment, site=found.site) for check, found in findings if found
    )


def _admitted(revision: Revision, current: Current) -> Revision | None:
    """Return the admitted revision that says the same, if there is one."""
    old = current.get(Place(revision.environment, revision.cluster))
    return old if old is not None and _alike(old, revision) else None


def _stands(revision: Revision, current: Current, inputs: EnvironmentInputs) -> bool:
    """Return whether a revision is what is admitted already, or what a revocation leaves of that."""
    old = current.get(Place(revision.environment, revision.cluster))
    return old is not None and (old is revision or _alike(revoke(old, inputs.spec, inputs.policy), revision))


def _alike(one: Revision, other: Revision) -> bool:
    """Return whether two revisions have the same canonical JSON, which equal values have."""
    return one == other or one.canonical == other.canonical
