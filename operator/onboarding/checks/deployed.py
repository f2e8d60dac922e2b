"""What environments deploy of the repositories of their project; pure."""

from typing import Any

from onboarding.api.delivery import ENVIRONMENT, Deployment, Helm, Repository
from onboarding.api.project import Environment, ProjectOnboardingSpec


def deployed(spec: ProjectOnboardingSpec, environment: Environment | None) -> tuple[Repository, ...]:
    """Return the repositories that get an Application, by name, as an environment has them; None changes nothing."""
    here = (_here(repository, environment) for repository in spec.repositories if repository.deploys)
    return tuple(sorted(here, key=lambda repository: repository.name))


def value_repositories(spec: ProjectOnboardingSpec, environment: Environment | None) -> tuple[Repository, ...]:
    """Return the repositories that hold value files of deployed ones, by name, with no more than that takes."""
    wanted = {repository.values_from for repository in deployed(spec, environment)}
    known = (repository for repository in spec.repositories if repository.name in wanted)
    here = (_reference(_here(repository, environment)) for repository in known)
    return tuple(sorted(here, key=lambda repository: repository.name))


def _here(repository: Repository, environment: Environment | None) -> Repository:
    """Return a repository with what an environment changes of it."""
    if environment is None:
        return repository
    change = next((item for item in environment.deployments if item.repository == repository.name), None)
    if change is None and repository.helm is None:
        return repository
    change = change or Deployment(repository=repository.name)
    return repository.model_copy(
        update={
            "revision": change.revision or repository.revision,
            "path": change.path or repository.path,
            "helm": _helm(repository.helm or Helm(), change, environment.name),
        }
    )


def _helm(helm: Helm, change: Deployment, environment: str) -> Helm | None:
    """Return the values of Helm in an environment; None if there are none."""
    files = tuple(file.replace(ENVIRONMENT, environment) for file in change.value_files or helm.value_files)
    update: dict[str, Any] = {"value_files": files}
    if not files:
        update["values_repository"] = None
    here = helm.model_copy(update=update)
    return None if here == Helm() else here


def _reference(repository: Repository) -> Repository:
    return Repository(
        name=repository.name,
        url=repository.url,
        revision=repository.revision,
        credentials=repository.credentials,
    )
