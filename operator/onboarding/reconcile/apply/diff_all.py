"""What makes a project's objects what they shall be: everything is built from its revisions, and compared; pure."""

from collections.abc import Mapping
from typing import NamedTuple

from onboarding.build.kinds import APP_PROJECT, ObjectKey
from onboarding.build.revision import Owner, Revision
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.diff import Change, diff_objects
from onboarding.reconcile.apply.prune import in_use
from onboarding.reconcile.observed.cached_object import CachedObject


class AppProject(NamedTuple):
    """A wanted AppProject, as the logins of its repositories see it."""

    key: ObjectKey
    repositories: tuple[str, ...]


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
