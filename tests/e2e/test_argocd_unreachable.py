"""A cluster that is down delays nobody else, is named where it matters, and is taken up again when it is back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from onboarding.build.kinds import Manifest
from tests.e2e.argocd_stage import HERE, HUB_SERVED, SELF_SERVED, Stage, config_map, deployment, environment
from tests.support.hub import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(1200)
PLACES = {"dev": HERE, "test": HUB_SERVED, "demo": SELF_SERVED}


def verdict(stage: Stage, target: str) -> Manifest:
    """Return the Ready condition of a target."""
    found = stage.hub.api.get(f"{ROOT}/hostingtargets/{target}")
    assert found is not None
    return next(item for item in found["status"]["conditions"] if item["type"] == "Ready")


@contextmanager
def without_the_spoke(stage: Stage) -> Iterator[None]:
    """Stop the API server of the second cluster for a while."""
    stage.spoke.stop_part("kube-apiserver")
    try:
        yield
    finally:
        stage.spoke.start_part("kube-apiserver")


def test_one_cluster_that_is_down_delays_nobody_else_and_recovers(stage: Stage) -> None:
    """Meanwhile another project is opened and deployed; targets and projects say which cluster it is, and recover."""
    repository = stage.repository("far-away", web=deployment("web"))
    stage.open("far-away", repository, *(environment(name, target) for name, target in PLACES.items()))
    with without_the_spoke(stage):
        nearby = stage.repository("nearby", map=config_map("map"))
        stage.declare("nearby", nearby)
        stage.hub.wait("nearby", within=15)
        stage.argocd.wait_for("nearby-dev-app", revision=nearby.revision())
        stage.hub.wait("far-away", "False", "TargetUnreachable", "spoke/kubeconfig")
        states = {name: stage.hub.environment("far-away", name)["sites"][0]["state"] for name in PLACES}
        assert states == {"dev": "Ready", "test": "Unreachable", "demo": "Unreachable"}
        for target in (HUB_SERVED, SELF_SERVED):
            wait_until(lambda t=target: verdict(stage, t)["reason"] == "TargetUnreachable", what=f"{target} says so")
            assert "site site" in verdict(stage, target)["message"]
        assert verdict(stage, HERE)["status"] == "True"
    stage.hub.wait("far-away", within=60)
    for target in PLACES.values():
        wait_until(lambda t=target: verdict(stage, t)["status"] == "True", what=f"{target} can be used again")
    commit = stage.commit(repository, web=deployment("web", replicas=2))
    for name, target in PLACES.items():
        stage.served_by(target).refresh(f"far-away-{name}-app")
        stage.served_by(target).wait_for(f"far-away-{name}-app", revision=commit, seconds=90)
