"""The environments in the status: where each stands on each site; pure."""

from collections.abc import Iterable, Mapping, Sequence

from onboarding.api.status import EnvironmentState, EnvironmentStatus, SiteStatus
from onboarding.api.text import cut
from onboarding.build.revision import Revision, digest
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.judge import Judgement
from onboarding.reconcile.proposal.admit import Place
from onboarding.reconcile.report.rollup import Standing, status_of
from onboarding.reconcile.world import World

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
    world: World, judgement: Judgement, outcomes: Iterable[Outcome], standings: Mapping[Place, Sequence[Standing]]
) -> tuple[EnvironmentStatus, ...]:
    """Return where each environment stands on each site, those that nobody declares any more last."""
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
            gate=judgement.gates.get(environment.name),
            target=next((revision.target for revision in built.get(environment.name, ())), environment.target),
            held=cut(judgement.held.get(environment.name)),
            sites=tuple(_site(world, revision, trouble, standings) for revision in built.get(environment.name, ())),
        )
        for environment in declared
    ]
    names = {environment.name for environment in declared}
    staying = [
        EnvironmentStatus(
            name=name,
            held=cut(judgement.staying.get(name)),
            sites=tuple(_site(world, revision, trouble, standings) for revision in built.get(name, ())),
        )
        for name in sorted((built.keys() | judgement.staying.keys()) - names)
    ]
    gone = [EnvironmentStatus(name=name, sites=_leaving(judgement, name, trouble)) for name in sorted(judgement.gone)]
    return (*shown, *staying, *gone)


def _site(
    world: World,
    revision: Revision,
    trouble: Mapping[tuple[str, str], Outcome],
    standings: Mapping[Place, Sequence[Standing]],
) -> SiteStatus:
    place = Place(revision.environment, revision.cluster)
    outcome, unseen = trouble.get(place), world.trouble_with(revision.cluster)
    in_place = not unseen and not outcome
    return SiteStatus(
        name=revision.site,
        namespace=revision.namespace,
        state=EnvironmentState.UNREACHABLE if unseen else _STATE[outcome.result] if outcome else EnvironmentState.READY,
        revision=digest(revision.canonical) if in_place else None,
        message=cut(unseen) if unseen else cut(outcome.message) if outcome else None,
        applications=tuple(status_of(item) for item in standings.get(place, ())),
    )


def _leaving(judgement: Judgement, name: str, trouble: Mapping[tuple[str, str], Outcome]) -> tuple[SiteStatus, ...]:
    sites = []
    for place, revision in judgement.admitted.items():
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
