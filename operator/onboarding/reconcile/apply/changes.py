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
    """What is to be made or changed; of all else no more than others need, because it is kept till next time."""

    changes: tuple[Change, ...]
    unwanted: tuple[ObjectKey, ...]
    """What there is and nothing wants any more."""
    app_projects: tuple[AppProject, ...]


def diff_all(
    owner: Owner,
    building: tuple[Revision, ...],
    live: Mapping[ObjectKey, CachedObject],
    former_labels: frozenset[str],
    to_the_end: bool,
) -> Diff:
    """Return what makes and mends everything that is wanted for these revisions.

    ``to_the_end`` looks past the removal of Applications, which AppProjects have to wait for.
    """
    wanted = build_wanted(owner, building, {} if to_the_end else in_use(live))
    keys = {item.key for item in wanted}
    return Diff(
        tuple(diff_objects(wanted, live, former_labels)),
        tuple(key for key in live if key not in keys),
        tuple(
            AppProject(item.key, tuple(item.manifest["spec"]["sourceRepos"]))
            for item in wanted
            if item.key.kind is APP_PROJECT
        ),
    )


def find_changes(
    snapshot: Snapshot, plan: ReconcilePlan, sources: Sources, *, to_the_end: bool = False
) -> list[Change]:
    """Return the changes that bring the clusters to a plan.

    A removal takes several reconciles, as its Applications go first; ``to_the_end`` looks past them, for a preview.
    """
    if plan.newer and plan.newer.frozen:
        return []
    former = frozenset(label for revision in plan.admitted.values() if revision for label in revision.labels)
    building = plan.building
    diff = snapshot.memory.recall("", diff_all, snapshot.owner, building, snapshot.live, former, to_the_end)
    if diff.changes:
        # They hold whole manifests: too much to keep for all projects of a cluster that cannot be reached.
        snapshot.memory.forget("", diff_all)
    changes = [*diff.changes, *prune(snapshot, plan, diff.unwanted, to_the_end=to_the_end)]
    return add_logins(snapshot, plan, diff.app_projects, changes, sources)
