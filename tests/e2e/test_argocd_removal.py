"""What leaves: under Delete Argo CD cleans up before anything else goes; under Retain what runs goes on running."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE
from tests.e2e.argocd_stage import (
    HERE,
    HUB_SERVED,
    SELF_SERVED,
    Stage,
    deployment,
    environment,
    ready_pods,
    wait_for_pods,
)
from tests.support.hub import ARGOCD, own_labels
from tests.support.people import Decider
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(1200)
PLACES = {"dev": HERE, "test": HUB_SERVED, "demo": SELF_SERVED}
ENVIRONMENTS = [environment(name, target) for name, target in PLACES.items()]
WEB = "/apis/apps/v1/namespaces/{}/deployments/web"


@pytest.fixture(scope="module")
def platform(stage: Stage) -> Decider:
    """Somebody who may confirm deletions."""
    return Decider(stage.hub, "platform-person")


def running(stage: Stage, name: str, **spec: object) -> str:
    """Bring a project to where its workload runs in all of its environments; return its UID."""
    repository = stage.repository(name, web=deployment("web"))
    uid: str = stage.open(name, repository, *ENVIRONMENTS, **spec)["metadata"]["uid"]
    for place, target in PLACES.items():
        stage.served_by(target).wait_for(f"{name}-{place}-app")
        wait_for_pods(stage.api(target), f"{name}-{place}", 1)
    return uid


def deletions(log: Path, start: int) -> Callable[[str, str], str]:
    """Return a function that says when, by the audit log since an offset, an object's deletion was first asked for."""
    with log.open("rb") as file:
        file.seek(start)
        events = [json.loads(line) for line in file.read().splitlines() if b'"verb":"delete"' in line]
    times: dict[tuple[str, str], str] = {}
    for event in events:
        place = event["objectRef"]
        if event["responseStatus"]["code"] < 400:
            name = f"{place['namespace']}/{place['name']}" if place["resource"] == "deployments" else place["name"]
            times.setdefault((place["resource"], name), event["requestReceivedTimestamp"])
    return lambda resource, name: times[resource, name]


def test_delete_takes_applications_then_what_they_run_then_the_rest(stage: Stage, platform: Decider) -> None:
    """An environment, and then the whole project, goes in order on every cluster: nothing is left, nothing is early."""
    starts = {cluster.audit_log: cluster.audit_log.stat().st_size for cluster in (stage.hub.cluster, stage.spoke)}
    uid = running(stage, "leaving", deletionPolicy="Delete")
    stage.declare("leaving", stage.git_repository("leaving"), *ENVIRONMENTS[:2], deletionPolicy="Delete")
    stage.hub.wait("leaving", "True", "AwaitingConfirmation")
    assert ready_pods(stage.far, "leaving-demo") == 1, "nothing goes before it is confirmed"
    platform.confirm("leaving-demo", "leaving", uid, "demo")
    wait_until(lambda: stage.far.get(NAMESPACE.path(name="leaving-demo")) is None, what="demo is gone", within=90)
    assert stage.far.get(APP_PROJECT.path(ARGOCD, "leaving")) is None
    assert ready_pods(stage.hub.api, "leaving-dev") == ready_pods(stage.far, "leaving-test") == 1
    stage.hub.delete("leaving")
    platform.confirm("leaving-all", "leaving", uid)
    stage.hub.wait_gone("leaving", within=120)

    hub, spoke = (deletions(log, start) for log, start in starts.items())
    assert spoke("applications", "leaving-demo-app") < spoke("deployments", "leaving-demo/web")
    assert spoke("deployments", "leaving-demo/web") < spoke("appprojects", "leaving")
    assert spoke("appprojects", "leaving") < spoke("namespaces", "leaving-demo")
    assert hub("applications", "leaving-dev-app") < hub("deployments", "leaving-dev/web")
    assert hub("deployments", "leaving-dev/web") < hub("namespaces", "leaving-dev")
    # It serves both environments, and an environment whose Application has gone waits for no other.
    assert hub("deployments", "leaving-dev/web") < hub("appprojects", "leaving")
    assert hub("applications", "leaving-test-app") < spoke("deployments", "leaving-test/web")
    assert spoke("deployments", "leaving-test/web") < hub("appprojects", "leaving")
    assert spoke("deployments", "leaving-test/web") < spoke("namespaces", "leaving-test")


def test_retain_leaves_every_workload_running(stage: Stage) -> None:
    """The Applications go without cascade: Deployments and pods stay as they are, on every cluster."""
    running(stage, "staying")
    before = {name: stage.api(target).get(WEB.format(f"staying-{name}")) for name, target in PLACES.items()}
    stage.declare("staying", stage.git_repository("staying"), *ENVIRONMENTS[:2])
    wait_until(lambda: own_labels(stage.far.get(NAMESPACE.path(name="staying-demo"))) == set(), what="demo is released")
    stage.hub.delete("staying")
    stage.hub.wait_gone("staying", within=60)
    for name, target in PLACES.items():
        api, namespace = stage.api(target), f"staying-{name}"
        assert own_labels(api.get(NAMESPACE.path(name=namespace))) == set()
        assert api.get(WEB.format(namespace))["metadata"]["uid"] == before[name]["metadata"]["uid"]
        assert ready_pods(api, namespace) == 1
    for api in (stage.hub.api, stage.far):
        selector = f"{names.LABEL_PROJECT}=staying"
        assert api.items(APPLICATION.path(ARGOCD), selector) == api.items(APP_PROJECT.path(ARGOCD), selector) == []
