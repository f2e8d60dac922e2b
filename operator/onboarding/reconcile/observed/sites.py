"""Sites of all targets, with the connections to their clusters: also of targets that were deleted meanwhile."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from onboarding.api.target import Site
from onboarding.build.kinds import HUB
from onboarding.build.naming import HUB_FINALIZER, site_finalizer
from onboarding.build.place import cluster_of


class KnownSite(NamedTuple):
    """A site of a target."""

    target: str
    site: str
    cluster: str
    """The connection to its cluster."""
    declared: bool = True
    """Whether its target still names it."""
    lost: bool = False
    """Whether its target declares it lost."""

    def __str__(self) -> str:
        return f"site {self.site} of HostingTarget {self.target}"


def _known(target: str, site: Site) -> KnownSite:
    cluster = cluster_of(site)
    # A target that calls the hub lost is refused, and its environments stay.
    return KnownSite(target, site.name, cluster, lost=site.lost and cluster != HUB)


_HUB: Final = {HUB_FINALIZER: KnownSite("", HUB, HUB, declared=False)}


class SiteRegistry:
    """The sites by the finalizer of ours that stands for each; one that no target names any more keeps its connection.

    So a project that was admitted on a target is still repaired after somebody has deleted the target.
    """

    def __init__(self) -> None:
        self.known: Mapping[str, KnownSite] = _HUB

    def update(self, targets: Iterable[tuple[str, tuple[Site, ...]]]) -> None:
        """Take in the sites of all targets, each target by name with its sites."""
        named = {site_finalizer(target, site.name): _known(target, site) for target, sites in targets for site in sites}
        former = {key: item._replace(declared=False, lost=False) for key, item in self.known.items()}
        self.known = {**former, **named}

    def clusters(self, held: Iterable[str] = ()) -> set[str]:
        """Return the connections to follow: of the declared sites, and of those that ``held`` finalizers stand for.

        A cluster that a target declares lost is not connected to.
        """
        held = {*held}
        wanted = {item.cluster for key, item in self.known.items() if item.declared or key in held}
        return wanted - {item.cluster for item in self.known.values() if item.lost}
