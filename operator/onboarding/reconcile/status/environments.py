"""The environments in the status: where each stands on each site; pure."""

from collections.abc import Iterable, Mapping, Sequence

from onboarding.api.status import EnvironmentState, EnvironmentStatus, SiteStatus
from onboarding.api.text import cut
from onboarding.build.revision import Revision, digest
from onboarding.reconcile.admission.resolve import Place
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.applications import ApplicationState, status_of

_STATE = {
    Result.CONFLICT: EnvironmentState.CONFLICT,
    Result.FORMER: EnvironmentState.CONFLICT,
    Result.UNREACHABLE: EnvironmentState.UNREACHABLE,
    Result.STALE: EnvironmentState.PENDING,
    Result.FAILED: EnvironmentState.FAILED,
    Result.GUARD_MISSING: EnvironmentState.FAILED,
    Result.ARGOCD_MISSING: EnvironmentState.FAILED,
    Result.WAITING: EnvironmentState.PENDING,
    Result.UNCONFIRMED: EnvironmentState.PENDING,
    Result.SKIPPED: EnvironmentState.PENDING,
}


def environments(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    outcomes: Iterable[Outcome],
    standings: Mapping[Place, Sequence[ApplicationState]],
) -> tuple[EnvironmentStatus, ...]:
    """Return where each environment stands on each site, those that nobody declares any more last."""
    trouble: dict[tuple[str, str], Outcome] = {}
    for outcome in outcomes:
        if outcome.result is not Result.DONE:
            trouble.setdefault((outcome.change.environment, outcome.change.site), outcome)
    built: dict[str, list[Revision]] = {}
    for revision in plan.building:
        built.setdefault(revision.environment, []).append(revision)
    declared = snapshot.project.spec.environments if snapshot.project.spec and not snapshot.project.deleting else ()
    shown = [
        EnvironmentStatus(
            name=environment.name,
            stage=environment.stage,
            gate=plan.gates.get(environment.name),
            target=next((revision.target for revision in built.get(environment.name, ())), environment.target),
            held=cut(plan.held.get(environment.name)),
            sites=tuple(_site(snapshot, revision, trouble, standings) for revision in built.get(environment.name, ())),
        )
        for environment in declared
    ]
    names = {environment.name for environment in declared}
    staying = [
        EnvironmentStatus(
            name=name,
            held=cut(plan.staying.get(name)),
            sites=tuple(_site(snapshot, revision, trouble, standings) for revision in built.get(name, ())),
        )
        for name in sorted((built.keys() | plan.staying.keys()) - names)
    ]
    gone = [EnvironmentStatus(name=name, sites=_leaving(plan, name, trouble)) for name in sorted(plan.gone)]
    return (*shown, *staying, *gone)


def _site(
    snapshot: Snapshot,
    revision: Revision,
    trouble: Mapping[tuple[str, str], Outcome],
    standings: Mapping[Place, Sequence[ApplicationState]],
) -> SiteStatus:
    place = Place(revision.environment, revision.cluster)
    outcome, unseen = trouble.get(place), snapshot.trouble_with(revision.cluster)
    in_place = not unseen and not outcome
    return SiteStatus(
        name=revision.site,
        namespace=revision.namespace,
        state=EnvironmentState.UNREACHABLE if unseen else _STATE[outcome.result] if outcome else EnvironmentState.READY,
        revision=digest(revision.canonical) if in_place else None,
        message=cut(unseen) if unseen else cut(outcome.message) if outcome else None,
        applications=tuple(status_of(item) for item in standings.get(place, ())),
    )


def _leaving(plan: ReconcilePlan, name: str, trouble: Mapping[tuple[str, str], Outcome]) -> tuple[SiteStatus, ...]:
    sites = []
    for place, revision in plan.admitted.items():
        if place.environment == name and revision:
            outcome = trouble.get(place)
            sites.append(
                SiteStatus(
                    name=revision.site,
                    namespace=revision.namespace,
                    state=EnvironmentState.REMOVING,
                    message=cut(outcome.message) if outcome else None,
                )
            )
    return tuple(sites)
