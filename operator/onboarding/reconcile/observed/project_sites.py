"""The sites that a project was admitted on, by its finalizers, and those of them that cannot be seen now; pure.

A project that an earlier version left has no such finalizers until every cluster has been seen once. Until then its
status tells where it was, and its deletion waits for every cluster.
"""

from collections.abc import Iterator
from typing import NamedTuple

from onboarding import names
from onboarding.build.naming import SITE_FINALIZER, is_of_site, site_finalizer
from onboarding.reconcile.observed.former_sites import former_sites
from onboarding.reconcile.observed.snapshot import Snapshot


class Unseen(NamedTuple):
    """A site that a project was admitted on, and that cannot be seen."""

    problem: str
    """The problem, and the remedy if the site is missing."""
    missing: bool
    """Whether no target names the site, so that there is no connection."""


def site_finalizers(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the finalizers of a project that stand for sites."""
    return tuple(filter(is_of_site, snapshot.project.finalizers))


def is_unrecorded(snapshot: Snapshot) -> bool:
    """Return whether a project has our finalizer, and none that says which sites it was admitted on."""
    return names.FINALIZER in snapshot.project.finalizers and not site_finalizers(snapshot)


def unseen_sites(snapshot: Snapshot) -> tuple[Unseen, ...]:
    """Return the sites that a project was admitted on and that cannot be seen, without those that are lost."""
    if is_unrecorded(snapshot):
        status = former_sites(snapshot.project.status)
        recorded = {site_finalizer(item.target, item.site): (item.target, item.site) for item in status}
    else:
        recorded = {item: _named(item, snapshot) for item in site_finalizers(snapshot)}
    found = (_unseen(snapshot, finalizer, *name) for finalizer, name in recorded.items())
    return tuple(dict.fromkeys(item for item in found if item))


def hidden_from_teardown(snapshot: Snapshot) -> tuple[Unseen, ...]:
    """Return the sites that a teardown waits for: if it is not known where the project was, every cluster."""
    everywhere = _unknown_clusters(snapshot) if is_unrecorded(snapshot) else ()
    return (*unseen_sites(snapshot), *everywhere)


def _unknown_clusters(snapshot: Snapshot) -> Iterator[Unseen]:
    for cluster in snapshot.clusters:
        if problem := snapshot.cluster_problem(cluster):
            yield Unseen(problem, missing=False)


def _unseen(snapshot: Snapshot, finalizer: str, target: str, site: str) -> Unseen | None:
    known = snapshot.sites.get(finalizer)
    if known is None:
        return Unseen(snapshot.site_problem(target, site) or f"site {site} of HostingTarget {target}", missing=True)
    problem = "" if known.lost else snapshot.cluster_problem(known.cluster)
    if not problem:
        return None
    missing = snapshot.site_problem(known.target, known.site)
    return Unseen(missing or problem, missing=bool(missing))


def _named(finalizer: str, snapshot: Snapshot) -> tuple[str, str]:
    """Return target and site of a finalizer; one that is hashed is looked for in the status."""
    if known := snapshot.sites.get(finalizer):
        return known.target, known.site
    for item in former_sites(snapshot.project.status):
        if site_finalizer(item.target, item.site) == finalizer:
            return item.target, item.site
    target, _, site = finalizer.removeprefix(SITE_FINALIZER).rpartition(".")
    return target or f"of finalizer {finalizer}", site
