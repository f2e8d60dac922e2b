"""Fold findings and outcomes into the status; pure. The status changes only when what it says changes."""

from collections.abc import Sequence
from typing import Any

import orjson

from onboarding.api.common import Mode
from onboarding.api.status import EnvironmentState, PlanStatus, ProjectOnboardingStatus, Summary
from onboarding.reconcile.compare import Change
from onboarding.reconcile.converge import Outcome
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.report_conditions import conditions
from onboarding.reconcile.report_environments import environments
from onboarding.reconcile.report_journey import checks, count_checks, gates, next_actions, stage
from onboarding.reconcile.verdict import Verdict
from onboarding.reconcile.wording import cut
from onboarding.reconcile.world import World

MAX_STATUS_BYTES = 8 * 1024
_ROOM_FOR_COUNT = len(',"omittedChecks":9999')
_FEW = 5
_SHORT = 80


def report(
    world: World, judgement: Judgement, outcomes: Sequence[Outcome], verdict: Verdict, plan: Sequence[Change] | None
) -> dict[str, Any]:
    """Return the status as JSON, at most 8 KiB of it."""
    places = environments(world, judgement, outcomes)
    actions = next_actions(judgement, outcomes, verdict)
    ready = sum(1 for item in places if item.sites and all(s.state is EnvironmentState.READY for s in item.sites))
    status = ProjectOnboardingStatus(
        observed_generation=world.project.generation,
        stage=stage(world, judgement),
        summary=Summary(
            environments=f"{ready}/{len(places)}",
            next=f"{actions[0].actor}: {actions[0].action}" if actions else _calm(verdict),
        ),
        next_actions=actions,
        conditions=conditions(world, judgement, places, verdict),
        gates=gates(world, judgement),
        environments=places,
        checks=checks(world, judgement),
        plan=_plan(plan) if plan is not None else None,
    )
    fitting = _fit(status.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    omitted = count_checks(world, judgement) - len(fitting.get("checks", ()))
    return {**fitting, "omittedChecks": omitted} if omitted > 0 else fitting


def _calm(verdict: Verdict) -> str:
    """Return the summary where nobody has to act: the operator is at work, or there is nothing to do."""
    return cut(f"operator: {verdict.message}") if verdict.reconciling else "nothing to do"


def _plan(changes: Sequence[Change]) -> PlanStatus:
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.action.value] = counts.get(change.action.value, 0) + 1
    summary = ", ".join(f"{count} to {action}" for action, count in sorted(counts.items()))
    return PlanStatus(
        summary=summary or f"{Mode.APPLY} would change nothing", changes=tuple(cut(str(c)) for c in changes[:20])
    )


def _fit(status: dict[str, Any]) -> dict[str, Any]:
    """Shorten what is longest until the status keeps its limit; what everybody has to read goes last, and never whole.

    A foreign text in it, such as the reason of a decision, may take six bytes a character.
    """
    for name, least in (("plan", 0), ("checks", _FEW), ("environments", 0), ("checks", 0), ("nextActions", 1)):
        part = status.get(name)
        items = part.get("changes") if isinstance(part, dict) else part
        while items and len(items) > least and _too_long(status):
            items.pop()
    for gate in status.get("gates", ()):
        if _too_long(status):
            gate.pop("void", None)
    for condition in status["conditions"]:
        if _too_long(status):
            condition["message"] = cut(condition["message"], _SHORT)
    return status


def _too_long(status: dict[str, Any]) -> bool:
    return len(orjson.dumps(status)) > MAX_STATUS_BYTES - _ROOM_FOR_COUNT
