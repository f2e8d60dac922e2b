"""The conditions in the status; pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from onboarding.api.status import Condition, ConditionType, EnvironmentState, EnvironmentStatus, Reason
from onboarding.api.text import cut, time
from onboarding.reconcile.journey.decisions import describe
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.report.journey import held_door
from onboarding.reconcile.report.rollup import Standing
from onboarding.reconcile.report.verdict import Verdict
from onboarding.reconcile.world import World


def conditions(
    world: World,
    judgement: Judgement,
    environments: Iterable[EnvironmentStatus],
    standings: Sequence[Standing],
    verdict: Verdict,
) -> tuple[Condition, ...]:
    """Return the conditions: those that are always there, and others only while they are true."""
    unmet = judgement.hold or "; ".join(f"{name}: {why}" for name, why in sorted(judgement.held.items()))
    unmet = unmet or next((obstacle.message for obstacle in held_door(judgement)), "")
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
            "True" if complete and not judgement.gone else "False",
            Reason.PROVISIONED if complete and not judgement.gone else Reason.INCOMPLETE,
            "what is admitted is in place" if complete else verdict.message,
        ),
        _applications(standings),
    ]
    if verdict.reconciling:
        facts.append((ConditionType.RECONCILING, "True", verdict.reason, verdict.message))
    if verdict.stalled:
        facts.append((ConditionType.STALLED, "True", verdict.reason, verdict.message))
    if suspension := judgement.decisions.suspension(""):
        same = verdict.reason is Reason.SUSPENDED
        told = verdict.message if same else f"{describe(suspension)}: {suspension.reason}"
        facts.append((ConditionType.SUSPENDED, "True", Reason.SUSPENDED, told))
    before = {item["type"]: item for item in world.project.status.get("conditions", ())}
    return tuple(_condition(world, fact, before.get(fact[0].value)) for fact in sorted(facts))


def _applications(standings: Sequence[Standing]) -> tuple[ConditionType, str, Reason, str]:
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


def _condition(world: World, fact: tuple[ConditionType, str, Reason, str], before: dict[str, Any] | None) -> Condition:
    kind, value, reason, message = fact
    same = before is not None and before["status"] == value
    return Condition(
        type=kind,
        status=value,
        reason=reason,
        message=cut(message) or "",
        observed_generation=world.project.generation,
        last_transition_time=before["lastTransitionTime"] if same and before else time(world.now),
    )
