"""One project on two clusters, deployed by Argo CD's real controllers from a real Git repository."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from onboarding.build.kinds import APPLICATION
from tests.e2e.argocd_stage import (
    HERE,
    HUB_SERVED,
    SELF_SERVED,
    Stage,
    deployment,
    environment,
    operation_says,
    wait_for_pods,
)
from tests.support.hub import ARGOCD
from tests.support.installing import ROOT
from tests.support.waiting import wait_until

# Argo CD, where nobody has built it yet, takes some minutes on two cores.
pytestmark = pytest.mark.timeout(1200)
PLACES = {"dev": HERE, "test": HUB_SERVED, "demo": SELF_SERVED}
ENVIRONMENTS = [environment(name, target) for name, target in PLACES.items()]


def test_three_environments_on_two_clusters_run_what_is_in_git(stage: Stage) -> None:
    """One object opens three environments; each gets Synced and Healthy, and a commit is deployed to all of them."""
    repository = stage.repository("shop", web=deployment("web"))
    stage.open("shop", repository, *ENVIRONMENTS)
    for name, target in PLACES.items():
        stage.served_by(target).wait_for(f"shop-{name}-app", revision=repository.revision())
        wait_for_pods(stage.api(target), f"shop-{name}", 1)
    commit = stage.commit(repository, web=deployment("web", replicas=2))
    for name, target in PLACES.items():
        stage.served_by(target).refresh(f"shop-{name}-app")
        stage.served_by(target).wait_for(f"shop-{name}-app", revision=commit)
        wait_for_pods(stage.api(target), f"shop-{name}", 2)
    wait_until(
        lambda: (stage.hub.condition("shop", "ApplicationsHealthy") or {}).get("status") == "True",
        what="the project says that its Applications are healthy",
    )


def test_a_target_says_which_argo_cd_serves_it(stage: Stage) -> None:
    """Applications for a target that serves itself live on the site, all others on the hub."""
    on_hub = {item["metadata"]["name"]: item["spec"] for item in stage.hub.api.items(APPLICATION.path(ARGOCD))}
    on_site = {item["metadata"]["name"]: item["spec"] for item in stage.far.items(APPLICATION.path(ARGOCD))}
    assert on_hub["shop-dev-app"]["destination"]["server"] == "https://kubernetes.default.svc"
    assert on_hub["shop-test-app"]["destination"]["server"] == stage.spoke.server
    assert set(on_site) == {"shop-demo-app"}
    assert on_site["shop-demo-app"]["destination"]["server"] == "https://kubernetes.default.svc"


def profile_windows_on_another_day() -> list[dict[str, Any]]:
    """Return the windows of the profile cloud-pi-native on a day that is nowhere today, at the hours that they have."""
    policy = yaml.safe_load((ROOT / "manifests/profiles/cloud-pi-native/policy.yaml").read_text(encoding="utf-8"))
    day = (datetime.now(UTC) + timedelta(days=3)).isoweekday() % 7
    windows = policy["spec"]["delivery"]["windows"]
    return [{**window, "schedule": f"{window['schedule'].rpartition(' ')[0]} {day}"} for window in windows]


def test_the_controllers_hold_a_sync_outside_the_windows_of_the_profile(stage: Stage) -> None:
    """Neither by itself nor by hand; as soon as the platform opens the window, the waiting sync goes on."""
    repository = stage.repository("nightly", web=deployment("web"))
    production = environment("prod", HERE, stage="prod", autoSync=True)
    stage.hub.change_policy(delivery={"windows": profile_windows_on_another_day()})
    try:
        stage.open("nightly", repository, environment("dev", HERE), production)
        stage.argocd.wait_for("nightly-dev-app", revision=repository.revision())
        path = f"{APPLICATION.path(ARGOCD)}/nightly-prod-app"
        # As argocd-server writes it when an administrator presses Sync.
        by_hand = {"operation": {"initiatedBy": {"username": "ada"}, "sync": {"revision": repository.revision()}}}
        stage.hub.api.patch(path, by_hand)
        operation_says(stage.argocd, "nightly-prod-app", "blocked by sync window")
        assert not stage.hub.api.items("/apis/apps/v1/namespaces/nightly-prod/deployments")
    finally:
        stage.hub.change_policy(delivery={"windows": None})
    stage.argocd.wait_for("nightly-prod-app", revision=repository.revision())
