"""What the projects take from each other: the capacity of sites, and domains."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from onboarding.build.kinds import ObjectKey
from onboarding.build.revision import Revision
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.capacity import CapacityLedger, SiteKey, allocations_of
from onboarding.reconcile.observed.domain_ledger import DomainLedger, claims_of


class NamespaceLedger(Protocol):
    """Follows the admitted revisions of all namespaces of an installation."""

    installation: str

    def on_update(self, key: ObjectKey, live: CachedObject) -> None:
        """Take in a namespace as it is now."""

    def remove(self, key: ObjectKey) -> None:
        """Take in that a namespace is deleted."""

    def remove_cluster(self, cluster: str) -> None:
        """Take in that a cluster is no longer watched."""


class Ledgers:
    """The ledgers of capacity and of domains, updated and reserved together."""

    def __init__(self, installation: str, freed: Callable[[str], None]) -> None:
        """Call ``freed`` with the name of a project that lacked something of another one, when it is freed."""
        self.installation = installation
        self.capacity = CapacityLedger(installation, freed)
        self.domains = DomainLedger(installation, freed)

    def on_update(self, key: ObjectKey, live: CachedObject) -> None:
        """Update the allocation and the claims of a namespace."""
        self.capacity.on_update(key, live)
        self.domains.on_update(key, live)

    def remove(self, key: ObjectKey) -> None:
        """Take in that a namespace is deleted or no longer ours."""
        self.capacity.remove(key)
        self.domains.remove(key)

    def remove_cluster(self, cluster: str) -> None:
        """Drop what is taken on a cluster that is no longer watched."""
        self.capacity.remove_cluster(cluster)
        self.domains.remove_cluster(cluster)

    def reserve(
        self, project: str, building: Iterable[Revision], full: Iterable[SiteKey], taken: Mapping[str, str]
    ) -> None:
        """Reserve what a project builds; it lacks the ``full`` sites, and the ``taken`` domains of these projects.

        Call it without an ``await`` after the snapshot, so that no other project is admitted in between.
        """
        revisions = tuple(building)
        self.capacity.reserve(project, allocations_of(revisions), full)
        self.domains.reserve(project, claims_of(revisions), taken)

    def unreserve(self, project: str) -> None:
        """Drop the reservations of a project after good answers to all of its writes."""
        self.capacity.unreserve(project)
        self.domains.unreserve(project)
