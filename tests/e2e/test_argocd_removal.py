"""What leaves: under Delete Argo CD cleans up before anything else goes; under Retain what runs goes on running."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE, Manifest
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


class History:
    """When, by a cluster's audit log since an offset, somebody changed or deleted what."""

    def __init__(self, log: Path, start: int) -> None:
        with log.open("rb") as file:
            file.seek(start)
            events = [json.loads(line) for line in file.read().splitlines()]
        self._times: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for event in events:
            place = event.get("objectRef", {})
            if event["verb"] in ("patch", "delete") and event["responseStatus"]["code"] < 400:
                owner = f"{place['namespace']}/" if place["resource"] == "deployments" else ""
                key = event["verb"], place["resource"], f"{owner}{place['name']}"
                self._times[key].append(event["requestReceivedTimestamp"])

    def deleted(self, resource: str, name: str) -> str:
        """Return when an object's deletion was first asked for."""
        return min(self._times["delete", resource, name])

    def let_go(self, project: str, environment: str, workload: str) -> bool:
        """Say whether an AppProject was narrowed, or deleted, between a workload and the namespace that held it."""
        changes = self._times["patch", "appprojects", project] + self._times["delete", "appprojects", project]
        return any(workload < change < self.deleted("namespaces", f"{project}-{environment}") for change in changes)


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

    hub, spoke = (History(log, start) for log, start in starts.items())
    application, workload = "applications", "deployments"
    assert spoke.deleted(application, "leaving-demo-app") < spoke.deleted(workload, "leaving-demo/web")
    assert spoke.deleted(workload, "leaving-demo/web") < spoke.deleted("appprojects", "leaving")
    assert spoke.deleted("appprojects", "leaving") < spoke.deleted("namespaces", "leaving-demo")
    # The AppProject of the hub serves two environments: it lets go of each before its namespace goes.
    for place, cluster in (("dev", hub), ("test", spoke)):
        gone = cluster.deleted(workload, f"leaving-{place}/web")
        assert hub.deleted(application, f"leaving-{place}-app") < gone < hub.deleted("appprojects", "leaving")
        assert gone < cluster.deleted("namespaces", f"leaving-{place}")
    assert hub.let_go("leaving", "dev", hub.deleted(workload, "leaving-dev/web"))


def test_retain_leaves_every_workload_running(stage: Stage) -> None:
    """The Applications go without cascade: Deployments and pods stay as they are, on every cluster."""
    running(stage, "staying")
    before = {name: stage.api(target).get(WEB.format(f"staying-{name}")) for name, target in PLACES.items()}
    stage.declare("staying", stage.git_repository("staying"), *ENVIRONMENTS[:2])
    wait_until(lambda: own_labels(stage.far.get(NAMESPACE.path(name="staying-demo"))) == set(), what="demo is detached")
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


def sync_role(*verbs: str) -> Manifest:
    """Return a ClusterRole of the platform that gives the accounts of all environments these verbs on PodTemplates."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "acme:sync-templates", "labels": {f"{names.GROUP}/aggregate-to-sync": "true"}},
        "rules": [{"apiGroups": [""], "resources": ["podtemplates"], "verbs": [*verbs]}],
    }


def test_what_the_account_may_not_delete_is_told_and_goes_once_it_may(stage: Stage, platform: Decider) -> None:
    """Argo CD deletes with the rights of the environment's account, never with its own."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    kept = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "kept"}, "template": template}
    stage.hub.cluster.apply(sync_role("get", "list", "create", "patch"))
    stage.hub.change_policy(delivery={"additionalKinds": [{"group": "", "kind": "PodTemplate"}]})
    try:
        repository = stage.repository("undeletable", kept=kept)
        uid = stage.open("undeletable", repository, deletionPolicy="Delete")["metadata"]["uid"]
        stage.argocd.wait_for("undeletable-dev-app", revision=repository.revision())
        stage.hub.delete("undeletable")
        platform.confirm("undeletable-all", "undeletable", uid)
        account = f"system:serviceaccount:{names.SYNC_NAMESPACE}:undeletable-dev"
        refusal = f'User "{account}" cannot delete resource "podtemplates"'
        wait_until(
            lambda: refusal in (stage.hub.condition("undeletable", "Ready") or {}).get("message", ""),
            what=f"it says {refusal}; the Application is {stage.argocd.application('undeletable-dev-app')['status']}",
        )
        stage.hub.cluster.apply(sync_role("get", "list", "create", "patch", "delete"))
        stage.hub.wait_gone("undeletable", within=120)
    finally:
        stage.hub.change_policy(delivery={"additionalKinds": None})
        stage.hub.cluster.kubectl("delete", "clusterrole", "acme:sync-templates")
