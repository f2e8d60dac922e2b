"""Checks on what an environment is delivered from: repositories, images and Argo CD's Applications."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from onboarding.api.delivery import Repository
from onboarding.api.gates import Track
from onboarding.api.status import CheckResult, Evidence
from onboarding.api.urls import scheme_of
from onboarding.checks.deployed import deployed, value_repositories
from onboarding.checks.finding import Finding, check, undecided
from onboarding.checks.inputs import ProjectInputs, RunningInputs
from onboarding.checks.probe import ImageRequest, RepositoryFacts, RepositoryRequest, Request
from onboarding.checks.several import some, worst
from onboarding.checks.workloads import facts_of, unseen

_LOGIN = ("401", "403")
_IMAGES = 20
_HEALTHY = "Healthy"


def _repositories(inputs: ProjectInputs) -> Iterator[RepositoryRequest]:
    return (_request(repository) for repository in _of_git(inputs) if not _is_ssh(repository))


@check(
    "RepositoryReachable",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="correct url, revision or path in spec.repositories[] or spec.environments[].deployments[]: they must exist "
    "in the Git server",
    reads=(
        "environments.deployments",
        "repositories.url",
        "repositories.revision",
        "repositories.path",
        "repositories.chart",
        "repositories.helm",
        "repositories.deploys",
    ),
    requests_of=_repositories,
)
def repository_reachable(inputs: ProjectInputs) -> Finding | None:
    """Every Git repository answers and has the revisions and paths that environments deploy; charts are not asked.

    A path is Unknown if the Git server does not offer partial clones (``uploadpack.allowFilter``).
    """
    return worst(_repository(inputs, repository) for repository in _of_git(inputs))


def _running(inputs: RunningInputs) -> Iterator[Request[Any]]:
    yield inputs.what_runs
    yield from map(ImageRequest, _images(inputs))


@check(
    "ImagesExist",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="push the image, for every platform of the policy; if its registry refuses the operator, have the policy "
    "name a login for it in probes.credentials",
    reads=(),
    requests_of=_running,
)
def images_exist(inputs: RunningInputs) -> Finding | None:
    """The first 20 images of what runs, by name, are in their registries, built for the platforms of the policy."""
    return unseen(inputs) or worst(_image(inputs, image) for image in _images(inputs))


@check(
    "ApplicationsHealthy",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="look at the Applications in Argo CD, and fix the trouble that they report",
    reads=("repositories",),
)
def applications_healthy(inputs: RunningInputs) -> Finding | None:
    """Argo CD reports every Application of the environment as Healthy."""
    ill = [state for state in inputs.applications if state != _HEALTHY]
    if ill:
        states = (f"{ill.count(state)} {state}" for state in set(ill))
        return Finding(f"of {inputs.repositories} Applications: {some(states)}")
    if len(inputs.applications) < inputs.repositories:
        return Finding(
            f"Argo CD has reported on {len(inputs.applications)} of {inputs.repositories} Applications",
            "see that Argo CD runs and serves the environment's AppProject",
            result=CheckResult.UNKNOWN,
        )
    return None


def _of_git(inputs: ProjectInputs) -> tuple[Repository, ...]:
    """Return what is taken from Git, once for each place there; as declared where no environment is."""
    spec = inputs.spec
    taken = {
        (repository.name, _request(repository)): repository
        for environment in spec.environments or (None,)
        for repository in (*deployed(spec, environment), *value_repositories(spec, environment))
        if repository.chart is None
    }
    return tuple(taken.values())


def _request(repository: Repository) -> RepositoryRequest:
    return RepositoryRequest(repository.url, repository.revision, repository.path)


def _is_ssh(repository: Repository) -> bool:
    return scheme_of(repository.url) == "ssh"


def _repository(inputs: ProjectInputs, repository: Repository) -> Finding | None:
    what = f"repository {repository.name}"
    if _is_ssh(repository):
        return Finding(
            f"{what}: over SSH it cannot be asked",
            "give its https URL, or have the check waived",
            result=CheckResult.UNKNOWN,
        )
    answer = inputs.answer(_request(repository))
    if answer is None or answer.facts is None:
        return undecided(answer, what)
    return _repository_facts(repository, what, answer.facts)


def _repository_facts(repository: Repository, what: str, facts: RepositoryFacts) -> Finding | None:
    if not facts.found:
        refused = facts.refusal.startswith(_LOGIN)
        host = urlsplit(repository.url).netloc
        login = f"have the policy name a login for {host} in probes.credentials, or let anybody read the repository"
        return Finding(f"{what}: {facts.refusal or 'not found'}", login if refused else "")
    if not facts.commit:
        return Finding(f"{what}: no revision {repository.revision}")
    if not facts.path_found:
        return Finding(f"{what}: no path {repository.path} in revision {repository.revision}")
    return None


def _images(inputs: RunningInputs) -> list[str]:
    """Return the first distinct images of what runs, as far as that is known, by name."""
    facts = facts_of(inputs)
    workloads = facts.workloads if facts else ()
    return sorted({container.image for workload in workloads for container in workload.containers})[:_IMAGES]


def _image(inputs: RunningInputs, image: str) -> Finding | None:
    # Written out, because nobody checks which characters an image is made of.
    what = f"image {image!r}"
    answer = inputs.project.answer(ImageRequest(image))
    if answer is None or answer.facts is None:
        return undecided(answer, what)
    if not answer.facts.found:
        return Finding(f"{what}: not in its registry")
    missing = set(inputs.project.policy.workloads.platforms) - set(answer.facts.platforms)
    return Finding(f"{what}: not built for {some(missing)}") if missing else None
