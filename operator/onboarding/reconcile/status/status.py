"""The status of a project from snapshot, plan and outcomes; pure. Without a change its JSON stays equal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from onboarding.api.common import Mode
from onboarding.api.status import EnvironmentState, PlanStatus, ProjectOnboardingStatus, Summary
from onboarding.api.text import cut
from onboarding.build.place import Place
from onboarding.reconcile.apply.outcome import Outcome
from onboarding.reconcile.apply.preview import Preview, Verb
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.applications import application_actions, application_states
from onboarding.reconcile.status.conditions import conditions
from onboarding.reconcile.status.environments import environments, state_of
from onboarding.reconcile.status.gates import checks, count_checks, gates, stage
from onboarding.reconcile.status.next_actions import next_actions
from onboarding.reconcile.status.ready import ReadyState

MAX_STATUS_BYTES = 8 * 1024
_ROOM_FOR_COUNTS = len(',"omittedApplications":9999,"omittedChecks":9999')
_FEW = 5
_SHORT = 80


class Report(NamedTuple):
    """The status of a project, and the state of each environment."""

    status: dict[str, Any]
    """JSON of at most 8 KiB."""
    states: Mapping[str, EnvironmentState]
    """The state of every environment, also of those that the status omits for lack of space."""


def report(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    outcomes: Sequence[Outcome],
    ready: ReadyState,
    preview: Preview | None,
) -> Report:
    """Return the status of a project; ``preview`` has what ``mode: Apply`` would do, if the mode is Plan."""
    by_place = {Place(item.environment, item.cluster): application_states(snapshot, item) for item in plan.building}
    applications = [item for states in by_place.values() for item in states]
    places = environments(snapshot, plan, outcomes, by_place)
    actions = next_actions(snapshot, plan, outcomes, ready, application_actions(applications))
    states = {item.name: EnvironmentState.REMOVING if item.name in plan.removing else state_of(item) for item in places}
    in_place = sum(state is EnvironmentState.READY for state in states.values())
    status = ProjectOnboardingStatus(
        observed_generation=snapshot.project.generation,
        stage=stage(snapshot, plan),
        summary=Summary(
            environments=f"{in_place}/{len(places)}",
            waiting_for=", ".join(dict.fromkeys(item.actor for item in actions)) or None,
            next=cut(f"{actions[0].actor}: {actions[0].action}") if actions else _idle(ready),
        ),
        next_actions=actions,
        conditions=conditions(snapshot, plan, places, applications, ready, preview.plan if preview else plan),
        gates=gates(snapshot, plan),
        environments=places,
        checks=checks(snapshot, plan),
        plan=_plan(preview) if preview is not None else None,
    )
    fitting = _fit(status.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    omitted = {
        "omittedApplications": len(applications) - len(_applications(fitting)),
        "omittedChecks": count_checks(snapshot, plan) - len(fitting.get("checks", ())),
    }
    return Report({**fitting, **{name: count for name, count in omitted.items() if count > 0}}, states)


def _idle(ready: ReadyState) -> str:
    """Return the summary if nobody has to act: the operator is reconciling, or there is nothing to do."""
    return cut(f"operator: {ready.message}") if ready.reconciling else "nothing to do"


def _plan(preview: Preview) -> PlanStatus:
    """Return the preview: the counts by verb and kind, then the first lines, conflicts first."""
    counts = Counter((line.verb, line.key.kind.kind) for line in preview.lines)
    kinds = {verb: [f"{count} {kind}" for (of, kind), count in sorted(counts.items()) if of is verb] for verb in Verb}
    summary = "; ".join(f"{verb} {', '.join(counted)}" for verb, counted in kinds.items() if counted)
    return PlanStatus(
        summary=cut(summary or f"{Mode.APPLY} would change nothing"),
        changes=tuple(cut(line.text) for line in preview.lines if line.verb is not Verb.BLOCKED)[:20],
        existing=tuple(cut(text) for text in preview.existing[:_FEW]),
    )


def _fit(status: dict[str, Any]) -> dict[str, Any]:
    """Shorten a status to its limit: the preview and healthy Applications first, the messages of conditions last.

    Text from users, such as the reason of a decision, may take six bytes per character.
    """
    if _excess(status) <= 0:
        return status
    _drop(status, "plan", 0)
    if _excess(status) > 0:
        status.get("plan", {}).pop("existing", None)
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
    """Drop the last items of a list until the status fits or ``least`` of them are left."""
    part = status.get(name)
    items = part.get("changes") if isinstance(part, dict) else part
    while items and len(items) > least and _excess(status) > 0:
        items.pop()


def _drop_applications(status: dict[str, Any], keep: int) -> None:
    """Drop Applications until the status fits or ``keep`` are left: healthy ones and the last environments first."""
    excess = _excess(status)
    worst_first = sorted(_applications(status), key=lambda shown: _trouble(shown[1]), reverse=True)
    for site, item in reversed(worst_first[keep:]):
        if excess > 0:
            site["applications"].remove(item)
            excess -= len(orjson.dumps(item))


def _applications(status: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the Applications in a status, each with its site."""
    sites = (site for environment in status.get("environments", ()) for site in environment.get("sites", ()))
    return [(site, item) for site in sites for item in site.get("applications", ())]


def _trouble(application: dict[str, Any]) -> tuple[bool, bool]:
    return "message" in application, application.get("health") != "Healthy"


def _excess(status: dict[str, Any]) -> int:
    """Return the number of bytes above the limit."""
    return len(orjson.dumps(status)) - (MAX_STATUS_BYTES - _ROOM_FOR_COUNTS)
