"""Finalizers of a project: one of the project, and one for each site that it was admitted on; pure.

A finalizer for a site is set before the first write there, and goes when the site is seen and nothing is left there, or
when its target declares it lost. So a site that a project never was on does not hold its deletion.
"""

from collections.abc import Sequence

from onboarding import names
from onboarding.build.kinds import NAMESPACE
from onboarding.build.naming import HUB_FINALIZER, is_of_site, site_finalizer
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.observed.former_sites import FormerSite, former_sites
from onboarding.reconcile.observed.project_sites import hidden_from_teardown, is_unrecorded, site_finalizers
from onboarding.reconcile.observed.snapshot import Project, Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan


def wanted_finalizers(snapshot: Snapshot, plan: ReconcilePlan, changes: Sequence[Change]) -> tuple[str, ...]:
    """Return the finalizers that a project has to have before the changes of a reconcile are applied.

    Those that others have set stay.
    """
    project = snapshot.project
    needed = {item for item in site_finalizers(snapshot) if _needed(snapshot, item)}
    if project.deleting:
        return _with(project, {names.FINALIZER, *needed} & {*project.finalizers})
    if is_unrecorded(snapshot) and hidden_from_teardown(snapshot):
        return project.finalizers
    if not (snapshot.live or needed or _creates(snapshot, changes)):
        return _with(project, set())
    # The finalizer for the hub says that the project was on no site yet.
    sites = (needed | _occupied(snapshot, plan)) - {HUB_FINALIZER} or {HUB_FINALIZER}
    return _with(project, {names.FINALIZER, *sites})


def final_finalizers(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the finalizers that stay when nothing of a project is left."""
    return tuple(item for item in snapshot.project.finalizers if not _is_ours(item))


def left_behind(snapshot: Snapshot, dropped: Sequence[str]) -> dict[str, list[FormerSite]]:
    """Return what is left on each lost site whose finalizer goes, as far as the status tells, by name of the site."""
    found: dict[str, list[FormerSite]] = {}
    for finalizer in dropped:
        known = snapshot.sites.get(finalizer)
        if known is not None and known.lost:
            sites = former_sites(snapshot.project.status)
            found[str(known)] = [item for item in sites if (item.target, item.site) == (known.target, known.site)]
    return found


def _with(project: Project, ours: set[str]) -> tuple[str, ...]:
    """Return the finalizers of a project with exactly these of ours."""
    kept = [item for item in project.finalizers if item in ours or not _is_ours(item)]
    return (*kept, *sorted(ours - {*kept}))


def _creates(snapshot: Snapshot, changes: Sequence[Change]) -> bool:
    """Return whether an object is about to be created: not on a cluster that cannot be seen, which gets no write."""
    clusters = {change.key.cluster for change in changes if change.action is Action.CREATE}
    return any(not snapshot.cluster_problem(cluster) for cluster in clusters)


def _occupied(snapshot: Snapshot, plan: ReconcilePlan) -> set[str]:
    """Return the finalizers for the sites where something is, or is about to be written: those that can be seen."""
    there = (item.admitted.revision for key, item in snapshot.live.items() if key.kind is NAMESPACE)
    return {
        site_finalizer(item.target, item.site)
        for item in (*plan.building, *filter(None, there))
        if not snapshot.cluster_problem(item.cluster)
    }


def _needed(snapshot: Snapshot, finalizer: str) -> bool:
    """Return whether something is, or may be, on the site that a finalizer stands for."""
    known = snapshot.sites.get(finalizer)
    if known is None:
        return True
    if known.lost:
        return False
    hidden = bool(snapshot.cluster_problem(known.cluster))
    return hidden or any(key.cluster == known.cluster for key in snapshot.live)


def _is_ours(finalizer: str) -> bool:
    return finalizer == names.FINALIZER or is_of_site(finalizer)
