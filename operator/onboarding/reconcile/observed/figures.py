"""Figures about policies, targets, sites and decisions as the caches hold them, for metrics; pure."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from onboarding.api.lifetimes import DecisionLimits
from onboarding.api.text import time
from onboarding.build.place import cluster_of
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState

EXPIRY_DAYS: Final = (7, 30)
"""Days within which a decision has to expire to be counted."""
_UNKNOWN: Final = "Unknown"
_NOT_CONNECTED: Final = ClusterState(problem="no connection", starting=True)


class PlatformFigures(NamedTuple):
    """Numbers of objects of the platform."""

    policies: Mapping[str, int]
    """By the reason of Ready; Unknown while its ClusterRoles are being looked up."""
    targets: Mapping[str, int]
    """By the reason of Ready; Unknown while its sites are being connected to."""
    sites: Mapping[tuple[str, str], str]
    """The state of each site by target and site, for usable targets and without lost sites.

    Ready, Starting, Unreachable or GuardMissing.
    """
    expiring: Mapping[int, int]
    """Decisions about existing projects that expire within so many days."""
    orphans: int
    """Decisions about projects that do not exist any more."""


def platform_figures(
    declared: ProjectCache,
    clusters: Mapping[str, ClusterState],
    now: datetime,
    *,
    listed: bool,
    limits: DecisionLimits | None = None,
) -> PlatformFigures:
    """Return the figures of now; ``clusters`` are the states by name of the connection, ``limits`` those of the policy.

    No decision counts as one without a project before all projects are ``listed``.
    """
    reasons: dict[str, Counter[str]] = {POLICIES: Counter(), TARGETS: Counter()}
    for head, verdict in declared.offered.verdicts(clusters):
        reasons[head.plural][verdict.reason.value if verdict else _UNKNOWN] += 1
    sites = {
        (name, site.name): _state(clusters.get(cluster_of(site), _NOT_CONNECTED))
        for name, target in declared.targets.items()
        for site in target.sites
        if not site.lost
    }
    orphans = sum(1 for _ in declared.orphans()) if listed else 0
    return PlatformFigures(reasons[POLICIES], reasons[TARGETS], sites, _expiring(declared, now, limits), orphans)


def _state(cluster: ClusterState) -> str:
    if cluster.problem:
        return "Starting" if cluster.starting else "Unreachable"
    if cluster.guarded:
        return "Ready"
    return "Unreachable" if cluster.guard_unknown else "GuardMissing"


def _expiring(declared: ProjectCache, now: datetime, limits: DecisionLimits | None) -> dict[int, int]:
    # Times of the API have one form, so that they compare as text.
    ends = (item.end(limits) for item in declared.decisions_in_use())
    moments = [end for end in ends if end and end > time(now)]
    return {days: sum(moment <= time(now + timedelta(days=days)) for moment in moments) for days in EXPIRY_DAYS}
