"""The removal of an environment: what it waits for, and what it deletes; pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from onboarding.api.common import DeletionPolicy
from onboarding.api.decision import Decision, OnboardingDecisionSpec
from onboarding.build.kinds import ObjectKey
from onboarding.build.place import Place
from onboarding.reconcile.gates.confirmations import Confirmation, Removal, confirmation
from onboarding.reconcile.plan.inputs import PlanInputs


class RemovalPlan(NamedTuple):
    """The plan of a removal."""

    awaiting: str = ""
    """The decision that it waits for; the empty string if it may go on."""
    unconfirmed: Removal | None = None
    """The namespaces that this decision has to be about; None if it waits for none."""
    deletes: bool = False
    """Whether it deletes the environment, rather than detach it."""
    paused: bool = False
    """Whether nothing is removed yet, although it is confirmed."""
    marks: Mapping[ObjectKey, str] = MappingProxyType({})
    """The annotation to write on each namespace before anything is deleted."""


_OTHERS: Final = "its digest is that of other namespaces"
STAYS: Final = RemovalPlan()
"""The plan of an environment that nothing removes."""


def removal_of(inputs: PlanInputs, environment: str, places: Iterable[Place] | None = None) -> RemovalPlan:
    """Return the plan to remove an environment from some places, or from all."""
    project = inputs.snapshot.project
    if inputs.spec.deletion_policy is DeletionPolicy.RETAIN:
        held = inputs.snapshot.teardown_hold if project.deleting else ""
        return RemovalPlan(held)
    left = {Place(environment, key.cluster) for key in inputs.snapshot.live} if places is None else places
    found = confirmation(inputs.snapshot, inputs.decisions, environment, left)
    deletes = found.deletes(environment)
    if project.deleting and inputs.snapshot.teardown_hold:
        return RemovalPlan(inputs.snapshot.teardown_hold, deletes=deletes)
    if found.waits(environment):
        return RemovalPlan(_awaited(inputs, environment, found), found.removal)
    return RemovalPlan(deletes=deletes, paused=found.paused, marks=found.marks)


def removal_of_staying(inputs: PlanInputs, environment: str) -> RemovalPlan:
    """Return the plan for an environment that stays: only if an Application that it loses takes its workload along."""
    if inputs.spec.deletion_policy is DeletionPolicy.RETAIN or not inputs.decisions.confirmations:
        return STAYS
    found = removal_of(inputs, environment)
    return RemovalPlan(deletes=found.deletes and not found.paused)


def _awaited(inputs: PlanInputs, environment: str, found: Confirmation) -> str:
    """Return the decision that a removal waits for, for a message."""
    project, removal = inputs.snapshot.project, found.removal
    subject = f"environment {removal.environment}" if removal.environment else "the project"
    begin = f"deletionPolicy is Delete: removing {subject} waits for"
    if removal.hidden:
        return f"{begin} sites that cannot be read ({'; '.join(removal.hidden)}), or for deletionPolicy Retain"
    void = [reason for decision, reason in inputs.decisions.void if _concerns(inputs, decision, environment)]
    void += [_OTHERS for decision in found.decisions if decision.digest]
    others = f"; the one there does not count: {void[0]}" if void else ""
    return (
        f"{begin} an OnboardingDecision ConfirmDelete that names UID {project.uid} and the digest of "
        f"{_counted(removal)} in status.removals, or for deletionPolicy Retain{others}"
    )


def _counted(removal: Removal) -> str:
    number = len(removal.namespaces)
    return "1 namespace" if number == 1 else f"{number} namespaces"


def _concerns(inputs: PlanInputs, decision: OnboardingDecisionSpec, environment: str) -> bool:
    of_it = decision.environment == environment and not inputs.snapshot.project.deleting
    return decision.decision is Decision.CONFIRM_DELETE and (decision.environment is None or of_it)
