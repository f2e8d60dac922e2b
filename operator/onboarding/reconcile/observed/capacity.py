"""Used capacity of each site: admitted revisions of all namespaces, plus reservations of reconciles in progress.

A target states the capacity of each of its sites; two targets may share a cluster. A namespace counts as long as it has
the labels of this installation, also while it is being deleted, because its pods still run.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import orjson
from pydantic import ConfigDict, ValidationError

from onboarding import names
from onboarding.api.common import Model, Resources
from onboarding.api.target import Site
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.place import cluster_of
from onboarding.build.revision import Revision
from onboarding.checks.totals import Totals
from onboarding.reconcile.observed.cached_object import CachedObject

_NOTHING = Totals()


class SiteKey(NamedTuple):
    """A site of a target, and the connection to its cluster."""

    cluster: str
    target: str
    site: str

    @classmethod
    def of(cls, target: str, site: Site) -> "SiteKey":
        """Return the key of a site of a target."""
        return cls(cluster_of(site), target, site.name)


class Allocation(NamedTuple):
    """The capacity that a namespace uses on a site."""

    site: SiteKey
    totals: Totals


Taken = Mapping[SiteKey, Totals]


@dataclass(frozen=True, slots=True)
class Usage:
    """The used capacity in the snapshot of one reconcile, which adds its own allocations one by one."""

    sums: Taken
    own: Mapping[ObjectKey, Taken]
    """The usage of the project's own namespaces, which is part of the sums."""

    def taken(self, site: SiteKey, *, but: ObjectKey) -> Totals:
        """Return the usage of a site except for one namespace, so that an edited environment is not counted twice."""
        return self.sums.get(site, _NOTHING) - self.own.get(but, {}).get(site, _NOTHING)

    def admitting(self, allocations: Mapping[ObjectKey, Allocation]) -> "Usage":
        """Return the usage with these allocations admitted; capacity that they free counts until the reconcile ends."""
        sums, own = dict(self.sums), dict(self.own)
        for key, allocation in allocations.items():
            former = self.own.get(key, {})
            before = former.get(allocation.site, _NOTHING)
            after = before.most(allocation.totals)
            own[key] = {**former, allocation.site: after}
            sums[allocation.site] = sums.get(allocation.site, _NOTHING) - before + after
        return Usage(sums, own)


class CapacityLedger:
    """Usage per site, updated on each event of a namespace."""

    def __init__(self, installation: str, freed: Callable[[str], None]) -> None:
        """Call ``freed`` with the name of a project that lacked capacity, when some is freed on its sites."""
        self.installation = installation
        self._freed = freed
        self._entries: dict[ObjectKey, _Entry] = {}
        self._reserved: dict[ObjectKey, dict[str, Allocation]] = {}
        self._reserved_by: dict[str, Collection[ObjectKey]] = {}
        self._sums: dict[SiteKey, Totals] = {}
        self._refused: dict[str, Taken] = {}

    def on_update(self, key: ObjectKey, live: CachedObject) -> None:
        """Update the allocation of a namespace; if its annotation cannot be read, the former allocation stays."""
        if live.owner is None or live.owner.installation != self.installation:
            self.remove(key)
            return
        known = self._entries.get(key)
        if known is not None and known.content == live.content:
            # The cache now holds these bytes; keeping the former ones would hold them twice.
            self._entries[key] = _Entry(known.allocation, live.content)
        elif (allocation := _allocation_in(key.cluster, live)) is not None:
            with self._recounting([key]):
                self._entries[key] = _Entry(allocation, live.content)

    def remove(self, key: ObjectKey) -> None:
        """Drop the allocation of a namespace that is deleted or no longer ours."""
        if key in self._entries:
            with self._recounting([key]):
                del self._entries[key]

    def remove_cluster(self, cluster: str) -> None:
        """Drop the allocations of a cluster that is no longer watched."""
        for key in [key for key in self._entries if key.cluster == cluster]:
            self.remove(key)

    def usage(self, project: str, namespaces: Iterable[ObjectKey]) -> Usage:
        """Return the current usage, for a project that has these namespaces."""
        own = {*namespaces, *self._reserved_by.get(project, ())}
        return Usage(dict(self._sums), {key: self._taken_by(key) for key in own})

    def reserve(
        self, project: str, allocations: Mapping[ObjectKey, Allocation], refused: Iterable[SiteKey] = ()
    ) -> None:
        """Reserve the allocations of a project, and drop its former reservations.

        Call it without an ``await`` after ``usage``, so that no other project is admitted in between. The ``refused``
        sites lack capacity for the project: ``freed`` is called when their usage falls. A deleted project reserves
        nothing.
        """
        self._refused[project] = {site: self._sums.get(site, _NOTHING) for site in refused}
        if not self._refused[project]:
            del self._refused[project]
        events_of = {
            key: allocation
            for key, allocation in allocations.items()
            if key not in self._entries or self._allocation(key) != allocation
        }
        if not events_of and project not in self._reserved_by:
            return
        with self._recounting({*events_of, *self._reserved_by.get(project, ())}):
            self._drop(project)
            for key, allocation in events_of.items():
                self._reserved.setdefault(key, {})[project] = self._keeping(key, allocation)
            if events_of:
                self._reserved_by[project] = events_of.keys()

    def unreserve(self, project: str) -> None:
        """Drop the reservations of a project: the namespaces that its reconcile has written count by themselves.

        Do not call it if the answer to a write of a namespace is unknown, because the write may have succeeded.
        """
        if project not in self._reserved_by:
            return
        with self._recounting(self._reserved_by[project]):
            self._drop(project)

    def _allocation(self, key: ObjectKey) -> Allocation:
        return self._entries[key].allocation

    def _keeping(self, key: ObjectKey, allocation: Allocation) -> Allocation:
        """Return an allocation no smaller than the present one of the namespace: its quota shrinks only on apply."""
        if key not in self._entries or self._allocation(key).site != allocation.site:
            return allocation
        return Allocation(allocation.site, allocation.totals.most(self._allocation(key).totals))

    def _drop(self, project: str) -> None:
        for key in self._reserved_by.pop(project, ()):
            reserved = self._reserved[key]
            del reserved[project]
            if not reserved:
                del self._reserved[key]

    def _taken_by(self, key: ObjectKey) -> Taken:
        """Return the highest usage of a namespace: the maximum of its allocation and all reservations of it."""
        taken: dict[SiteKey, Totals] = {}
        written = (self._allocation(key),) if key in self._entries else ()
        for site, totals in (*written, *self._reserved.get(key, {}).values()):
            taken[site] = taken.get(site, _NOTHING).most(totals)
        return taken

    @contextmanager
    def _recounting(self, keys: Collection[ObjectKey]) -> Iterator[None]:
        """Update the sums after the usage of these namespaces has changed; report freed capacity."""
        before = [(key, self._taken_by(key)) for key in keys]
        yield
        touched = set()
        for key, former in before:
            now = self._taken_by(key)
            for site in former.keys() | now.keys():
                touched.add(site)
                change = now.get(site, _NOTHING) - former.get(site, _NOTHING)
                self._sums[site] = self._sums.get(site, _NOTHING) + change
        for site in touched:
            if self._sums[site] == _NOTHING:
                del self._sums[site]
        self._tell(touched)

    def _tell(self, sites: Collection[SiteKey]) -> None:
        for project, seen in tuple(self._refused.items()):
            if any(site in seen and self._sums.get(site, _NOTHING).below(seen[site]) for site in sites):
                del self._refused[project]
                self._freed(project)


class _Entry(NamedTuple):
    """The allocation of a namespace by its admitted revision, with the content that it was read from."""

    allocation: Allocation
    content: bytes


class _AdmittedResources(Resources):
    """The counted resources, also of a revision that a newer operator wrote."""

    model_config = ConfigDict(extra="ignore")


class _Admitted(Model):
    """The counted part of a Revision that cannot be read as a whole, because a newer operator wrote it."""

    model_config = ConfigDict(extra="ignore")

    target: str
    site: str
    resources: _AdmittedResources


def allocations_of(revisions: Iterable[Revision]) -> dict[ObjectKey, Allocation]:
    """Return the allocations of revisions, by namespace."""
    return {
        ObjectKey(revision.cluster, NAMESPACE, "", revision.namespace): _allocation_of(
            revision.cluster, revision.target, revision.site, Totals.of(revision.resources)
        )
        for revision in revisions
    }


def _allocation_in(cluster: str, namespace: CachedObject) -> Allocation | None:
    """Return the allocation of a namespace; None if its annotation cannot be read."""
    admitted: Revision | _Admitted | None = namespace.admitted.revision
    if admitted is None:
        annotations = orjson.loads(namespace.content)["metadata"]["annotations"]
        try:
            admitted = _Admitted.model_validate_json(annotations.get(names.ANNOTATION_ADMITTED, ""))
        except ValidationError:
            return None
    return _allocation_of(cluster, admitted.target, admitted.site, Totals.of(admitted.resources))


@lru_cache(maxsize=4096)
def _allocation_of(cluster: str, target: str, site: str, totals: Totals) -> Allocation:
    """Return one Allocation for all namespaces of one size on one site."""
    return Allocation(SiteKey(cluster, target, site), totals)
