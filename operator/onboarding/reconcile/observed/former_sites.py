"""The sites in the last status: all that a restart leaves of a namespace that went meanwhile; pure.

The status proves nothing. It only tells where something is missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from onboarding.build.place import Place
from onboarding.reconcile.observed.snapshot import Snapshot


class FormerSite(NamedTuple):
    """An environment on a site, which the last status showed with its revision."""

    environment: str
    target: str
    site: str
    namespace: str
    revision: str
    """Digest of the admitted revision that was in place last."""

    @property
    def subject(self) -> str:
        """The namespace and its environment, for messages."""
        return f"Namespace {self.namespace} of environment {self.environment} on site {self.site}"


def former_sites(status: Mapping[str, Any]) -> Iterator[FormerSite]:
    """Yield the sites in a status that have a revision, of environments whose target is known."""
    for environment in status.get("environments", ()):
        for site in environment.get("sites", ()):
            if (target := environment.get("target")) and (revision := site.get("revision")):
                yield FormerSite(environment["name"], target, site["name"], site["namespace"], revision)


def find_missing(snapshot: Snapshot, admitted: Mapping[Place, object]) -> dict[Place, FormerSite]:
    """Return the sites that were in place, are still declared, and whose cluster shows no namespace of the project."""
    found = {}
    for former in former_sites(snapshot.project.status):
        cluster = snapshot.cluster_at(former.target, former.site)
        if cluster is None or snapshot.cluster_problem(cluster):
            continue
        place = Place(former.environment, cluster)
        if place not in admitted and snapshot.declares(former.environment, former.target, former.site):
            found[place] = former
    return found
