"""Claimed domains: those of the admitted revisions of all namespaces, plus reservations of reconciles in progress.

A namespace counts as long as it has the labels of this installation, also while it is being deleted. If one is gone
that is to be built again, its project is presumed to have the domain.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import orjson
from pydantic import ConfigDict, ValidationError

from onboarding import names
from onboarding.api.common import Model
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.revision import Revision
from onboarding.checks.domains import Claim, Since
from onboarding.reconcile.observed.cached_object import CachedObject

Domains = tuple[str, ...]


class DomainLedger:
    """Claims by domain, updated on each event of a namespace."""

    def __init__(self, installation: str, freed: Callable[[str], None]) -> None:
        """Call ``freed`` with the name of a project that lacked a domain, when the project that had it gives it up."""
        self._installation = installation
        self._freed = freed
        self._entries: dict[ObjectKey, _Entry] = {}
        self._keys: defaultdict[str, set[ObjectKey]] = defaultdict(set)
        self._reserved: dict[str, Mapping[ObjectKey, Domains]] = {}
        self._held: dict[str, frozenset[str]] = {}
        self._holders: defaultdict[str, set[str]] = defaultdict(set)
        self._waiting: dict[str, Mapping[str, str]] = {}

    def on_update(self, key: ObjectKey, live: CachedObject) -> None:
        """Update the claims of a namespace; if its annotation cannot be read, the former ones stay."""
        if live.owner is None or live.owner.installation != self._installation:
            self.remove(key)
            return
        known = self._entries.get(key)
        if known is not None and known.content == live.content:
            # The cache now holds these bytes; keeping the former ones would hold them twice.
            self._entries[key] = known._replace(content=live.content)
            return
        try:
            domains = _recorded(live)
        except ValidationError:
            return
        if known is not None and known.project != live.owner.project:
            self.remove(key)
        since = Since(live.created, key.name)
        self._entries[key] = _Entry(live.owner.project, live.environment, since, domains, live.content)
        self._keys[live.owner.project].add(key)
        self._recount(live.owner.project)

    def remove(self, key: ObjectKey) -> None:
        """Drop the claims of a namespace that is deleted or no longer ours."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._keys[entry.project].discard(key)
            if not self._keys[entry.project]:
                del self._keys[entry.project]
            self._recount(entry.project)

    def remove_cluster(self, cluster: str) -> None:
        """Drop the claims on a cluster that is no longer watched."""
        for key in [key for key in self._entries if key.cluster == cluster]:
            self.remove(key)

    def others(self, project: str, domains: Iterable[str]) -> dict[str, list[Claim]]:
        """Return the claims of other projects, by domain."""
        found = {domain: self._holders.get(domain, set()) - {project} for domain in domains}
        return {domain: [self._claim(other, domain) for other in sorted(has)] for domain, has in found.items() if has}

    def recorded(self, project: str) -> dict[str, bool]:
        """Return, by environment in place, whether its revisions record claims on all clusters."""
        found: dict[str, bool] = {}
        for key in self._keys.get(project, ()):
            entry = self._entries[key]
            found[entry.environment] = entry.domains is not None and found.get(entry.environment, True)
        return found

    def reserve(self, project: str, claims: Mapping[ObjectKey, Domains], waiting: Mapping[str, str]) -> None:
        """Reserve the claims of a project, and drop its former reservations.

        Call it without an ``await`` after ``others``, so that no other project is admitted in between. ``waiting`` are
        the domains that it lacks, each with the project that has it. A deleted project reserves nothing.
        """
        self._reserved[project] = claims
        self._waiting[project] = waiting
        if not claims:
            del self._reserved[project]
        if not waiting:
            del self._waiting[project]
        self._recount(project)
        # Also if nothing has changed: its claims may only have been presumed.
        self._tell(project)

    def unreserve(self, project: str) -> None:
        """Drop the reservations of a project: the namespaces that its reconcile has written count by themselves.

        Do not call it if the answer to a write of a namespace is unknown, because the write may have succeeded.
        """
        if self._reserved.pop(project, None):
            self._recount(project)

    def _claim(self, project: str, domain: str) -> Claim:
        entries = (self._entries[key] for key in self._keys.get(project, ()))
        since = [entry.since for entry in entries if domain in (entry.domains or ())]
        return Claim(project, min(since, key=lambda item: item.order, default=Since("", "")))

    def _all(self, project: str) -> Iterator[Domains]:
        yield from (self._entries[key].domains or () for key in self._keys.get(project, ()))
        yield from self._reserved.get(project, {}).values()

    def _recount(self, project: str) -> None:
        """Update who has which domain after the claims of a project may have changed; tell those that wait."""
        before, now = (
            self._held.pop(project, frozenset()),
            frozenset(name for item in self._all(project) for name in item),
        )
        if now:
            self._held[project] = now
        for domain in now - before:
            self._holders[domain].add(project)
        for domain in before - now:
            self._holders[domain].discard(project)
            if not self._holders[domain]:
                del self._holders[domain]
        if before - now:
            self._tell(project)

    def _tell(self, holder: str) -> None:
        """Tell the projects that wait for a domain which this one had."""
        held = self._held.get(holder, frozenset())
        for project, lacking in tuple(self._waiting.items()):
            if any(other == holder and domain not in held for domain, other in lacking.items()):
                del self._waiting[project]
                self._freed(project)


class _Entry(NamedTuple):
    """The claims of a namespace by its admitted revision, with the content that they were read from."""

    project: str
    environment: str
    since: Since
    domains: Domains | None
    """None if the revision records none."""
    content: bytes


class _Recorded(Model):
    """The claims in a Revision that cannot be read as a whole, because a newer operator wrote it."""

    model_config = ConfigDict(extra="ignore")

    domains: Domains | None = None


def _recorded(namespace: CachedObject) -> Domains | None:
    """Return the claims that an admitted revision records; ValidationError if it cannot be read."""
    if namespace.admitted.revision is not None:
        return namespace.admitted.revision.domains
    annotations = orjson.loads(namespace.content)["metadata"]["annotations"]
    return _Recorded.model_validate_json(annotations.get(names.ANNOTATION_ADMITTED, "")).domains


def claims_of(revisions: Iterable[Revision]) -> dict[ObjectKey, Domains]:
    """Return the claims of revisions, by namespace, without those that have none."""
    return {
        ObjectKey(revision.cluster, NAMESPACE, "", revision.namespace): revision.domains
        for revision in revisions
        if revision.domains
    }
