"""Argo CD's real controllers sync ProjectOnboardings: in sync for good, as healthy as they are, within their rights."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from devcluster.judgement import run_script
from onboarding import names
from onboarding.build.kinds import NAMESPACE
from tests.e2e.gitops import EXAMPLES, GitOps, a_gitops_stage
from tests.support.hub import own_labels
from tests.support.installing import ROOT, project
from tests.support.people import Decider
from tests.support.waiting import wait_until

# The first of them may find Argo CD not built yet.
pytestmark = pytest.mark.timeout(1200)

SERVER_SIDE = "ServerSideApply=true"
WAYS: dict[str, dict[str, Any]] = {
    "client-side": {},
    "server-side": {"options": [SERVER_SIDE]},
    "server-side-diff": {
        "options": [SERVER_SIDE],
        "annotations": {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"},
    },
}
ODD = {
    "environments": [
        {"stage": "dev", "name": "zeta", "domains": ["b.example.org", "a.example.org"], "labels": {}},
        {"stage": "dev", "name": "alpha"},
    ],
    "team": {"people": [], "groups": {"viewer": ["support"], "admin": ["z-admins", "a-admins"]}},
    "repositories": [],
    "description": "",
}
"""Valid forms that a careless comparison trips over: own orders, empty lists, maps and texts."""
ACCOUNT = "system:serviceaccount:argocd:"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitOps]:
    with a_gitops_stage(tmp_path_factory.mktemp("gitops")) as running:
        running.hub.cluster.kubectl("apply", "-k", str(ROOT / "manifests/roles"))
        yield running


def example(file: str, name: str) -> str:
    """Return an example under another name, with labels and domains of its own."""
    text = (EXAMPLES / file).read_text()
    former = yaml.safe_load(text)["metadata"]["name"]
    manifest = yaml.safe_load(text.replace(f"{former}.", f"{name}."))
    manifest["metadata"]["name"] = name
    return yaml.safe_dump(manifest, sort_keys=False)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_in_sync_stays_in_sync(stage: GitOps, way: str) -> None:
    """Neither a default, our finalizer nor our status make a difference to Git, and Argo CD syncs no second time."""
    declared = {f"five-{way}": "five-lines.yaml", f"all-{way}": "everything.yaml"}
    files = {name: example(file, name) for name, file in declared.items()}
    stage.commit(
        way, {f"{name}.yaml": text for name, text in files.items()} | {"odd.yaml": project(f"odd-{way}", **ODD)}
    )
    stage.syncs(way, **WAYS[way])
    stage.argocd.wait_for(way)
    before = [stage.hub.project(name) for name in files]
    for _ in range(3):
        assert stage.compared(way) == ("Synced", "Healthy")
    assert len(stage.status(way)["history"]) == 1
    for was in before:
        now = stage.hub.project(was["metadata"]["name"])
        assert (now["spec"], now["metadata"]["generation"]) == (was["spec"], 1)
        assert now["metadata"]["finalizers"]


def test_health_follows_the_conditions(stage: GitOps) -> None:
    """Argo CD shows each project as its conditions say, with who has to act, and is told of changes outside Git."""
    stage.hub.cluster.kubectl("create", "namespace", "clashing-dev")
    planned = project("planned", mode="Plan")
    stage.commit("health", {f"{name}.yaml": project(name) for name in ("calm", "clashing")} | {"planned.yaml": planned})
    stage.syncs("health")
    stage.argocd.wait_for("health", health="Degraded")
    wait_until(lambda: "Progressing" not in {state for state, _ in stage.health("health").values()}, what="all settle")
    found = stage.health("health")
    assert found["calm"] == ("Healthy", "1 of 1 environments are in place")
    assert found["planned"] == ("Suspended", "project: held: dev (spec.mode is Plan)")
    assert found["clashing"][0] == "Degraded"
    assert found["clashing"][1].startswith("platform: Namespace clashing-dev exists and carries no label of ours")
    stage.commit("health", {"planned.yaml": project("planned"), "clashing.yaml": None})
    wait_until(lambda: stage.health("health")["planned"][0] == "Healthy", what="the planned project is applied")


def test_a_suspension_is_shown_and_changes_nothing_in_git(stage: GitOps) -> None:
    stage.hub.cluster.kubectl("create", "clusterrolebinding", "pat", "--clusterrole=onboarding:platform", "--user=pat")
    stage.commit("paused", {"paused.yaml": project("paused")})
    stage.syncs("paused")
    stage.argocd.wait_for("paused")
    suspension = decision("paused", stage.hub.project("paused")["metadata"]["uid"], "pat", "system:authenticated")
    assert "created" in stage.answer("pat", "create", "--filename=-", body=suspension)
    paused = stage.argocd.wait_for("paused", health="Suspended")
    assert "Suspend by pat" in paused["status"]["resources"][0]["health"]["message"]
    assert "deleted" in stage.answer("pat", "delete", "onboardingdecision", "paused-suspend")
    stage.argocd.wait_for("paused")


def test_a_file_that_is_pruned_off_boards_its_project(stage: GitOps) -> None:
    """Retain leaves the namespace; Delete waits, Suspended, for its confirmation and keeps up nobody else."""
    stage.commit(
        "folder",
        {
            "stays.yaml": project("stays"),
            "retained.yaml": project("retained"),
            "confirmed.yaml": project("confirmed", deletionPolicy="Delete"),
        },
    )
    stage.syncs("folder", prune=True)
    stage.argocd.wait_for("folder")
    uid = stage.hub.project("confirmed")["metadata"]["uid"]
    stage.commit("folder", {"retained.yaml": None, "confirmed.yaml": None})
    stage.hub.wait_gone("retained")
    kept = stage.hub.one(NAMESPACE, "retained-dev")
    assert kept is not None
    assert own_labels(kept) == set()
    ready = stage.hub.wait("confirmed", "False", "AwaitingConfirmation")
    stage.argocd.wait_for("folder", sync="OutOfSync", health="Suspended")
    state, message = stage.health("folder")["confirmed"]
    assert state == "Suspended"
    assert ready["message"] in message
    stage.commit("folder", {"newcomer.yaml": project("newcomer")})
    wait_until(lambda: stage.hub.project("newcomer"), what="the newcomer is synced")
    Decider(stage.hub, "confirming-person").confirm("confirmed-delete", "confirmed", uid)
    stage.hub.wait_gone("confirmed")
    stage.argocd.wait_for("folder")
    wait_until(lambda: stage.hub.one(NAMESPACE, "confirmed-dev") is None, what="its namespace is gone")


def test_an_application_set_makes_projects_of_a_folder(stage: GitOps) -> None:
    """Each file is a project; one that goes leaves its project, and one that is none takes nothing away."""
    cluster, repository = stage.hub.cluster, stage.repository
    repository.commit({f"projects/{name}.yaml": yaml.safe_dump(project(name)) for name in ("one", "two")})
    cluster.kubectl("apply", "--filename=-", stdin=stage.example("applicationset.yaml"))
    stage.set_makes("onboarding.one", "onboarding.two")
    for name in ("one", "two"):
        stage.argocd.wait_for(f"onboarding.{name}")
    repository.commit({"projects/one.yaml": None, "projects/three.yaml": yaml.safe_dump(project("three"))})
    stage.set_makes("onboarding.two", "onboarding.three")
    stage.argocd.wait_for("onboarding.three")
    assert "deletionTimestamp" not in stage.hub.project("one")["metadata"]
    repository.commit({"projects/none.yaml": "kind: ProjectOnboarding\n", "projects/two.yaml": None})
    wait_until(lambda: "RenderTemplateParamsError" in stage.look_again(), what="the set tells of it", every=1)
    stage.set_makes("onboarding.two", "onboarding.three")


def test_a_misspelt_field_is_refused_and_the_next_commit_mends_it(stage: GitOps) -> None:
    stage.commit("misspelt", {"a.yaml": project("misspelt", descripton="a")})
    stage.syncs("misspelt", options=[SERVER_SIDE])
    stage.says("misspelt", ".spec.descripton: field not declared in schema")
    stage.commit("misspelt", {"a.yaml": project("misspelt", description="a")})
    stage.argocd.wait_for("misspelt")


def test_a_wave_waits_for_a_project_that_waits_for_people(stage: GitOps) -> None:
    first = project("first", mode="Plan")
    first["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "-1"}
    stage.commit("waves", {"first.yaml": first, "second.yaml": project("second")})
    stage.syncs("waves")
    stage.says("waves", "waiting for healthy state of projectonboarding.io/ProjectOnboarding/first")
    assert stage.hub.project("second") is None


def test_nothing_but_projects_comes_from_the_repository(stage: GitOps) -> None:
    sites = {"sites": [{"name": "mine"}]}
    target = {"apiVersion": names.API_VERSION, "kind": "HostingTarget", "metadata": {"name": "mine"}, "spec": sites}
    stage.commit("others", {"target.yaml": target})
    stage.syncs("others")
    stage.says("others", "resource projectonboarding.io:HostingTarget is not permitted in project project-onboarding")


def test_an_account_without_edit_changes_no_project(stage: GitOps) -> None:
    stage.commit("guarded", {"a.yaml": project("guarded")})
    stage.syncs("guarded")
    stage.argocd.wait_for("guarded")
    remove = json.dumps([{"op": "remove", "path": "/rules/1"}])
    stage.hub.cluster.kubectl("patch", "clusterrole", "project-onboarding-gitops", "--type=json", f"--patch={remove}")
    try:
        stage.commit("guarded", {"a.yaml": project("guarded", description="changed")})
        stage.says("guarded", "UPDATE of ProjectOnboarding 'guarded' refused (rule project-onboarding-projects)")
    finally:
        stage.allow()
    stage.argocd.wait_for("guarded")
    assert stage.hub.project("guarded")["spec"]["description"] == "changed"


def test_the_stock_account_may_edit_without_impersonation(stage: GitOps) -> None:
    """Its role is every verb on everything, ``edit`` included."""
    stage.hub.declare("stock")
    change = ("patch", "projectonboarding", "stock", "--type=merge", '--patch={"spec":{"description":"changed"}}')
    assert "patched" in stage.answer(f"{ACCOUNT}argocd-application-controller", *change)


SUSPEND = """
local by = {username = "system:serviceaccount:argocd:argocd-server"}
local project = {name = obj.metadata.name, uid = obj.metadata.uid}
local spec = {decision = "Suspend", project = project, by = by, reason = "asked for in Argo CD"}
local metadata = {name = obj.metadata.name .. "-suspend"}
local decision = {apiVersion = obj.apiVersion, kind = "OnboardingDecision", metadata = metadata, spec = spec}
return {{operation = "create", resource = decision}}
"""
PLAN = 'obj.spec.mode = "Plan"\nreturn obj'


def test_an_action_of_argo_cd_decides_nothing_and_changes_nothing(stage: GitOps) -> None:
    """Why there are none: a script can write them, but its author is a machine, and the guard rails refuse it."""
    server = f"{ACCOUNT}argocd-server"
    stage.hub.declare("acted-on")
    (suspension,) = run_script("action", SUSPEND, stage.hub.project("acted-on"))
    assert suspension["operation"] == "create"
    body = suspension["resource"]
    create = ("create", "--filename=-")
    assert 'cannot create resource "onboardingdecisions"' in stage.answer(server, *create, body=body)
    account = "--serviceaccount=argocd:argocd-server"
    stage.hub.cluster.kubectl("create", "clusterrolebinding", "acting", "--clusterrole=onboarding:platform", account)
    refusal = wait_until(
        lambda: (answer := stage.answer(server, *create, body=body)) and "cannot create" not in answer and answer,
        what="the right is there",
    )
    assert "a service account does not decide, and takes no decision back" in refusal
    (plan,) = run_script("action", PLAN, stage.hub.project("acted-on"))
    change = json.dumps({"spec": plan["resource"]["spec"]})
    patch = ("patch", "projectonboarding", "acted-on", "--type=merge", f"--patch={change}")
    assert "(rule project-onboarding-projects)" in stage.answer(server, *patch)


def decision(name: str, uid: str, author: str, *groups: str) -> dict[str, Any]:
    """Return the suspension of a project by somebody."""
    spec = {
        "decision": "Suspend",
        "project": {"name": name, "uid": uid},
        "by": {"username": author, "groups": list(groups)},
        "reason": "An audit",
    }
    metadata = {"name": f"{name}-suspend"}
    return {"apiVersion": names.API_VERSION, "kind": "OnboardingDecision", "metadata": metadata, "spec": spec}
