"""The conditions in the status; pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from onboarding.api.status import Condition, ConditionType, EnvironmentState, EnvironmentStatus, Reason
from onboarding.api.text import cut, time
from onboarding.reconcile.gates.decisions import describe
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.applications import ApplicationState
from onboarding.reconcile.status.gates import held_gate
from onboarding.reconcile.status.ready import ReadyState


def conditions(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    environments: Iterable[EnvironmentStatus],
    standings: Sequence[ApplicationState],
    verdict: ReadyState,
) -> tuple[Condition, ...]:
    """Return the conditions: those that are always there, and others only while they are true."""
    unmet = plan.hold or "; ".join(f"{name}: {why}" for name, why in sorted(plan.held.items()))
    unmet = unmet or next((obstacle.message for obstacle in held_gate(plan)), "")
    complete = all(site.state is EnvironmentState.READY for item in environments for site in item.sites)
    facts: list[tuple[ConditionType, str, Reason, str]] = [
        (ConditionType.READY, verdict.ready, verdict.reason, verdict.message),
        (
            ConditionType.PREREQUISITES_MET,
            "False" if unmet else "True",
            Reason.CHECKS_FAILED if unmet else Reason.CHECKS_PASSED,
            unmet or "nothing is held by a prerequisite",
        ),
        (
            ConditionType.PROVISIONED,
            "True" if complete and not plan.gone else "False",
            Reason.PROVISIONED if complete and not plan.gone else Reason.INCOMPLETE,
            "what is admitted is in place" if complete else verdict.message,
        ),
        _applications(standings),
    ]
    if verdict.reconciling:
        facts.append((ConditionType.RECONCILING, "True", verdict.reason, verdict.message))
    if verdict.stalled:
        facts.append((ConditionType.STALLED, "True", verdict.reason, verdict.message))
    if suspension := plan.decisions.suspension(""):
        same = verdict.reason is Reason.SUSPENDED
        told = verdict.message if same else f"{describe(suspension)}: {suspension.reason}"
        facts.append((ConditionType.SUSPENDED, "True", Reason.SUSPENDED, told))
    before = {item["type"]: item for item in snapshot.project.status.get("conditions", ())}
    return tuple(_condition(snapshot, fact, before.get(fact[0].value)) for fact in sorted(facts))


def _applications(standings: Sequence[ApplicationState]) -> tuple[ConditionType, str, Reason, str]:
    kind = ConditionType.APPLICATIONS_HEALTHY
    if not standings:
        return kind, "Unknown", Reason.NO_APPLICATIONS, "the project has no Applications"
    worst = sorted((item for item in standings if not item.well), key=lambda item: item.badness)
    told = [item for item in worst if item.facts.reported]
    silent = ", ".join(item.name for item in worst if not item.facts.reported)
    if told:
        return kind, "False", Reason.APPLICATIONS_UNHEALTHY, "; ".join(item.told for item in told)
    if silent:
        return kind, "Unknown", Reason.NOT_REPORTED, f"Argo CD has not reported on {silent}"
    return kind, "True", Reason.APPLICATIONS_HEALTHY, f"{len(standings)} of {len(standings)} Applications are Healthy"


def _condition(
    snapshot: Snapshot, fact: tuple[ConditionType, str, Reason, str], before: dict[str, Any] | None
) -> Condition:
    kind, value, reason, message = fact
    same = before is not None and before["status"] == value
    return Condition(
        type=kind,
        status=value,
        reason=reason,
        message=cut(message) or "",
        observed_generation=snapshot.project.generation,
        last_transition_time=before["lastTransitionTime"] if same and before else time(snapshot.now),
    )
