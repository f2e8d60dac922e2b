"""Sites of an environment in the status that the cache shows nothing of: lost ones, and unreachable ones; pure."""

from collections.abc import Container, Iterator

from onboarding.api.project import Environment
from onboarding.api.status import EnvironmentState, SiteStatus
from onboarding.api.text import cut
from onboarding.build.naming import namespace_of, site_finalizer
from onboarding.reconcile.observed.former_sites import FormerSite, former_sites
from onboarding.reconcile.observed.snapshot import Snapshot


def hidden_sites(snapshot: Snapshot, name: str, shown: Container[str]) -> Iterator[SiteStatus]:
    """Yield the sites where an environment was in place, except those that are ``shown`` already or can be seen.

    Each keeps its revision, so that it is still known after a restart.
    """
    for former in former_sites(snapshot.project.status):
        wanted = former.environment == name and former.site not in shown
        if wanted and snapshot.declares(name, former.target, former.site) and (site := _hidden(snapshot, former)):
            yield site


def lost_sites(snapshot: Snapshot, declared: Environment, target: str, shown: Container[str]) -> Iterator[SiteStatus]:
    """Yield the lost sites of a target on which an environment never was, except those that are ``shown`` already."""
    for known in snapshot.sites.values():
        chosen = known.target == target and (not declared.sites or known.site in declared.sites)
        if known.lost and chosen and known.site not in shown:
            namespace = namespace_of(snapshot.project.name, declared)
            message = f"{known} is declared lost: nothing is written there"
            yield SiteStatus(name=known.site, namespace=namespace, state=EnvironmentState.LOST, message=message)


def _hidden(snapshot: Snapshot, former: FormerSite) -> SiteStatus | None:
    known = snapshot.sites.get(site_finalizer(former.target, former.site))
    if known is not None and known.lost:
        message = f"{known} is declared lost; left there: Namespace {former.namespace}"
        return _status(former, EnvironmentState.LOST, message)
    unreachable = snapshot.cluster_problem(known.cluster) if known else ""
    problem = snapshot.site_problem(former.target, former.site) or unreachable
    if known is not None and not unreachable:
        return None
    return _status(former, EnvironmentState.UNREACHABLE, problem) if problem else None


def _status(former: FormerSite, state: EnvironmentState, message: str) -> SiteStatus:
    return SiteStatus(
        name=former.site, namespace=former.namespace, state=state, revision=former.revision, message=cut(message)
    )
