"""Checks on the repositories that a project names: allowed by the platform, known, and with logins that fit."""

import re
from collections.abc import Iterator
from typing import Final

from onboarding.api.delivery import CredentialKind, Repository, RepositoryCredential
from onboarding.api.gates import Track
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.status import Evidence
from onboarding.api.text import choose, listed
from onboarding.api.urls import UrlError, address_of, lies_under, reservation_depth, scheme_of
from onboarding.checks.deployed import deployed, value_repositories
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import EnvironmentDeclaration

_READABLE: Final = "write it with a full host name and plain folders, such as https://git.example.org/team/app.git"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_VERSION: Final = re.compile(r"v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?")


@check(
    "RepositoryNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="move the repository to a host that the policy allows, or ask the platform team to allow this one",
    reads=("repositories.url",),
)
def repositories_are_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every repository has a URL with one meaning, and lies under a prefix of the policy if that has any.

    URLs are compared in one form, folder by folder; the case of a path counts.
    """
    allowed = inputs.policy.delivery.repository_prefixes
    for repository in inputs.spec.repositories:
        if problem := _unreadable(repository.url):
            return Finding(f"repository {repository.name}: {repository.url} cannot be compared: {problem}", _READABLE)
        if not _lies_under_any(repository.url, allowed):
            return Finding(
                f"repository {repository.name}: {repository.url} is not allowed",
                f"use a repository under one of: {listed(allowed)}; or ask the platform team to allow this one",
            )
    return None


@check(
    "RepositoryUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="name a repository of spec.repositories[]",
    reads=(
        "environments.deployments",
        "repositories.name",
        "repositories.deploys",
        "repositories.chart",
        "repositories.helm",
    ),
)
def repositories_are_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """Deployments and charts name repositories of the project; value files come from a Git repository."""
    known = {repository.name: repository for repository in inputs.spec.repositories}
    for deployment in inputs.environment.deployments:
        if deployment.repository not in known:
            return Finding(
                f"deployments[{deployment.repository}]: the project has no such repository",
                choose(known),
            )
    git = {name for name, repository in known.items() if repository.chart is None}
    for repository in inputs.spec.repositories:
        values = repository.values_from
        if values and values not in git:
            found = "holds charts and no files" if values in known else "is none of the project"
            return Finding(
                f"repository {repository.name}: helm.valuesRepository {values!r} {found}",
                choose(git),
            )
    return None


@check(
    "RevisionMoves",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="name a commit by its 40 hexadecimal digits, or a chart by its exact version such as 1.2.3, in "
    "spec.environments[].deployments[].revision: a branch, a tag and a range move under an approval",
    reads=(
        "environments.deployments",
        "environments.stage",
        "repositories.revision",
        "repositories.chart",
        "repositories.helm",
        "repositories.deploys",
    ),
)
def revisions_are_pinned(inputs: EnvironmentDeclaration) -> Finding | None:
    """In a pinned stage, repositories are deployed at a full commit, and charts at an exact version."""
    if inputs.stage is None or not inputs.stage.pinned:
        return None
    where = (inputs.spec, inputs.environment)
    for repository in (*deployed(*where), *value_repositories(*where)):
        exact = _VERSION if repository.chart else _COMMIT
        if not exact.fullmatch(repository.revision):
            return Finding(f"repository {repository.name}: revision {repository.revision!r} can move")
    return None


@check(
    "DeploymentUnfit",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="remove the fields from spec.environments[].deployments[] that do not apply to its repository",
    reads=("environments.deployments", "repositories.name", "repositories.chart", "repositories.recurse"),
)
def deployments_fit(inputs: EnvironmentDeclaration) -> Finding | None:
    """A deployment fits its repository: no path for a chart, no value files for plain manifests."""
    known = {repository.name: repository for repository in inputs.spec.repositories}
    for deployment in inputs.environment.deployments:
        repository = known.get(deployment.repository)
        if repository is None:
            continue
        if repository.chart and deployment.path:
            return Finding(f"deployments[{deployment.repository}].path: a chart of a Helm repository has no path")
        if repository.chart and deployment.revision == "HEAD":
            return Finding(f"deployments[{deployment.repository}].revision: a chart has no HEAD: give its version")
        if repository.recurse and deployment.value_files:
            return Finding(f"deployments[{deployment.repository}].valueFiles: recurse is for plain manifests, not Helm")
    return None


@check(
    "CredentialUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="set spec.repositories[].credentials to a login of the policy",
    reads=("repositories.credentials",),
)
def credentials_are_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every login that a repository names is one of the policy's."""
    known = {login.name for login in inputs.policy.delivery.credentials}
    for repository in inputs.spec.repositories:
        if repository.credentials and repository.credentials not in known:
            return Finding(
                f"repository {repository.name}: login {repository.credentials!r} is not in the policy",
                f"{choose(_usable(inputs, repository))}; or leave credentials out",
            )
    return None


@check(
    "CredentialNotAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="name a login that is for this project and this URL, or ask the platform team for one",
    reads=("repositories.credentials", "repositories.url"),
)
def credentials_are_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """The project may use every login that it names, and the login is for the URL of the repository."""
    logins = {login.name: login for login in inputs.policy.delivery.credentials}
    for repository in inputs.spec.repositories:
        login = logins.get(repository.credentials or "")
        if login and (reason := _refusal(inputs, login, repository)):
            return Finding(
                f"repository {repository.name}: login {login.name!r} {reason}",
                f"{choose(_usable(inputs, repository))}; or ask the platform team for a login",
            )
    return None


@check(
    "RepositoryReserved",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="use a repository of your own, or ask the platform team to add the project to a login for this one",
    reads=("repositories.url",),
)
def repositories_are_open_to_the_project(inputs: EnvironmentDeclaration) -> Finding | None:
    """No repository lies under a login that is for other projects only, in whichever spelling, protocol and port.

    Argo CD keeps what it has fetched by URL, and shows it to whoever names that URL, with a login or without.
    """
    for repository in inputs.spec.repositories:
        if logins := _reserved(inputs.policy, inputs.project.name, repository.url):
            told = f"is read with a login of other projects: {listed(logins)}"
            return Finding(f"repository {repository.name}: {repository.url} {told}")
    return None


def may_be_named(policy: OnboardingPolicySpec, project: str, url: str) -> bool:
    """Return whether the policy lets a project name a URL: it lies under a prefix, and is not reserved for others."""
    if _unreadable(url):
        return False
    return _lies_under_any(url, policy.delivery.repository_prefixes) and not _reserved(policy, project, url)


def _unreadable(url: str) -> str:
    """Return why a URL has no form in which it can be compared; the empty string if it has one."""
    try:
        address_of(url)
    except UrlError as error:
        return str(error)
    return ""


def _lies_under_any(url: str, allowed: tuple[str, ...]) -> bool:
    return not allowed or any(lies_under(url, prefix) for prefix in allowed)


def _reserved(policy: OnboardingPolicySpec, project: str, url: str) -> set[str]:
    """Return the logins of the narrowest prefix around a URL, where none of them is for the project.

    None is around a URL without a form: such a one is not allowed anyway.
    """
    if _unreadable(url):
        return set()
    found: dict[int, list[RepositoryCredential]] = {}
    for login in policy.delivery.credentials:
        for prefix in login.prefixes:
            if (depth := reservation_depth(url, prefix)) is not None:
                found.setdefault(depth, []).append(login)
    narrowest = found[max(found)] if found else []
    return set() if any(_is_for(project, login) for login in narrowest) else {login.name for login in narrowest}


def _is_for(project: str, login: RepositoryCredential) -> bool:
    return not login.projects or project in login.projects


def _usable(inputs: EnvironmentDeclaration, repository: Repository) -> Iterator[str]:
    logins = inputs.policy.delivery.credentials
    return (login.name for login in logins if not _refusal(inputs, login, repository))


def _refusal(inputs: EnvironmentDeclaration, login: RepositoryCredential, repository: Repository) -> str:
    """Return why a repository may not use a login; the empty string where it may."""
    if not _is_for(inputs.project.name, login):
        return "is for other projects"
    if (login.kind is CredentialKind.SSH) != (scheme_of(repository.url) == "ssh"):
        return f"is for {login.kind.value}, and {repository.url} is not"
    if not any(lies_under(repository.url, prefix) for prefix in login.prefixes):
        return f"is not for {repository.url}"
    return ""
