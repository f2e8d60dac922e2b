"""Fold findings and outcomes into the status; pure. The status changes only when what it says changes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson

from onboarding.api.common import Mode
from onboarding.api.status import (
    Actor,
    CheckStatus,
    Condition,
    ConditionType,
    EnvironmentState,
    EnvironmentStatus,
    NextAction,
    PlanStatus,
    ProjectOnboardingStatus,
    Reason,
    SiteStatus,
    Summary,
)
from onboarding.build.kinds import APPLICATION, ObjectKey
from onboarding.build.naming import application_name
from onboarding.build.revision import Revision, digest
from onboarding.reconcile.compare import Change
from onboarding.reconcile.converge import Outcome, Result
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.verdict import Verdict
from onboarding.reconcile.world import World

MAX_STATUS_BYTES = 8 * 1024
_STATE = {
    Result.CONFLICT: EnvironmentState.CONFLICT,
    Result.UNREACHABLE: EnvironmentState.UNREACHABLE,
    Result.STALE: EnvironmentState.PENDING,
    Result.FAILED: EnvironmentState.FAILED,
    Result.GUARD_MISSING: EnvironmentState.FAILED,
    Result.ARGOCD_MISSING: EnvironmentState.FAILED,
    Result.WAITING: EnvironmentState.PENDING,
    Result.SKIPPED: EnvironmentState.PENDING,
}


def report(
    world: World, judgement: Judgement, outcomes: Sequence[Outcome], verdict: Verdict, plan: Sequence[Change] | None
) -> dict[str, Any]:
    """Return the status as JSON, at most 8 KiB of it."""
    environments = _environments(world, judgement, outcomes)
    actions = _next_actions(judgement, outcomes, verdict)
    ready = sum(1 for item in environments if item.sites and all(s.state is EnvironmentState.READY for s in item.sites))
    status = ProjectOnboardingStatus(
        observed_generation=world.project.generation,
        summary=Summary(
            environments=f"{ready}/{len(environments)}",
            next=f"{actions[0].actor}: {actions[0].action}" if actions else _calm(verdict),
        ),
        conditions=_conditions(world, judgement, environments, verdict),
        next_actions=actions,
        environments=environments,
        checks=_checks(world, judgement),
        plan=_plan(plan) if plan is not None else None,
    )
    return _fit(status.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _calm(verdict: Verdict) -> str:
    """Return the summary where nobody has to act: the operator is at work, or there is nothing to do."""
    return _cut(f"operator: {verdict.message}") or "" if verdict.reconciling else "nothing to do"


def _environments(world: World, judgement: Judgement, outcomes: Iterable[Outcome]) -> tuple[EnvironmentStatus, ...]:
    trouble: dict[tuple[str, str], Outcome] = {}
    for outcome in outcomes:
        if outcome.result is not Result.DONE:
            trouble.setdefault((outcome.change.environment, outcome.change.site), outcome)
    built: dict[str, list[Revision]] = {}
    for revision in judgement.building:
        built.setdefault(revision.environment, []).append(revision)
    declared = world.project.spec.environments if world.project.spec and not world.project.deleting else ()
    shown = [
        EnvironmentStatus(
            name=environment.name,
            stage=environment.stage,
            target=next((revision.target for revision in built.get(environment.name, ())), environment.target),
            held=_cut(judgement.held.get(environment.name)),
            sites=tuple(_site(world, revision, trouble) for revision in built.get(environment.name, ())),
        )
        for environment in declared
    ]
    names = {environment.name for environment in declared}
    leaving = sorted((judgement.gone | judgement.unconfirmed | built.keys()) - names)
    return (*shown, *(EnvironmentStatus(name=name, sites=_leaving(judgement, name, trouble)) for name in leaving))


def _site(world: World, revision: Revision, trouble: dict[tuple[str, str], Outcome]) -> SiteStatus:
    outcome = trouble.get((revision.environment, revision.cluster))
    unseen = world.trouble_with(revision.cluster)
    if unseen:
        return SiteStatus(
            name=revision.site,
            namespace=revision.namespace,
            state=EnvironmentState.UNREACHABLE,
            message=_cut(unseen),
        )
    return SiteStatus(
        name=revision.site,
        namespace=revision.namespace,
        state=_STATE[outcome.result] if outcome else EnvironmentState.READY,
        revision=None if outcome else digest(revision.canonical),
        message=_cut(outcome.message) if outcome else None,
    )


def _leaving(judgement: Judgement, name: str, trouble: dict[tuple[str, str], Outcome]) -> tuple[SiteStatus, ...]:
    sites = []
    for place, revision in judgement.admitted.items():
        if place.environment == name and revision:
            outcome = trouble.get((name, place.cluster))
            state = EnvironmentState.READY if name in judgement.unconfirmed else EnvironmentState.REMOVING
            message = judgement.awaiting if name in judgement.unconfirmed else outcome.message if outcome else None
            sites.append(
                SiteStatus(name=revision.site, namespace=revision.namespace, state=state, message=_cut(message))
            )
    return tuple(sites)


def _next_actions(judgement: Judgement, outcomes: Iterable[Outcome], verdict: Verdict) -> tuple[NextAction, ...]:
    actions: dict[NextAction, None] = {}
    if verdict.actor and verdict.actor is not Actor.OPERATOR and not judgement.findings:
        actions[NextAction(actor=verdict.actor, action=_cut(verdict.message) or "")] = None
    for outcome in outcomes:
        if outcome.result in (Result.CONFLICT, Result.GUARD_MISSING, Result.ARGOCD_MISSING, Result.UNREACHABLE):
            actions[NextAction(actor=Actor.PLATFORM, action=_cut(outcome.message) or "")] = None
    for finding in judgement.findings:
        where = f"environment {finding.environment}: " if finding.environment else ""
        actions[NextAction(actor=finding.actor, action=_cut(f"{where}{finding.message}; {finding.remedy}") or "")] = (
            None
        )
    return tuple(actions)[:10]


def _checks(world: World, judgement: Judgement) -> tuple[CheckStatus, ...]:
    before = {(c["id"], c.get("environment"), c["message"]): c["since"] for c in world.project.status.get("checks", ())}
    found = []
    for finding in judgement.findings[:24]:
        message = _cut(finding.message) or ""
        found.append(
            CheckStatus(
                id=finding.id,
                environment=finding.environment,
                message=message,
                remedy=_cut(finding.remedy) or "",
                next_actor=finding.actor,
                since=before.get((finding.id, finding.environment, message), _time(world.now)),
            )
        )
    return tuple(found)


def _conditions(
    world: World, judgement: Judgement, environments: Iterable[EnvironmentStatus], verdict: Verdict
) -> tuple[Condition, ...]:
    held = bool(judgement.findings or judgement.hold)
    complete = all(site.state is EnvironmentState.READY for item in environments for site in item.sites)
    facts: list[tuple[ConditionType, str, Reason, str]] = [
        (ConditionType.READY, verdict.ready, verdict.reason, verdict.message),
        (
            ConditionType.PREREQUISITES_MET,
            "False" if held else "True",
            Reason.CHECKS_FAILED if held else Reason.CHECKS_PASSED,
            judgement.hold or (judgement.findings[0].message if judgement.findings else "every check passes"),
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
    before = {item["type"]: item for item in world.project.status.get("conditions", ())}
    return tuple(_condition(world, fact, before.get(fact[0].value)) for fact in sorted(facts))


def _applications(world: World, judgement: Judgement) -> tuple[ConditionType, str, Reason, str]:
    kind = ConditionType.APPLICATIONS_HEALTHY
    health = {key.name: _health(world, key) for key in _application_keys(world, judgement)}
    if not health:
        return kind, "Unknown", Reason.NO_APPLICATIONS, "the project has no Applications"
    silent = sorted(name for name, state in health.items() if not state)
    if silent:
        return kind, "Unknown", Reason.NOT_REPORTED, f"Argo CD has not reported on {', '.join(silent)}"
    sick = sorted(f"{name} is {state}" for name, state in health.items() if state != "Healthy")
    if sick:
        return kind, "False", Reason.APPLICATIONS_UNHEALTHY, ", ".join(sick)
    return kind, "True", Reason.APPLICATIONS_HEALTHY, f"{len(health)} of {len(health)} Applications are Healthy"


def _application_keys(world: World, judgement: Judgement) -> Iterator[ObjectKey]:
    for revision in judgement.building:
        for repository in revision.repositories:
            name = application_name(world.owner, revision, repository.name)
            yield ObjectKey(revision.argo_cluster, APPLICATION, revision.argocd.namespace, name)


def _health(world: World, key: ObjectKey) -> str:
    found = world.live.get(key)
    return found.health if found else ""


def _condition(world: World, fact: tuple[ConditionType, str, Reason, str], before: dict[str, Any] | None) -> Condition:
    kind, value, reason, message = fact
    same = before is not None and before["status"] == value
    return Condition(
        type=kind,
        status=value,
        reason=reason,
        message=_cut(message) or "",
        observed_generation=world.project.generation,
        last_transition_time=before["lastTransitionTime"] if same and before else _time(world.now),
    )


def _plan(changes: Sequence[Change]) -> PlanStatus:
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.action.value] = counts.get(change.action.value, 0) + 1
    summary = ", ".join(f"{count} to {action}" for action, count in sorted(counts.items()))
    return PlanStatus(
        summary=summary or f"{Mode.APPLY} would change nothing", changes=tuple(_cut(str(c)) or "" for c in changes[:20])
    )


def _fit(status: dict[str, Any]) -> dict[str, Any]:
    """Shorten what is longest until the status keeps its limit; conditions and next actions stay."""
    for name in ("plan", "checks", "environments", "nextActions"):
        part = status.get(name)
        items = part.get("changes") if isinstance(part, dict) else part
        while items and len(orjson.dumps(status)) > MAX_STATUS_BYTES:
            items.pop()
    return status


def _cut(text: str | None, length: int = 300) -> str | None:
    if text is None or len(text) <= length:
        return text
    return text[: length - 1] + "…"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
