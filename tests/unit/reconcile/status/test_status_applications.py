"""Applications in the status: what runs where, the worst first, never more than there is room for."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest

from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import ProjectOnboardingStatus
from onboarding.build.kinds import APPLICATION, Manifest
from onboarding.reconcile.observed.cached_object import told_of
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.status.ready import ready_state
from onboarding.reconcile.status.shares import MAX_STATUS_BYTES
from onboarding.reconcile.status.status import report
from tests.unit.argocd_status import failing, item, synced
from tests.unit.argocd_words import WORDS
from tests.unit.snapshots import environment, live_of_spec, snapshot_of, spec_of

REFUSED = WORDS["quota"][0]
Status = dict[str, Any]


def status_of(snapshot: Snapshot) -> Status:
    """Return the status that a pass writes which finds everything in place."""
    plan = make_plan(snapshot)
    return report(snapshot, plan, (), ready_state(snapshot, plan, ()), None).status


def world_with(spec: ProjectOnboardingSpec, said: Mapping[str, Manifest], otherwise: Manifest) -> Snapshot:
    """Return a world in which Argo CD says this of Applications by name, and of the others something else."""
    live = {
        key: item._replace(told=told_of(APPLICATION, said.get(key.name, otherwise)))
        if key.kind is APPLICATION
        else item
        for key, item in live_of_spec(spec).items()
    }
    return snapshot_of(spec, live)


def repositories(*names: str) -> list[Manifest]:
    return [{"name": name, "url": f"https://git.example.org/{name}.git"} for name in names]


def healthy(status: Status) -> Status:
    """Return the condition ApplicationsHealthy; Ready is True whatever it says."""
    found = {item["type"]: item for item in status["conditions"]}
    assert found["Ready"]["status"] == "True"
    return found["ApplicationsHealthy"]


def shown(status: Status) -> list[Status]:
    sites = [site for item in status["environments"] for site in item["sites"]]
    return [item for site in sites for item in site.get("applications", ())]


@pytest.mark.parametrize(
    ("health", "status", "reason"),
    [
        ({}, "Unknown", "NoApplications"),
        ({"a": ""}, "Unknown", "NotReported"),
        ({"a": "Healthy", "b": ""}, "Unknown", "NotReported"),
        ({"a": "Healthy", "b": "Degraded"}, "False", "ApplicationsUnhealthy"),
        ({"a": "Healthy", "b": "Healthy"}, "True", "ApplicationsHealthy"),
    ],
)
def test_the_health_of_applications_never_enters_ready(health: dict[str, str], status: str, reason: str) -> None:
    spec = spec_of(environment(), repositories=repositories(*health))
    said = {f"shop-dev-{name}": {"health": {"status": word}} if word else {} for name, word in health.items()}
    found = healthy(status_of(world_with(spec, said, {})))
    assert (found["status"], found["reason"]) == (status, reason)


def test_the_condition_says_the_true_cause_of_the_worst_first() -> None:
    spec = spec_of(environment(), repositories=repositories("a", "b", "c"))
    said = {"shop-dev-a": synced(health="Progressing"), "shop-dev-b": REFUSED}
    found = healthy(status_of(world_with(spec, said, synced())))
    assert found["message"] == (
        "shop-dev-b: the quota of the environment refuses PersistentVolumeClaim/big: requested requests.storage=500Gi; "
        "used requests.storage=0; limit requests.storage=20Gi; shop-dev-a: Progressing"
    )


def test_an_application_that_fails_is_the_last_of_the_next_actions() -> None:
    live = world_with(spec_of(environment()), {}, REFUSED).live
    status = status_of(snapshot_of(spec_of(environment(), environment("held", size="vast")), live))
    assert "held" in status["nextActions"][0]["action"]
    assert status["nextActions"][-1]["action"].startswith("Application shop-dev-app: the quota of the environment")
    assert status["summary"]["next"].endswith(status["nextActions"][0]["action"])


def test_a_site_shows_what_runs_there() -> None:
    spec = spec_of(environment(target="twin"))
    status = status_of(world_with(spec, {"shop-dev-b-app": REFUSED}, synced()))
    first, second = status["environments"][0]["sites"]
    assert [item["name"] for item in first["applications"]] == ["shop-dev-a-app"]
    assert first["applications"][0]["revision"] == "08303a2136b2"
    assert second["applications"][0]["message"].startswith("the quota of the environment refuses")


def test_a_repository_that_only_holds_values_has_no_application() -> None:
    values = {**repositories("values")[0], "deploys": False}
    spec = spec_of(environment(), repositories=[*repositories("app"), values])
    assert [item["name"] for item in shown(status_of(world_with(spec, {}, synced())))] == ["shop-dev-app"]


def many(environments: int, count: int) -> ProjectOnboardingSpec:
    declared = [environment(f"environment-{number:02}") for number in range(environments)]
    return spec_of(*declared, repositories=repositories(*(f"repository-{number}" for number in range(count))))


@pytest.mark.parametrize("otherwise", [synced(), REFUSED, failing(item("Pod", "é" * 60, "\u0001ü" * 400))])
def test_200_applications_keep_the_status_below_8_kib(otherwise: Manifest) -> None:
    bad = "shop-environment-07-repository-3"
    status = status_of(world_with(many(20, 10), {bad: WORDS["no revision"][0]}, otherwise))
    assert len(orjson.dumps(status)) <= MAX_STATUS_BYTES
    assert len(shown(status)) + status["omittedApplications"] == 200
    assert len(status["environments"]) == 20
    ProjectOnboardingStatus.model_validate(status)


def test_those_in_trouble_stay_and_a_count_tells_of_the_rest() -> None:
    bad = ("shop-environment-19-repository-9", "shop-environment-03-repository-0")
    status = status_of(world_with(many(20, 10), dict.fromkeys(bad, REFUSED), synced()))
    assert {item["name"] for item in shown(status) if "message" in item} == set(bad)
    assert status["omittedApplications"] == 200 - len(shown(status))


def test_20_applications_of_a_common_project_are_all_shown() -> None:
    status = status_of(world_with(many(10, 2), {}, synced()))
    assert len(shown(status)) == 20
    assert "omittedApplications" not in status


@pytest.mark.parametrize("said", [[synced()], [REFUSED, synced()], [failing(item("Pod", "a", "x"))]])
def test_a_second_pass_says_the_same(said: Sequence[Manifest]) -> None:
    spec = many(20, 10)
    snapshot = world_with(spec, dict(zip(["shop-environment-00-repository-0"], said, strict=False)), said[-1])
    before = status_of(snapshot)
    assert status_of(snapshot_of(spec, snapshot.live, status=before)) == before
