"""The changes of a plan: objects to create or patch, to prune, and repository Secrets to write; pure."""

from collections.abc import Mapping
from typing import NamedTuple

from onboarding.build.credentials import Sources
from onboarding.build.kinds import APP_PROJECT, ObjectKey
from onboarding.build.revision import Owner, Revision
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.diff import Change, diff_objects
from onboarding.reconcile.apply.prune import in_use, prune
from onboarding.reconcile.apply.repository_secrets import AppProject, add_logins
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan


class Diff(NamedTuple):
    """The difference between the desired objects of a plan and the live ones."""

    changes: tuple[Change, ...]
    """Creates and patches of the desired objects."""
    unwanted: tuple[ObjectKey, ...]
    """The live objects that no revision builds."""
    app_projects: tuple[AppProject, ...]


class DiffInputs(NamedTuple):
    """The inputs of a diff, and nothing else."""

    owner: Owner
    building: tuple[Revision, ...]
    live: Mapping[ObjectKey, CachedObject]
    former_labels: frozenset[str]
    """Label keys of the project that its admitted revisions put on namespaces."""
    suspended: frozenset[str] = frozenset()
    """The environments that are suspended."""

    @property
    def compared(self) -> tuple[object, ...]:
        """The inputs without the parts of live objects that a diff does not read, such as the status."""
        contents = {key: item.content for key, item in self.live.items()}
        deleting = frozenset(key for key, item in self.live.items() if item.deleting)
        return self.owner, self.building, contents, deleting, self.former_labels, self.suspended


class DiffCache:
    """Memoizes the diff of each project from one reconcile to the next, until one of its inputs changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[object, ...], Diff]] = {}
        self._removing: dict[str, bool] = {}
        """Whether the last diff of each project had objects to remove."""
        self._suspended: dict[str, frozenset[str]] = {}
        """The environments that were suspended in the last diff of each project that had no changes."""

    def diff(self, inputs: DiffInputs) -> Diff:
        """Return the diff of a project; a diff with changes is not cached, because changes hold whole manifests."""
        project, compared = inputs.owner.project, inputs.compared
        known = self._known.pop(project, None)
        diff = known[1] if known and known[0] == compared else diff_all(inputs)
        self._removing[project] = bool(diff.unwanted)
        if not diff.changes or project not in self._suspended:
            self._suspended[project] = inputs.suspended
        if not diff.changes:
            self._known[project] = compared, diff
        return diff

    def settled(self, project: str, suspended: frozenset[str] = frozenset()) -> bool:
        """Return whether the last diff had nothing to remove, and the same is suspended as is in place."""
        return self._removing.get(project) is False and self._suspended.get(project) == suspended

    def forget(self, project: str) -> None:
        """Drop the diff of a deleted project."""
        self._known.pop(project, None)
        self._removing.pop(project, None)
        self._suspended.pop(project, None)


def diff_all(inputs: DiffInputs, *, to_the_end: bool = False) -> Diff:
    """Return the diff of all objects of a project; ``to_the_end`` ignores that Applications are pruned first."""
    live = inputs.live
    wanted = build_wanted(inputs.owner, inputs.building, {} if to_the_end else in_use(live), inputs.suspended)
    keys = {item.key for item in wanted}
    return Diff(
        tuple(diff_objects(wanted, live, inputs.former_labels)),
        tuple(key for key in live if key not in keys),
        tuple(
            AppProject(item.key, tuple(item.manifest["spec"]["sourceRepos"]))
            for item in wanted
            if item.key.kind is APP_PROJECT
        ),
    )


def find_changes(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    sources: Sources,
    cache: DiffCache | None = None,
    *,
    to_the_end: bool = False,
) -> list[Change]:
    """Return the changes that bring the clusters to a plan.

    A removal takes several reconciles, because Applications are pruned first; ``to_the_end`` returns the changes of all
    of them, for a preview.
    """
    if plan.frozen:
        return []
    former = frozenset(label for revision in plan.admitted.values() if revision for label in revision.labels)
    inputs = DiffInputs(snapshot.owner, plan.building, snapshot.live, former, plan.suspended)
    diff = cache.diff(inputs) if cache and not to_the_end else diff_all(inputs, to_the_end=to_the_end)
    changes = [*diff.changes, *prune(snapshot, plan, diff.unwanted, to_the_end=to_the_end)]
    return add_logins(snapshot, plan, diff.app_projects, changes, sources)
