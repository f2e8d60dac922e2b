"""Removals under the deletion policy Delete, and the decisions that confirm them; pure.

A ConfirmDelete decision names a digest over cluster, namespace and UID of every namespace that would be deleted. Before
anything is deleted, each of these namespaces is marked by an annotation with that digest and its own UID. So the
decision goes on counting for those that are left while the set shrinks, also after a restart, and for no other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.place import Place
from onboarding.reconcile.gates.decisions import Decisions
from onboarding.reconcile.gates.digest import hashed
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.dated import DatedDecision, moment_of
from onboarding.reconcile.observed.project_sites import hidden_from_teardown
from onboarding.reconcile.observed.snapshot import Snapshot

Namespaces = Mapping[ObjectKey, CachedObject]


class Removal(NamedTuple):
    """The namespaces whose deletion waits for a decision."""

    environment: str
    """Environment that is removed; the empty string if the project is."""
    namespaces: tuple[ObjectKey, ...]
    hidden: tuple[str, ...]
    """Sites that cannot be read, each with the problem: the digest waits for them."""
    digest: str
    """Digest that the decision has to name; the empty string while a site is hidden."""


@dataclass(frozen=True)
class Confirmation:
    """A removal with what confirms it: of the project or, while that is not being deleted, of one environment."""

    environment: str
    """The empty string for the project."""
    present: Namespaces
    """The namespaces of the removal, also those that are being deleted."""
    decisions: tuple[DatedDecision, ...]
    """The decisions that may confirm it."""
    hidden: tuple[str, ...] = ()
    """Sites that cannot be read, each with the problem."""

    @cached_property
    def unmarked(self) -> Namespaces:
        """The namespaces that no decision confirms, neither by its mark on them nor by having come after them."""
        return {
            key: item
            for key, item in self.present.items()
            if not item.deleting and not any(_confirms(decision, item) for decision in self.decisions)
        }

    @cached_property
    def marks(self) -> Mapping[ObjectKey, str]:
        """The annotation to write on each unmarked namespace if a decision names them all; else none.

        With those that carry its mark already they are the set that the decision names: nothing of a set is deleted
        before all of it is marked.
        """
        if self.hidden:
            return {}
        for decision in self.decisions:
            marked = {key: item for key, item in self.present.items() if _marked(decision, item)}
            if self.unmarked and decision.digest == digest_of({**marked, **self.unmarked}):
                return {key: _mark(decision, item) for key, item in self.unmarked.items()}
        return {}

    @property
    def begun(self) -> bool:
        """Whether a decision confirms something of the removal that is still there."""
        confirmed = (_confirms(decision, item) for decision in self.decisions for item in self.present.values())
        return any(confirmed) or any(decision.digest is None for decision in self.decisions)

    @property
    def paused(self) -> bool:
        """Whether a removal that a decision confirms waits: for its marks, or for a site that cannot be read."""
        marked = (_marked(decision, item) for decision in self.decisions for item in self.present.values())
        return bool(self.marks) or (bool(self.hidden) and any(marked))

    def waits(self, environment: str) -> bool:
        """Return whether the removal of an environment waits for a decision."""
        if self.hidden and not self.begun:
            return True
        if self.paused:
            return False
        return any(item.environment == environment for item in self.unmarked.values())

    @property
    def removal(self) -> Removal:
        """The namespaces that wait for a decision."""
        digest = "" if self.hidden else digest_of(self.unmarked)
        return Removal(self.environment, tuple(sorted(self.unmarked, key=str)), self.hidden, digest)

    def deletes(self, environment: str) -> bool:
        """Return whether everything that an environment has in this removal is confirmed, or being deleted already."""
        own = [key for key, item in self.present.items() if item.environment == environment]
        return bool(own) and not self.waits(environment) and not ({*own} & self.unmarked.keys() - self.marks.keys())


def confirmation(snapshot: Snapshot, decisions: Decisions, environment: str, places: Iterable[Place]) -> Confirmation:
    """Return what confirms that an environment is removed from some places.

    While the project is being deleted it is the same for all environments: everything that the project has.
    """
    whole, leaving = snapshot.project.deleting, {*places}
    present = {
        key: item
        for key, item in snapshot.live.items()
        if key.kind is NAMESPACE and (whole or Place(item.environment, key.cluster) in leaving)
    }
    hidden = tuple(dict.fromkeys(item.problem for item in hidden_from_teardown(snapshot)))
    return Confirmation("" if whole else environment, present, tuple(_of(decisions, environment, whole=whole)), hidden)


def digest_of(namespaces: Namespaces) -> str:
    """Return the digest of a set of namespaces, which a decision to delete them has to name."""
    named = sorted([key.cluster, key.name, item.uid] for key, item in namespaces.items())
    return hashed({"deletes": named})


def _of(decisions: Decisions, environment: str, *, whole: bool) -> Iterator[DatedDecision]:
    """Yield the decisions that may confirm a removal; one about an environment never confirms the project's."""
    for decision in decisions.confirmations:
        if decision.environment is None or (decision.environment == environment and not whole):
            yield decision


def _confirms(decision: DatedDecision, item: CachedObject) -> bool:
    """Return whether a decision confirms a namespace: by its mark or, without a digest, by having come after it."""
    if decision.digest is not None:
        return _marked(decision, item)
    return bool(item.created) and moment_of(item.created) <= moment_of(decision.created)


def _marked(decision: DatedDecision, item: CachedObject) -> bool:
    return decision.digest is not None and item.confirmed == _mark(decision, item)


def _mark(decision: DatedDecision, item: CachedObject) -> str:
    """Return the annotation of a namespace; its UID is in it, so that a copy of the namespace is not confirmed."""
    return f"{decision.digest}/{item.uid}"
