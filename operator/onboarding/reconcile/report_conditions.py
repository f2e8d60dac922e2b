"""The conditions in the status; pure."""

from collections.abc import Iterable
from typing import Any

from onboarding.api.status import Condition, ConditionType, EnvironmentState, EnvironmentStatus, Reason
from onboarding.reconcile.decisions import describe
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.report_journey import held_door
from onboarding.reconcile.running import application_keys
from onboarding.reconcile.verdict import Verdict
from onboarding.reconcile.wording import cut, time
from onboarding.reconcile.world import World


def conditions(
    world: World, judgement: Judgement, environments: Iterable[EnvironmentStatus], verdict: Verdict
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
        _applications(world, judgement),
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


def _applications(world: World, judgement: Judgement) -> tuple[ConditionType, str, Reason, str]:
    kind = ConditionType.APPLICATIONS_HEALTHY
    keys = (key for revision in judgement.building for key in application_keys(world, revision))
    health = {key.name: world.health(key) for key in keys}
    if not health:
        return kind, "Unknown", Reason.NO_APPLICATIONS, "the project has no Applications"
    silent = sorted(name for name, state in health.items() if not state)
    if silent:
        return kind, "Unknown", Reason.NOT_REPORTED, f"Argo CD has not reported on {', '.join(silent)}"
    sick = sorted(f"{name} is {state}" for name, state in health.items() if state != "Healthy")
    if sick:
        return kind, "False", Reason.APPLICATIONS_UNHEALTHY, ", ".join(sick)
    return kind, "True", Reason.APPLICATIONS_HEALTHY, f"{len(health)} of {len(health)} Applications are Healthy"


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
