"""The environments in the status, with their state on each site; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from onboarding.api.project import Environment
from onboarding.api.status import EnvironmentState, EnvironmentStatus, SiteStatus
from onboarding.api.text import cut
from onboarding.build.kinds import NAMESPACE
from onboarding.build.place import Place
from onboarding.build.revision import Revision, digest
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.former_sites import FormerSite, former_sites
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.environment_plan import EnvironmentAction, EnvironmentPlan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.applications import ApplicationState, application_status
from onboarding.reconcile.status.hidden_sites import hidden_sites, lost_sites

_STATE = {
    Result.CONFLICT: EnvironmentState.CONFLICT,
    Result.FORMER: EnvironmentState.CONFLICT,
    Result.UNREACHABLE: EnvironmentState.UNREACHABLE,
    Result.STALE: EnvironmentState.PENDING,
    Result.FAILED: EnvironmentState.FAILED,
    Result.DRIFTED: EnvironmentState.FAILED,
    Result.GUARD_MISSING: EnvironmentState.FAILED,
    Result.ARGOCD_MISSING: EnvironmentState.FAILED,
    Result.WAITING: EnvironmentState.PENDING,
    Result.UNCONFIRMED: EnvironmentState.PENDING,
    Result.SKIPPED: EnvironmentState.PENDING,
}
_MAX_CHANGES: Final = 10
"""Changes that wait for an approval, of all environments together: the status has 8 KiB."""
Troubles = Mapping[Place, Outcome]
"""The first change that failed or is not finished, by environment and cluster."""


def environments(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    outcomes: Iterable[Outcome],
    applications: Mapping[Place, Sequence[ApplicationState]],
) -> tuple[EnvironmentStatus, ...]:
    """Return the status of each environment: the declared ones, then those that stay, then those that are removed.

    A removed environment is left out as soon as nothing of it is there.
    """
    troubles = _troubles(outcomes)
    spec, deleting = snapshot.project.spec, snapshot.project.deleting
    declared = {environment.name: environment for environment in (spec.environments if spec and not deleting else ())}
    items = [plan.by_name.get(name) or EnvironmentPlan(name, EnvironmentAction.STAY) for name in declared]
    items += [plan.by_name[name] for name in sorted(plan.staying.keys() - declared.keys())]
    shown, room = [], _MAX_CHANGES
    for item in items:
        limited = replace(item, changes=item.changes[:room])
        room -= len(limited.changes)
        sites = _sites(snapshot, item, troubles, applications)
        shown.append(_environment(snapshot, limited, declared.get(item.name), sites))
    removed = [
        EnvironmentStatus(name=name, sites=_removed_sites(snapshot, name, troubles))
        for name in plan.being_removed(snapshot.live)
    ]
    return (*shown, *removed)


def _environment(
    snapshot: Snapshot, plan: EnvironmentPlan, declared: Environment | None, sites: tuple[SiteStatus, ...]
) -> EnvironmentStatus:
    held = cut(plan.reason or None)
    former = (item.target for item in former_sites(snapshot.project.status) if item.environment == plan.name)
    target = plan.revisions[0].target if plan.revisions else next(former, None) if sites else None
    if declared is None:
        return EnvironmentStatus(name=plan.name, target=target, held=held, sites=sites)
    target = target or declared.target
    lost = lost_sites(snapshot, declared, target or "", {site.name for site in sites})
    return EnvironmentStatus(
        name=plan.name,
        stage=declared.stage,
        gate=plan.gate or None,
        target=target,
        held=held,
        changes=tuple(cut(text) for text in plan.changes),
        sites=(*sites, *lost),
    )


def state_of(status: EnvironmentStatus) -> EnvironmentState:
    """Return the state of an environment: of its first site that is not Ready, else Ready; Held if it has no site.

    A site that is lost does not count beside others.
    """
    if not status.sites:
        return EnvironmentState.HELD
    states = [site.state for site in status.sites if site.state is not EnvironmentState.LOST]
    if not states:
        return EnvironmentState.LOST
    return next((state for state in states if state is not EnvironmentState.READY), EnvironmentState.READY)


def _troubles(outcomes: Iterable[Outcome]) -> Troubles:
    first: dict[Place, Outcome] = {}
    for outcome in outcomes:
        if outcome.result is not Result.DONE:
            first.setdefault(Place(outcome.change.environment, outcome.change.cluster), outcome)
    return first


def _sites(
    snapshot: Snapshot,
    plan: EnvironmentPlan,
    troubles: Troubles,
    applications: Mapping[Place, Sequence[ApplicationState]],
) -> tuple[SiteStatus, ...]:
    built = (_site(snapshot, revision, troubles, applications) for revision in plan.revisions)
    shown = (*built, *map(_missing_site, plan.missing))
    return (*shown, *hidden_sites(snapshot, plan.name, {site.name for site in shown}))


def _missing_site(former: FormerSite) -> SiteStatus:
    return SiteStatus(
        name=former.site,
        namespace=former.namespace,
        state=EnvironmentState.GONE,
        revision=former.revision,
        message=f"Namespace {former.namespace} is gone: it is rebuilt once the environment is not held any more",
    )


def _site(
    snapshot: Snapshot,
    revision: Revision,
    troubles: Troubles,
    applications: Mapping[Place, Sequence[ApplicationState]],
) -> SiteStatus:
    place = Place(revision.environment, revision.cluster)
    outcome, unreachable = troubles.get(place), snapshot.cluster_problem(revision.cluster)
    state = EnvironmentState.READY
    if unreachable:
        state = EnvironmentState.UNREACHABLE
    elif outcome:
        state = _STATE[outcome.result]
    return SiteStatus(
        name=revision.site,
        namespace=revision.namespace,
        state=state,
        revision=digest(revision.canonical) if state is EnvironmentState.READY else _last_in_place(snapshot, revision),
        message=cut(unreachable or (outcome.message if outcome else "") or None),
        applications=tuple(application_status(item) for item in applications.get(place, ())),
    )


def _last_in_place(snapshot: Snapshot, revision: Revision) -> str | None:
    """Return the digest that the last status shows of an environment on a site: it is remembered through a trouble."""
    key = (revision.environment, revision.site, revision.namespace)
    former = former_sites(snapshot.project.status)
    return next((item.revision for item in former if (item.environment, item.site, item.namespace) == key), None)


def _removed_sites(snapshot: Snapshot, name: str, troubles: Troubles) -> tuple[SiteStatus, ...]:
    """Return the sites of an environment that is being removed, as long as its namespaces exist."""
    sites = []
    for key, item in sorted(snapshot.live.items(), key=lambda pair: str(pair[0])):
        if key.kind is not NAMESPACE or item.environment != name:
            continue
        revision, outcome = item.admitted.revision, troubles.get(Place(name, key.cluster))
        sites.append(
            SiteStatus(
                name=revision.site if revision else key.cluster,
                namespace=key.name,
                state=EnvironmentState.REMOVING,
                message=cut(outcome.message) if outcome else None,
            )
        )
    return tuple(sites)
