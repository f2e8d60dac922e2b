"""Repositories, images and Applications: what is missing is named, and what could not be asked is no failure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.status import CheckResult
from onboarding.checks import delivery
from onboarding.checks.inputs import ProjectInputs
from onboarding.checks.probe import (
    ImageFacts,
    ImageRequest,
    RepositoryFacts,
    RepositoryRequest,
    WorkloadsFacts,
)
from tests.unit.running import APP, GOOD, WEB, WHAT_RUNS, answered, policy_with, running
from tests.unit.snapshots import GIT, environment, project_inputs, spec_of

SSH = "git@git.example.org:shop.git"
THERE = RepositoryFacts(found=True, commit="c" * 40, path_found=True)
REFUSED = RepositoryFacts(found=False, refusal="401 Unauthorized")
REPOSITORIES: dict[str, tuple[RepositoryFacts, str, str]] = {
    "a login refused": (
        REFUSED,
        "repository app: 401 Unauthorized",
        "have the policy name a login for git.example.org in probes.credentials, or let anybody read the repository",
    ),
    "no repository": (RepositoryFacts(found=False, refusal="404 Not Found"), "repository app: 404 Not Found", ""),
    "no repository, without a word": (RepositoryFacts(found=False), "repository app: not found", ""),
    "no revision": (RepositoryFacts(found=True), "repository app: no revision v1", ""),
    "no path": (replace(THERE, path_found=False), "repository app: no path deploy in revision v1", ""),
}
IMAGE = ImageRequest(APP.image)
BOTH = policy_with(platforms=["linux/amd64", "linux/arm64"])
BUILT = ImageFacts(found=True, digest="sha256:0", platforms=("linux/amd64", "linux/arm64"))


def repository(name: str, url: str = GIT) -> dict[str, str]:
    return {"name": name, "url": url, "revision": "v1", "path": "deploy"}


def project(*repositories: Mapping[str, str], answers: Any = None) -> ProjectInputs:
    return project_inputs(spec_of(repositories=list(repositories)), answers)


def asked(url: str = GIT) -> RepositoryRequest:
    return RepositoryRequest(url, "v1", "deploy")


def test_a_repository_with_its_revision_and_path_passes() -> None:
    inputs = project(repository("app"), answers={asked(): answered(THERE)})
    assert tuple(delivery.repository_reachable.requests_of(inputs)) == (asked(),)
    assert delivery.repository_reachable.run(inputs) is None


def test_a_project_without_repositories_passes() -> None:
    assert delivery.repository_reachable.run(project()) is None


@pytest.mark.parametrize(("facts", "message", "remedy"), REPOSITORIES.values(), ids=REPOSITORIES)
def test_what_a_repository_lacks_is_named(facts: RepositoryFacts, message: str, remedy: str) -> None:
    finding = delivery.repository_reachable.run(project(repository("app"), answers={asked(): answered(facts)}))
    assert finding is not None
    assert (finding.message, finding.remedy, finding.result) == (message, remedy, CheckResult.FAIL)


def test_a_repository_over_ssh_is_not_asked_and_unknown() -> None:
    inputs = project(repository("app", SSH))
    assert tuple(delivery.repository_reachable.requests_of(inputs)) == ()
    finding = delivery.repository_reachable.run(inputs)
    assert finding is not None
    assert (finding.message, finding.result) == ("repository app: over SSH it cannot be asked", CheckResult.UNKNOWN)


def test_a_failure_comes_before_what_is_not_known_yet() -> None:
    other = f"{GIT}2"
    some = project(
        repository("waits", f"{GIT}1"),
        repository("gone", other),
        repository("ssh", SSH),
        answers={asked(other): answered(REFUSED)},
    )
    results = []
    for inputs in (some, replace(some, answers={asked(other): answered(THERE)}), project(repository("waits"))):
        finding = delivery.repository_reachable.run(inputs)
        assert finding is not None
        results.append((finding.message.split(":")[0], finding.result))
    assert results == [
        ("repository gone", CheckResult.FAIL),
        ("repository ssh", CheckResult.UNKNOWN),
        ("repository waits is being asked", CheckResult.PENDING),
    ]


CHART = {"name": "chart", "url": "https://charts.example.org/stable", "chart": "shop", "revision": "1.2.3"}
VALUES = f"{GIT}-values"
RENDERED = {"helm": {"valueFiles": ["values.yaml"], "valuesRepository": "values"}}
ONLY_VALUES = {**repository("values", VALUES), "deploys": False}
PROMOTED = {"deployments": [{"repository": "app", "revision": "v2", "path": "prod"}]}
ASKED: dict[str, tuple[list[Any], list[Any], list[RepositoryRequest]]] = {
    "no environment": ([repository("app"), CHART], [], [asked()]),
    "a chart, which is not in Git": ([CHART], [environment()], []),
    "what is promoted, and not what nobody deploys": (
        [repository("app")],
        [environment(**PROMOTED)],
        [RepositoryRequest(GIT, "v2", "prod")],
    ),
    "what two environments deploy alike, once": (
        [repository("app")],
        [environment("dev"), environment("test"), environment("prod", **PROMOTED)],
        [asked(), RepositoryRequest(GIT, "v2", "prod")],
    ),
    "value files of a chart, wherever they lie": (
        [{**CHART, **RENDERED}, ONLY_VALUES],
        [environment(), environment("prod", deployments=[{"repository": "values", "revision": "v2"}])],
        [RepositoryRequest(VALUES, "v1", "."), RepositoryRequest(VALUES, "v2", ".")],
    ),
    "value files that no other repository needs": ([repository("app"), ONLY_VALUES], [environment()], [asked()]),
    "value files of a repository that is not there": ([{**CHART, **RENDERED}], [environment()], []),
}


@pytest.mark.parametrize(("repositories", "environments", "requests"), ASKED.values(), ids=ASKED)
def test_what_environments_take_from_git_is_asked(
    repositories: list[Any], environments: list[Any], requests: list[RepositoryRequest]
) -> None:
    """Of a chart Argo CD alone tells whether it is there."""
    inputs = project_inputs(spec_of(*environments, repositories=repositories))
    assert list(delivery.repository_reachable.requests_of(inputs)) == requests
    there = replace(inputs, answers={request: answered(THERE) for request in requests})
    assert delivery.repository_reachable.run(there) is None
    for missing in requests:
        gone = {request: answered(REFUSED if request == missing else THERE) for request in requests}
        finding = delivery.repository_reachable.run(replace(inputs, answers=gone))
        assert finding is not None
        assert finding.result is CheckResult.FAIL


def test_the_revision_that_an_environment_is_promoted_to_is_named() -> None:
    spec = spec_of(environment(), environment("prod", **PROMOTED), repositories=[repository("app")])
    answers = {asked(): answered(THERE), RepositoryRequest(GIT, "v2", "prod"): answered(RepositoryFacts(found=True))}
    finding = delivery.repository_reachable.run(project_inputs(spec, answers))
    assert finding is not None
    assert finding.message == "repository app: no revision v2"


def test_an_image_that_exists_for_every_platform_passes() -> None:
    inputs = running(policy=BOTH, answers={IMAGE: answered(BUILT)})
    assert list(delivery.images_exist.requests_of(inputs)) == [WHAT_RUNS, IMAGE]
    assert delivery.images_exist.run(inputs) is None


def test_an_image_for_any_platform_passes_where_the_policy_names_none() -> None:
    assert delivery.images_exist.run(running(answers={IMAGE: answered(ImageFacts(found=True))})) is None


IMAGES: dict[str, tuple[Any, str, CheckResult]] = {
    "not asked yet": (None, "image 'ghcr.io/team/app:1.0' is being asked", CheckResult.PENDING),
    "no answer": (
        answered(None, "the server does not answer in time"),
        "image 'ghcr.io/team/app:1.0': the server does not answer in time",
        CheckResult.UNKNOWN,
    ),
    "no image": (
        answered(ImageFacts(found=False)),
        "image 'ghcr.io/team/app:1.0': not in its registry",
        CheckResult.FAIL,
    ),
    "another platform": (
        answered(replace(BUILT, platforms=("linux/amd64",))),
        "image 'ghcr.io/team/app:1.0': not built for linux/arm64",
        CheckResult.FAIL,
    ),
}


@pytest.mark.parametrize(("answer", "message", "result"), IMAGES.values(), ids=IMAGES)
def test_what_is_wrong_with_an_image_is_named(answer: Any, message: str, result: CheckResult) -> None:
    finding = delivery.images_exist.run(running(policy=BOTH, answers={IMAGE: answer} if answer else {}))
    assert finding is not None
    assert (finding.message, finding.result) == (message, result)


def test_images_are_asked_once_it_is_known_what_runs() -> None:
    inputs = running(None)
    assert list(delivery.images_exist.requests_of(inputs)) == [WHAT_RUNS]
    finding = delivery.images_exist.run(inputs)
    assert finding is not None
    assert (finding.message, finding.result) == (
        "what runs in namespace shop-dev is being asked",
        CheckResult.PENDING,
    )


def test_an_image_is_asked_once_and_no_more_than_twenty_are() -> None:
    images = [f"ghcr.io/team/app:{index:03}" for index in range(50)]
    containers = tuple(replace(APP, image=image) for image in (*images[::-1], *images))
    facts = WorkloadsFacts((replace(WEB, containers=containers),))
    requests = [ImageRequest(image) for image in images[:20]]
    assert list(delivery.images_exist.requests_of(running(facts))) == [WHAT_RUNS, *requests]
    answers = {request: answered(ImageFacts(found=True)) for request in requests}
    assert delivery.images_exist.run(running(facts, answers=answers)) is None


def test_an_image_is_shown_without_its_control_characters() -> None:
    facts = WorkloadsFacts((replace(WEB, containers=(replace(APP, image="a\x1b[2J:1"),)),))
    finding = delivery.images_exist.run(running(facts))
    assert finding is not None
    assert finding.message.isprintable()


APPLICATIONS: dict[str, tuple[tuple[str, ...], str, CheckResult]] = {
    "none reported": ((), "Argo CD has reported on 0 of 3 Applications", CheckResult.UNKNOWN),
    "some reported": (("Healthy",), "Argo CD has reported on 1 of 3 Applications", CheckResult.UNKNOWN),
    "one is ill": (
        ("Healthy", "Degraded", "Healthy"),
        "of 3 Applications: 1 Degraded",
        CheckResult.FAIL,
    ),
    "ill, before all have reported": (
        ("Progressing", "Missing"),
        "of 3 Applications: 1 Missing; 1 Progressing",
        CheckResult.FAIL,
    ),
}


@pytest.mark.parametrize(("states", "message", "result"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_every_application_has_to_be_healthy(states: tuple[str, ...], message: str, result: CheckResult) -> None:
    finding = delivery.applications_healthy.run(running(repositories=3, applications=states))
    assert finding is not None
    assert (finding.message, finding.result) == (message, result)


def test_applications_that_are_healthy_pass_and_so_does_an_environment_without_any() -> None:
    assert delivery.applications_healthy.run(running()) is None
    assert delivery.applications_healthy.run(running(repositories=2, applications=("Healthy",) * 2)) is None


def test_what_runs_without_an_image_that_is_known_passes() -> None:
    assert delivery.images_exist.run(running(replace(GOOD, workloads=()))) is None
