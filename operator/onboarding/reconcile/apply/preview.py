"""Preview of the changes that ``mode: Apply`` would make, compared with the objects that exist under their names."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from onboarding.build.kinds import NAMESPACE, ChildKind, Manifest, ObjectKey
from onboarding.build.revision import Owner
from onboarding.errors import OnboardingError
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.apply.ownership import (
    DETACHED_KINDS,
    Whose,
    conflict,
    former,
    is_proven,
    restaged,
    unproven,
    whose,
)
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of, key_of
from onboarding.reconcile.observed.ports import Cluster
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan


class Verb(StrEnum):
    """The meaning of a line of the preview; the order is that of the lines."""

    CONFLICT = "conflict"
    """An object that is not ours has the name; it would be left alone."""
    BLOCKED = "blocked"
    """The object would be created in a namespace that is not ours."""
    UNKNOWN = "unknown"
    """The cluster gives no answer."""
    WAIT = "wait"
    """The object of that name is being deleted."""
    TAKE_BACK = "take back"
    CREATE = "create"
    CHANGE = "change"
    REPLACE = "replace"
    DETACH = "detach"
    DELETE = "delete"


class PreviewLine(NamedTuple):
    """One object that Apply would write, or could not write."""

    verb: Verb
    key: ObjectKey
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan and the changes of ``mode: Apply``."""

    plan: ReconcilePlan
    lines: tuple[PreviewLine, ...] = ()
    existing: tuple[str, ...] = ()
    """The objects in each existing namespace of the plan that is not managed yet: one sentence per namespace."""


async def preview_changes(
    owner: Owner, plan: ReconcilePlan, changes: Iterable[Change], clusters: Mapping[str, Cluster]
) -> Preview:
    """Return the preview: each create is compared with the object that exists under its name.

    Objects in a namespace that Apply would create are not looked up, because nothing can be there.
    """
    ordered = list(changes)
    world = _World(owner, clusters)
    spaces = {item.key: world.namespace(item) for item in ordered if _creates(item) and item.key.kind is NAMESPACE}
    existing = await asyncio.gather(*(world.list_contents(key) for key, line in spaces.items() if world.may_list(line)))
    lines = [spaces.get(item.key) or await world.line(item, spaces) for item in ordered]
    verbs = list(Verb)
    return Preview(plan, tuple(sorted(lines, key=lambda line: verbs.index(line.verb))), tuple(filter(None, existing)))


@dataclass(slots=True)
class _World:
    """What exists on the clusters under the names of desired objects."""

    owner: Owner
    clusters: Mapping[str, Cluster]
    contents: dict[ObjectKey, CachedObject] = field(default_factory=dict)
    """The listed objects of existing namespaces."""
    unlisted: dict[ObjectKey, str] = field(default_factory=dict)
    """The existing namespaces that could not be listed, with the reasons."""

    def namespace(self, change: Change) -> PreviewLine:
        """Return the line of a namespace to create; every namespace of a cluster is in its cache."""
        if unseen := self._unseen(change):
            return unseen
        return self._meet(change, self.clusters[change.key.cluster].follow(change.key, self.owner.project))

    def may_list(self, line: PreviewLine) -> bool:
        """Return whether a namespace exists whose contents the project may see: not that of another project."""
        live = self.clusters[line.key.cluster].cached(line.key) if line.key.cluster in self.clusters else None
        return line.verb in (Verb.CONFLICT, Verb.TAKE_BACK) and live is not None and live.owner is None

    async def list_contents(self, namespace: ObjectKey) -> str:
        """List the quotas, limits, network policies and bindings of a namespace; return them as a sentence."""
        found: list[str] = []
        cluster = self.clusters[namespace.cluster]
        try:
            for kind in DETACHED_KINDS:
                items = await cluster.list_in(kind, namespace.name)
                found += self._keep(namespace, kind, items)
        except OnboardingError as error:
            self.unlisted[namespace] = str(error)
            return f"the contents of {namespace} are unknown: {error}"
        return f"{namespace} holds {'; '.join(found)}" if found else ""

    async def line(self, change: Change, spaces: Mapping[ObjectKey, PreviewLine]) -> PreviewLine:
        """Return the line of a change of any other kind."""
        if not _creates(change):
            return PreviewLine(Verb(change.action.value), change.key, str(change))
        if unseen := self._unseen(change):
            return unseen
        around = spaces.get(ObjectKey(change.key.cluster, NAMESPACE, "", change.key.namespace))
        if around is not None and (around.verb is not Verb.TAKE_BACK or change.key.kind in DETACHED_KINDS):
            return self._inside(change, around)
        try:
            return self._meet(change, await self._read(change.key))
        except OnboardingError as error:
            return PreviewLine(Verb.UNKNOWN, change.key, f"{change}: {error}")

    def _inside(self, change: Change, around: PreviewLine) -> PreviewLine:
        """Return the line of an object in a namespace that is not ours yet, given the line of that namespace."""
        if around.verb is not Verb.TAKE_BACK:
            blocked = around.verb is Verb.CONFLICT
            return PreviewLine(Verb.BLOCKED if blocked else Verb.CREATE, change.key, str(change))
        if why := self.unlisted.get(around.key):
            return PreviewLine(Verb.UNKNOWN, change.key, f"{change}: {why}")
        return self._meet(change, self.contents.get(change.key))

    def _keep(self, namespace: ObjectKey, kind: ChildKind, items: Sequence[Manifest]) -> list[str]:
        live = [cached_object_of(kind, item) for item in items]
        keys = [key_of(namespace.cluster, kind, item) for item in items]
        self.contents.update(zip(keys, live, strict=True))
        return [f"{kind.kind} {', '.join(sorted(key.name for key in keys))}"] if keys else []

    def _unseen(self, change: Change) -> PreviewLine | None:
        """Return the line of an object on a cluster that cannot be seen; None if it can."""
        cluster = self.clusters.get(change.key.cluster)
        problem = cluster.state.problem if cluster else "no connection is configured"
        return PreviewLine(Verb.UNKNOWN, change.key, f"{change}: {problem}") if problem else None

    async def _read(self, key: ObjectKey) -> CachedObject | None:
        manifest = await self.clusters[key.cluster].read(key)
        return cached_object_of(key.kind, manifest) if manifest else None

    def _meet(self, change: Change, live: CachedObject | None) -> PreviewLine:
        """Return the line of a create that meets this object."""
        key = change.key
        if live is None:
            return PreviewLine(Verb.CREATE, key, str(change))
        who = whose(self.owner, change.environment, live)
        if why := self._conflict(change, live, who):
            return PreviewLine(Verb.CONFLICT, key, why)
        if live.deleting:
            return PreviewLine(Verb.WAIT, key, f"{key} is being deleted; it is created after that")
        verb = Verb.CHANGE if who is Whose.OURS else Verb.TAKE_BACK
        return PreviewLine(verb, key, f"{verb} {key}")

    def _conflict(self, change: Change, live: CachedObject, who: Whose) -> str:
        """Return why an object would be left alone; the empty string if it would not."""
        key = change.key
        if who is Whose.FORMER:
            return former(key, live)
        if who is Whose.SOMEBODY:
            return conflict(key, live)
        if who is Whose.OURS or key.kind is not NAMESPACE or live.deleting:
            return ""
        proven = is_proven(self.owner, change.environment, key, live, self.clusters[key.cluster])
        if not proven:
            return unproven(key)
        return restaged(key, change.body, live) if change.body else ""


def _creates(change: Change) -> bool:
    return change.action is Action.CREATE
