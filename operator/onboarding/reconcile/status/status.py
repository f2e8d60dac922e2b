"""The status of a project from snapshot, plan and outcomes; pure. Without a change its JSON stays equal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from onboarding.api.common import Mode
from onboarding.api.status import EnvironmentState, NextAction, PlanStatus, ProjectOnboardingStatus, Summary
from onboarding.api.text import cut, cut_middle
from onboarding.build.place import Place
from onboarding.reconcile.apply.outcome import Outcome
from onboarding.reconcile.apply.preview import Preview, Verb
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.applications import application_actions, application_states
from onboarding.reconcile.status.conditions import conditions
from onboarding.reconcile.status.environments import environments, state_of
from onboarding.reconcile.status.gates import checks, count_checks, gates, journey, stage
from onboarding.reconcile.status.next_actions import next_actions
from onboarding.reconcile.status.ready import ReadyState
from onboarding.reconcile.status.removals import removals
from onboarding.reconcile.status.shares import applications_in, fit

_FEW = 5


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
        summary=_summary(f"{in_place}/{len(places)}", actions, ready),
        next_actions=actions,
        journey=journey(snapshot, plan),
        conditions=conditions(snapshot, plan, places, applications, ready, preview.plan if preview else plan),
        gates=gates(snapshot, plan),
        environments=places,
        checks=checks(snapshot, plan),
        removals=removals(plan),
        plan=_plan(preview) if preview is not None else None,
    )
    fitting = fit(status.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    omitted = {
        "omittedApplications": len(applications) - len(applications_in(fitting.get("environments", []))),
        "omittedChecks": count_checks(snapshot, plan) - len(fitting.get("checks", ())),
    }
    return Report({**fitting, **{name: count for name, count in omitted.items() if count > 0}}, states)


def _summary(in_place: str, actions: Sequence[NextAction], ready: ReadyState) -> Summary:
    return Summary(
        environments=in_place,
        waiting_for=", ".join(dict.fromkeys(item.actor for item in actions)) or None,
        next=cut_middle(f"{actions[0].actor}: {actions[0].action}") if actions else _idle(ready),
    )


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
