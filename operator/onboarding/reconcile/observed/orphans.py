"""Count of the objects with our labels whose project does not exist, as the caches hold them; pure.

Nobody but the operator may change them, and it governs none of them.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from onboarding.build.revision import Owner

Orphans = Mapping[str, Mapping[str, int]]
"""Number of orphaned objects by cluster and name of the project; a cluster without any has an empty entry."""


def find_orphans(
    installation: str, clusters: Mapping[str, Mapping[Owner, int]], exists: Callable[[str, str], bool]
) -> Orphans:
    """Return the orphaned objects of each cluster, from the number of its objects by owner.

    Those of another installation are its own matter. ``exists`` says whether there is a project of a
    name and UID.
    """
    found: dict[str, Counter[str]] = {}
    for cluster, owners in clusters.items():
        found[cluster] = Counter()
        for owner, count in owners.items():
            if owner.installation == installation and not exists(owner.project, owner.uid):
                found[cluster][owner.project] += count
    return found


def by_project(orphans: Orphans) -> dict[str, dict[str, int]]:
    """Return the same numbers by project and cluster, sorted."""
    names = sorted({project for counts in orphans.values() for project in counts})
    return {
        project: {cluster: counts[project] for cluster, counts in sorted(orphans.items()) if project in counts}
        for project in names
    }
