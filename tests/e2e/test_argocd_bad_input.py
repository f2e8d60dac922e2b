"""What cannot be deployed: it ends in words that say what to mend, and nothing of it reaches a cluster."""

import pytest

from onboarding.build.kinds import APP_PROJECT, APPLICATION, NETWORK_POLICY, ChildKind, Manifest
from tests.e2e.argocd_stage import Stage, config_map, deployment, operation_says
from tests.support.api import RefusedError
from tests.support.hub import ARGOCD
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(1200)
CONFIG_MAP = ChildKind("", "v1", "ConfigMap", "configmaps")
NOTHING = {"sourceRepos": ["https://git.example.org/other.git"], "destinations": []}
EVERYTHING = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    "namespaceResourceWhitelist": [{"group": "*", "kind": "*"}],
    "namespaceResourceBlacklist": [],
}


def told(stage: Stage, name: str, words: str, *, within: float = 30) -> None:
    """Wait until a project says in ``ApplicationsHealthy`` what is wrong, and to somebody what to do about it."""

    def there() -> bool:
        condition = stage.hub.condition(name, "ApplicationsHealthy") or {}
        steps = (stage.hub.project(name) or {})["status"].get("nextActions", ())
        return (
            condition.get("status") == "False"
            and words in condition["message"]
            and any(words in step["action"] for step in steps)
        )

    wait_until(there, what=f"{name} says {words!r}; its status is {stage.hub.project(name)}", within=within)


def test_a_revision_that_does_not_exist_is_told_and_deployed_once_it_does(stage: Stage) -> None:
    """Argo CD cannot resolve it, the project says so; when somebody pushes that branch it is deployed."""
    repository = stage.repository("early", map=config_map("early"))
    stage.open("early", repository, revision="release")
    operation_says(stage.argocd, "early-dev-app", "unable to resolve 'release' to a commit SHA")
    told(stage, "early", "the repository has no revision release")
    repository.branch("release")
    stage.argocd.refresh("early-dev-app", hard=True)
    stage.argocd.wait_for("early-dev-app")
    assert stage.hub.api.get(CONFIG_MAP.path("early-dev", "early"))
    wait_until(
        lambda: (stage.hub.condition("early", "ApplicationsHealthy") or {}).get("status") == "True",
        what="the project says that it is well",
    )


def test_a_chart_that_does_not_render_is_told_and_nothing_of_it_is_deployed(stage: Stage) -> None:
    """One template that fails keeps the whole chart away."""
    chart = {
        "deploy/Chart.yaml": "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
        "deploy/templates/good.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n",
        "deploy/templates/bad.yaml": '{{ fail "no such value" }}\n',
    }
    stage.open("broken", stage.git.create("team/broken", chart))
    operation_says(stage.argocd, "broken-dev-app", "no such value")
    told(stage, "broken", "do not render")
    assert stage.hub.api.get(CONFIG_MAP.path("broken-dev", "good")) is None


def test_a_manifest_that_does_not_fit_the_quota_says_quota(stage: Stage) -> None:
    """What the quota refuses is told as that, with what mends it, and the rest of the environment stays well."""
    greedy = deployment("greedy")
    greedy["spec"]["template"]["spec"]["containers"][0]["resources"] = {
        "requests": {"cpu": "20", "memory": "64Mi", "ephemeral-storage": "64Mi"},
        "limits": {"cpu": "20", "memory": "128Mi", "ephemeral-storage": "128Mi"},
    }
    stage.open("greedy", stage.repository("greedy", greedy=greedy))
    stage.argocd.wait_for("greedy-dev-app", health="Progressing")
    assert stage.hub.wait("greedy")["reason"] == "Ready", "an unhealthy Application is no fault of the onboarding"
    assert stage.hub.api.items("/api/v1/namespaces/greedy-dev/pods") == []


def test_a_request_above_the_default_limit_says_that_no_pod_can_be_made(stage: Stage) -> None:
    """Case 08: the API server takes the Deployment, and it never gets a pod; the project says so within a minute."""
    heavy = deployment("heavy")
    heavy["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "700m", "memory": "1Gi"}}
    stage.open("heavy", stage.repository("heavy", heavy=heavy))
    stage.argocd.wait_for("heavy-dev-app", health="Progressing")
    told(stage, "heavy", "no pod of Deployment/heavy can be made: it requests", within=60)
    assert stage.hub.api.items("/api/v1/namespaces/heavy-dev/pods") == []


def test_two_applications_with_one_object_are_told_and_are_not_healthy(stage: Stage) -> None:
    """Both say Synced and Healthy in turn while each undoes what the other does."""
    sources = []
    for name in ("first", "second"):
        repository = stage.repository(f"fight-{name}", shared=config_map("shared", owner=name))
        sources.append({"name": name, "url": repository.url, "revision": "main", "path": "deploy"})
    stage.hub.declare("fight", repositories=sources)
    stage.hub.wait("fight", within=60)
    told(stage, "fight", "two Applications deploy ConfigMap/shared", within=90)
    remedy = "remove the object from one of the two repositories, or give it another name"

    def asked() -> bool:
        # The two take turns: between them Argo CD may warn of neither for a moment.
        actions = stage.hub.project("fight")["status"].get("nextActions", ())
        return any(item["action"].endswith(remedy) for item in actions)

    wait_until(asked, what="somebody is asked to remove the object from one of the two", within=90)


def stranger(stage: Stage, kind: ChildKind, name: str, spec: Manifest) -> Manifest:
    """Let somebody else have an object of this name beside Argo CD."""
    made = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, "spec": spec}
    return stage.hub.api.create(kind.path(ARGOCD), made)


def test_an_app_project_of_somebody_else_is_a_conflict(stage: Stage) -> None:
    """It is left alone and named, and nothing is deployed under a project that the operator does not hold."""
    theirs = stranger(stage, APP_PROJECT, "claimed", NOTHING)
    stage.declare("claimed", stage.repository("claimed", map=config_map("map")))
    message = stage.hub.wait("claimed", "False", "Conflict")["message"]
    assert "AppProject argocd/claimed exists and carries no label of ours" in message
    assert stage.hub.api.get(APP_PROJECT.path(ARGOCD, "claimed"))["spec"] == theirs["spec"]
    assert stage.hub.api.get(APPLICATION.path(ARGOCD, "claimed-dev-app")) is None
    stage.hub.api.delete(APP_PROJECT.path(ARGOCD, "claimed"))
    stage.hub.wait("claimed", within=90)
    stage.argocd.wait_for("claimed-dev-app")


def test_an_application_of_somebody_else_is_a_conflict(stage: Stage) -> None:
    """It keeps its own project and destination, and is not taken over."""
    spec = {
        "project": "default",
        "source": {"repoURL": "https://git.example.org/other.git", "path": ".", "targetRevision": "main"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
    }
    theirs = stranger(stage, APPLICATION, "taken-dev-app", spec)
    stage.declare("taken", stage.repository("taken", map=config_map("map")))
    message = stage.hub.wait("taken", "False", "Conflict")["message"]
    assert "Application argocd/taken-dev-app exists and carries no label of ours" in message
    found = stage.hub.api.get(APPLICATION.path(ARGOCD, "taken-dev-app"))
    assert (found["metadata"]["uid"], found["spec"]) == (theirs["metadata"]["uid"], theirs["spec"])
    assert stage.hub.api.get(CONFIG_MAP.path("taken-dev", "map")) is None
    stage.hub.api.delete(APPLICATION.path(ARGOCD, "taken-dev-app"))
    stage.hub.wait("taken", within=90)


def test_an_app_project_that_somebody_widened_is_narrowed_and_lets_nothing_through(stage: Stage) -> None:
    """An administrator opens it wide; it is repaired, and what needed it is refused all the same."""
    repository = stage.repository("widened", map=config_map("map"))
    stage.open("widened", repository)
    stage.argocd.wait_for("widened-dev-app")
    path = APP_PROJECT.path(ARGOCD, "widened")
    ours = stage.hub.api.get(path)["spec"]
    planted = {**config_map("planted"), "metadata": {"name": "planted", "namespace": "kube-system"}}
    hole = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}
    policy = {
        "apiVersion": NETWORK_POLICY.api_version,
        "kind": "NetworkPolicy",
        "metadata": {"name": "hole"},
        "spec": hole,
    }
    stage.commit(repository, planted=planted, hole=policy)
    stage.hub.api.patch(path, {"spec": EVERYTHING})
    stage.argocd.refresh("widened-dev-app")
    wait_until(lambda: stage.hub.api.get(path)["spec"] == ours, what="the AppProject is what it was")
    operation_says(stage.argocd, "widened-dev-app", "not permitted in project")
    assert stage.hub.api.get(CONFIG_MAP.path("kube-system", "planted")) is None
    assert stage.hub.api.get(NETWORK_POLICY.path("widened-dev", "hole")) is None


def test_a_repository_outside_the_prefixes_of_the_policy_deploys_nothing(stage: Stage) -> None:
    """The environment is held with the prefixes that are allowed, and Argo CD never hears of the repository."""
    repository = stage.repository("outside", map=config_map("outside"))
    stage.hub.change_policy(delivery={"repositoryPrefixes": ["https://git.example.org/team"]})
    try:
        source = {"name": "app", "url": repository.url, "revision": "main", "path": "deploy"}
        stage.hub.declare("outside", repositories=[source])
        stage.hub.wait("outside", "False", "Refused")
        (action, *_) = stage.hub.project("outside")["status"]["nextActions"]
        assert "https://git.example.org/team" in action["action"]
        assert stage.hub.live("outside") == {}
        escape = {**source, "path": "../elsewhere"}
        with pytest.raises(RefusedError, match=r"spec\.repositories"):
            stage.hub.declare("escape", repositories=[escape])
    finally:
        stage.hub.change_policy(delivery={"repositoryPrefixes": None})
    stage.hub.wait("outside")
    stage.argocd.refresh("outside-dev-app", hard=True)
    stage.argocd.wait_for("outside-dev-app")
