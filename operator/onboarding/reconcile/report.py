"""Fold findings and outcomes into the status; pure. The status changes only when what it says changes."""

from collections.abc import Sequence
from typing import Any

import orjson

from onboarding.api.common import Mode
from onboarding.api.status import EnvironmentState, PlanStatus, ProjectOnboardingStatus, Summary
from onboarding.reconcile.compare import Change
from onboarding.reconcile.converge import Outcome
from onboarding.reconcile.doors import stage_of
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.report_conditions import conditions
from onboarding.reconcile.report_environments import environments
from onboarding.reconcile.report_journey import MAX_CHECKS, checks, gates, next_actions
from onboarding.reconcile.verdict import Verdict
from onboarding.reconcile.wording import cut
from onboarding.reconcile.world import World

MAX_STATUS_BYTES = 8 * 1024


def report(
    world: World, judgement: Judgement, outcomes: Sequence[Outcome], verdict: Verdict, plan: Sequence[Change] | None
) -> dict[str, Any]:
    """Return the status as JSON, at most 8 KiB of it."""
    places = environments(world, judgement, outcomes)
    actions = next_actions(judgement, outcomes, verdict)
    findings = checks(world, judgement)
    ready = sum(1 for item in places if item.sites and all(s.state is EnvironmentState.READY for s in item.sites))
    status = ProjectOnboardingStatus(
        observed_generation=world.project.generation,
        stage=stage_of(judgement.doors) or None,
        summary=Summary(
            environments=f"{ready}/{len(places)}",
            next=f"{actions[0].actor}: {actions[0].action}" if actions else _calm(verdict),
        ),
        next_actions=actions,
        conditions=conditions(world, judgement, places, verdict),
        gates=gates(world, judgement),
        environments=places,
        checks=findings[:MAX_CHECKS],
        omitted_checks=max(0, len(findings) - MAX_CHECKS),
        plan=_plan(plan) if plan is not None else None,
    )
    return _fit(status.model_dump(mode="json", by_alias=True, exclude_defaults=True))


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
    """Shorten what is longest until the status keeps its limit; conditions and next actions stay."""
    for name in ("plan", "checks", "environments", "nextActions"):
        part = status.get(name)
        items = part.get("changes") if isinstance(part, dict) else part
        while items and len(orjson.dumps(status)) > MAX_STATUS_BYTES:
            items.pop()
            if name == "checks":
                status["omittedChecks"] = status.get("omittedChecks", 0) + 1
    return status
