"""Fold findings and outcomes into the status; pure. The status changes only when what it says changes."""

from collections.abc import Sequence
from typing import Any

import orjson

from onboarding.api.common import Mode
from onboarding.api.status import EnvironmentState, PlanStatus, ProjectOnboardingStatus, Summary
from onboarding.api.text import cut
from onboarding.reconcile.apply.compare import Change
from onboarding.reconcile.apply.outcome import Outcome
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.proposal.admit import Place
from onboarding.reconcile.report.conditions import conditions
from onboarding.reconcile.report.environments import environments
from onboarding.reconcile.report.journey import MAX_ACTIONS, checks, count_checks, gates, next_actions, stage
from onboarding.reconcile.report.rollup import next_steps, roll_up
from onboarding.reconcile.report.verdict import Verdict
from onboarding.reconcile.world import World

MAX_STATUS_BYTES = 8 * 1024
_ROOM_FOR_COUNTS = len(',"omittedApplications":9999,"omittedChecks":9999')
_FEW = 5
_SHORT = 80


def report(
    world: World, judgement: Judgement, outcomes: Sequence[Outcome], verdict: Verdict, plan: Sequence[Change] | None
) -> dict[str, Any]:
    """Return the status as JSON, at most 8 KiB of it."""
    standings = {Place(item.environment, item.cluster): roll_up(world, item) for item in judgement.building}
    applications = [item for found in standings.values() for item in found]
    places = environments(world, judgement, outcomes, standings)
    actions = (*next_actions(world, judgement, outcomes, verdict), *next_steps(applications))[:MAX_ACTIONS]
    ready = sum(1 for item in places if item.sites and all(s.state is EnvironmentState.READY for s in item.sites))
    status = ProjectOnboardingStatus(
        observed_generation=world.project.generation,
        stage=stage(world, judgement),
        summary=Summary(
            environments=f"{ready}/{len(places)}",
            next=f"{actions[0].actor}: {actions[0].action}" if actions else _calm(verdict),
        ),
        next_actions=actions,
        conditions=conditions(world, judgement, places, applications, verdict),
        gates=gates(world, judgement),
        environments=places,
        checks=checks(world, judgement),
        plan=_plan(plan) if plan is not None else None,
    )
    fitting = _fit(status.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    omitted = {
        "omittedApplications": len(applications) - len(_applications(fitting)),
        "omittedChecks": count_checks(world, judgement) - len(fitting.get("checks", ())),
    }
    return {**fitting, **{name: count for name, count in omitted.items() if count > 0}}


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
    if _excess(status) <= 0:
        return status
    _drop(status, "plan", 0)
    _drop_applications(status, keep=sum("message" in item for _, item in _applications(status)))
    _drop(status, "checks", _FEW)
    _drop_applications(status, keep=_FEW)
    for name, least in (("environments", 0), ("checks", 0), ("nextActions", 1)):
        _drop(status, name, least)
    for gate in status.get("gates", ()):
        if _excess(status) > 0:
            gate.pop("void", None)
    for condition in status["conditions"]:
        if _excess(status) > 0:
            condition["message"] = cut(condition["message"], _SHORT)
    return status


def _drop(status: dict[str, Any], name: str, least: int) -> None:
    """Drop the last items of a list, as many as there are too many, but so few are kept."""
    part = status.get(name)
    items = part.get("changes") if isinstance(part, dict) else part
    while items and len(items) > least and _excess(status) > 0:
        items.pop()


def _drop_applications(status: dict[str, Any], keep: int) -> None:
    """Drop Applications, those without trouble and of the last environments first, but so many are kept."""
    excess = _excess(status)
    worst_first = sorted(_applications(status), key=lambda shown: _trouble(shown[1]), reverse=True)
    for site, item in reversed(worst_first[keep:]):
        if excess > 0:
            site["applications"].remove(item)
            excess -= len(orjson.dumps(item))


def _applications(status: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the Applications that are shown, each with its site."""
    sites = (site for environment in status.get("environments", ()) for site in environment.get("sites", ()))
    return [(site, item) for site in sites for item in site.get("applications", ())]


def _trouble(application: dict[str, Any]) -> tuple[bool, bool]:
    return "message" in application, application.get("health") != "Healthy"


def _excess(status: dict[str, Any]) -> int:
    """Return by how many bytes it is too long."""
    return len(orjson.dumps(status)) - (MAX_STATUS_BYTES - _ROOM_FOR_COUNTS)
