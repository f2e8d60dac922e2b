"""The conditions in the status: each from one function that returns status, reason and message together; pure."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from onboarding.api.conditions import Condition, ConditionType, Reason
from onboarding.api.status import EnvironmentState, EnvironmentStatus
from onboarding.api.text import cut, time
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.applications import ApplicationState
from onboarding.reconcile.status.ready import ReadyState


class _Fact(NamedTuple):
    """A condition without its times."""

    kind: ConditionType
    status: str
    """True, False or Unknown."""
    reason: Reason
    message: str


def conditions(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    environments: Sequence[EnvironmentStatus],
    applications: Sequence[ApplicationState],
    ready: ReadyState,
    applied: ReconcilePlan,
) -> tuple[Condition, ...]:
    """Return the conditions: five that are always present, and those that are present only while they are True.

    ``applied`` is the plan of ``mode: Apply``: the mode Plan holds environments, and is no prerequisite.
    """
    always = (
        _Fact(ConditionType.READY, ready.status, ready.reason, ready.message),
        _up_to_date(plan, ready),
        _prerequisites(applied),
        _provisioned(snapshot, plan, environments, ready),
        _applications(applications),
    )
    facts = sorted((*always, *_abnormal(plan, ready)))
    former = {item["type"]: item for item in snapshot.project.status.get("conditions", ())}
    return tuple(_condition(snapshot, fact, former.get(fact.kind.value)) for fact in facts)


def _up_to_date(plan: ReconcilePlan, ready: ReadyState) -> _Fact:
    """Return whether this generation is in place whole, also what it removes."""
    kind = ConditionType.UP_TO_DATE
    if ready.status != "True" or ready.reason is not Reason.READY:
        return _Fact(kind, "False", ready.reason, ready.message)
    if plan.staying:
        names = ", ".join(sorted(plan.staying))
        return _Fact(kind, "False", Reason.ENVIRONMENTS_HELD, f"no longer declared, and still there: {names}")
    return _Fact(kind, "True", Reason.UP_TO_DATE, "everything that is declared is in place")


def _prerequisites(plan: ReconcilePlan) -> _Fact:
    kind = ConditionType.PREREQUISITES_MET
    unmet = plan.hold or "; ".join(f"{name}: {why}" for name, why in sorted(plan.held.items()))
    if unmet:
        return _Fact(kind, "False", Reason.CHECKS_FAILED, unmet)
    return _Fact(kind, "True", Reason.CHECKS_PASSED, "every declared environment meets its prerequisites")


def _provisioned(
    snapshot: Snapshot, plan: ReconcilePlan, environments: Iterable[EnvironmentStatus], ready: ReadyState
) -> _Fact:
    kind = ConditionType.PROVISIONED
    states = {site.state for item in environments for site in item.sites}
    if states - {EnvironmentState.READY, EnvironmentState.REMOVING, EnvironmentState.LOST}:
        return _Fact(kind, "False", Reason.INCOMPLETE, ready.message)
    if removing := plan.being_removed(snapshot.live):
        return _Fact(kind, "False", Reason.INCOMPLETE, f"removing {', '.join(removing)}")
    if not states:
        return _Fact(kind, "False", Reason.NOTHING_ADMITTED, "no environment is admitted")
    return _Fact(kind, "True", Reason.PROVISIONED, "all admitted environments are in place")


def _applications(applications: Sequence[ApplicationState]) -> _Fact:
    kind = ConditionType.APPLICATIONS_HEALTHY
    if not applications:
        return _Fact(kind, "Unknown", Reason.NO_APPLICATIONS, "the project has no Applications")
    unhealthy = sorted((item for item in applications if not item.healthy), key=lambda item: item.sort_key)
    reported = [item for item in unhealthy if item.facts.reported]
    unreported = ", ".join(item.name for item in unhealthy if not item.facts.reported)
    if reported:
        return _Fact(kind, "False", Reason.APPLICATIONS_UNHEALTHY, "; ".join(item.summary for item in reported))
    if unreported:
        return _Fact(kind, "Unknown", Reason.NOT_REPORTED, f"Argo CD has not reported on {unreported}")
    message = f"{len(applications)} of {len(applications)} Applications are Healthy"
    return _Fact(kind, "True", Reason.APPLICATIONS_HEALTHY, message)


def _abnormal(plan: ReconcilePlan, ready: ReadyState) -> Iterable[_Fact]:
    """Yield the conditions that are present only while they are True."""
    if ready.reconciling:
        yield _Fact(ConditionType.RECONCILING, "True", ready.reason, ready.message)
    if ready.stalled:
        yield _Fact(ConditionType.STALLED, "True", ready.reason, ready.message)
    if ready.reason is Reason.DRIFTED:
        yield _Fact(ConditionType.DRIFTED, "True", ready.reason, ready.message)
    if plan.decisions.suspension(""):
        yield _Fact(ConditionType.SUSPENDED, "True", ready.reason, ready.message)


def _condition(snapshot: Snapshot, fact: _Fact, former: dict[str, Any] | None) -> Condition:
    since = time(snapshot.now)
    if former is not None and former["status"] == fact.status:
        since = former["lastTransitionTime"]
    return Condition(
        type=fact.kind,
        status=fact.status,
        reason=fact.reason,
        message=cut(fact.message) or "",
        observed_generation=snapshot.project.generation,
        last_transition_time=since,
    )
