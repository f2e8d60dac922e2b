"""What an environment deploys, and when: its repositories and windows, resolved for its revision; pure."""

from typing import Any

from onboarding.api.delivery import ENVIRONMENT, Deployment, Helm, PlatformWindow, Repository, Window, WindowKind
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.revision import Revision
from onboarding.checks.inputs import EnvironmentInputs
from onboarding.checks.windows import platform_windows


def deployed(inputs: EnvironmentInputs) -> tuple[Repository, ...]:
    """Return the repositories that get an Application, by name, as this environment deploys them."""
    here = (_here(inputs, repository) for repository in inputs.spec.repositories if repository.deploys)
    return tuple(sorted(here, key=lambda repository: repository.name))


def value_repositories(inputs: EnvironmentInputs) -> tuple[Repository, ...]:
    """Return the repositories that hold value files of deployed ones, by name, with no more than that takes."""
    known = {repository.name: repository for repository in inputs.spec.repositories}
    rendered = (_here(inputs, repository) for repository in known.values() if repository.deploys and repository.helm)
    wanted = {name for repository in rendered if (name := _values_of(repository))}
    return tuple(_reference(_here(inputs, known[name])) for name in sorted(wanted))


def windows(inputs: EnvironmentInputs) -> tuple[Window, ...]:
    """Return the windows of an environment and of the platform, weighed up.

    Argo CD syncs inside any window of kind Allow. So where an environment has such windows of its own, which lie within
    the platform's, the platform's are left out, or they would undo them. And it lets a person sync at any time inside a
    window of kind Deny that says so. So a project's window says so only where all the platform's of kind Allow do.
    """
    theirs = [_plain(window) for window in platform_windows(inputs)]
    manual = all(window.manual for window in theirs if window.kind is WindowKind.ALLOW)
    ours = [
        window.model_copy(update={"manual": window.manual and manual}) for window in inputs.environment.release_windows
    ]
    if any(window.kind is WindowKind.ALLOW for window in ours):
        theirs = [window for window in theirs if window.kind is WindowKind.DENY]
    return tuple(sorted((*theirs, *ours), key=lambda item: (item.kind, item.schedule, item.duration, item.time_zone)))


def still_declared(revision: Revision, spec: ProjectOnboardingSpec) -> dict[str, Any]:
    """Return the repositories of an admitted revision that the spec still names, as values for the revision.

    A repository goes with the one that holds its value files: nobody declares any more what it would be without them.
    """
    declared = {(repository.name, repository.url) for repository in spec.repositories}
    values = {item.name for item in revision.value_repositories if (item.name, item.url) in declared}
    kept = tuple(
        repository
        for repository in revision.repositories
        if (repository.name, repository.url) in declared and {*filter(None, [_values_of(repository)])} <= values
    )
    needed = {_values_of(repository) for repository in kept}
    return {
        "repositories": kept,
        "value_repositories": tuple(item for item in revision.value_repositories if item.name in needed),
    }


def _here(inputs: EnvironmentInputs, repository: Repository) -> Repository:
    """Return a repository with what its environment changes of it."""
    change = next((item for item in inputs.environment.deployments if item.repository == repository.name), None)
    if change is None and repository.helm is None:
        return repository
    change = change or Deployment(repository=repository.name)
    helm = repository.helm or Helm()
    files = change.value_files or helm.value_files
    named = tuple(file.replace(ENVIRONMENT, inputs.environment.name) for file in files)
    helm = helm.model_copy(update={"value_files": named, **({} if named else {"values_repository": None})})
    return repository.model_copy(
        update={
            "revision": change.revision or repository.revision,
            "path": change.path or repository.path,
            "helm": None if helm == Helm() else helm,
        }
    )


def _values_of(repository: Repository) -> str:
    """Return the name of the repository that holds the value files of another one; '' where that holds its own."""
    return (repository.helm.values_repository or "") if repository.helm else ""


def _reference(repository: Repository) -> Repository:
    return Repository(
        name=repository.name,
        url=repository.url,
        revision=repository.revision,
        credentials=repository.credentials,
    )


def _plain(window: PlatformWindow) -> Window:
    """Return a window of the platform without what says which environments it is for."""
    values = {name: getattr(window, name) for name in Window.model_fields}
    return Window.model_construct(**{**values, "description": window.description or window.name})
