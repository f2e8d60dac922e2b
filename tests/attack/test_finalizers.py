"""Attacks on what ties a project to its operator: finalizers of the teardown taken off, and owners put on."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import Manifest
from tests.support.api import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Api
from tests.support.installing import apply, project
from tests.support.waiting import wait_until

RULE = names.HUB_GUARD_POLICIES[0]
PROJECTS = f"/apis/{names.API_VERSION}/projectonboardings"
PLACE = f"{PROJECTS}/ending"
OURS = [names.FINALIZER, f"{names.FINALIZER}.hub", f"{names.FINALIZER}.in-cluster.local"]
THEIRS = "example.org/backup"
DRY = {"dryRun": "All"}
OWNERS = [{"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "00000000-0000-0000-0000-000000000000"}]
KINDS = ("projectonboardings", "hostingtargets", "onboardingpolicies")
TORN = "by which the operator tears the project down. Keep them: apply or edit instead of a replacement"
OWNED = "metadata.ownerReferences would let it be deleted together with another object. Leave"


class Actor(NamedTuple):
    """Somebody with a connection, and in whose name they ask."""

    api: Api
    head: dict[str, str]

    def refusal(self, method: str, path: str, body: Any, **head: str) -> str:
        """Return why a dry run is refused; the empty string where it is not."""
        query = DRY | ({"fieldManager": "attack", "force": "true"} if head.get("Content_Type") == APPLY_PATCH else {})
        status, text = self.api.text(method, path, query=query, body=body, **head, **self.head)
        return text if status >= 400 else ""


@pytest.fixture(scope="module")
def actors(installed: ControlPlane) -> Iterator[dict[str, Actor]]:
    """Let everybody write projects by RBAC, and create one with finalizers of the operator and of somebody else."""
    admin = Api(installed)
    kinds = ",".join(f"{kind}.{names.GROUP}" for kind in KINDS)
    installed.kubectl("create", "clusterrole", "ending", "--verb=*", f"--resource={kinds}")
    installed.kubectl("create", "clusterrolebinding", "ending", "--clusterrole=ending", "--group=ending-people")
    rule = {"apiGroups": [names.GROUP], "resources": ["projects"], "verbs": ["edit"]}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "ending-edit"}}
    apply(installed, {**role, "rules": [rule]})
    installed.kubectl("create", "clusterrolebinding", "ending-edit", "--clusterrole=ending-edit", "--group=ending-edit")
    people = {
        who: Actor(Api(installed, installed.kubeconfig_for(f"ending-{who}", ["ending-people", group])), {})
        for who, group in (("member", "ending-admins"), ("holder of edit", "ending-edit"))
    }
    accounts = {
        "Argo CD": "system:serviceaccount:argocd:argocd-application-controller",
        "argocd-manager": "system:serviceaccount:kube-system:argocd-manager",
    }
    people |= {
        who: Actor(admin, {"Impersonate_User": user, "Impersonate_Group": "system:masters"})
        for who, user in accounts.items()
    }
    body = project("ending", team={"groups": {"admin": ["ending-admins"]}})
    admin.create(PROJECTS, {**body, "metadata": {"name": "ending", "finalizers": [*OURS, THEIRS]}})
    bare = {"metadata": {"finalizers": None}}
    wait_until(lambda: people["member"].refusal("PATCH", PLACE, bare, Content_Type=MERGE_PATCH), what="the rules")
    yield people | {"bypass": Actor(admin, {})}
    installed.kubectl("delete", "clusterrole,clusterrolebinding", "ending", "ending-edit")
    admin.patch(PLACE, bare)
    admin.delete(PLACE)


HELD = ("member", "holder of edit", "Argo CD", "argocd-manager")
LOSSES: dict[str, Any] = {
    "all": {"metadata": {"finalizers": None}},
    "none of the operator's left": {"metadata": {"finalizers": [THEIRS]}},
    "that of a site": {"metadata": {"finalizers": [*OURS[:2], THEIRS]}},
    "that of the project": {"metadata": {"finalizers": [*OURS[1:], THEIRS]}},
    "another site's put on": {"metadata": {"finalizers": [*OURS, THEIRS, f"{names.FINALIZER}.far.away"]}},
    "one exchanged": {"metadata": {"finalizers": [f"{names.FINALIZER}s", *OURS[1:], THEIRS]}},
    "all, by JSON patch": [{"op": "remove", "path": "/metadata/finalizers"}],
    "the first, by JSON patch": [{"op": "remove", "path": "/metadata/finalizers/0"}],
    "all, with a change of the spec": {"metadata": {"finalizers": None}, "spec": {"description": "x"}},
}


@pytest.mark.parametrize("who", HELD)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_finalizers_of_the_teardown_are_changed_by_the_operator_alone(
    actors: dict[str, Actor], who: str, loss: Any
) -> None:
    form = JSON_PATCH if isinstance(loss, list) else MERGE_PATCH
    refusal = actors[who].refusal("PATCH", PLACE, loss, Content_Type=form)
    assert f"(rule {RULE}): metadata.finalizers loses or gains {names.FINALIZER}" in refusal
    assert TORN in refusal
    assert actors["bypass"].refusal("PATCH", PLACE, loss, Content_Type=form) == ""


def live(actors: dict[str, Actor]) -> Manifest:
    found = deepcopy(actors["bypass"].api.get(PLACE))
    assert found is not None
    found["metadata"].pop("managedFields")
    return found


@pytest.mark.parametrize("who", HELD)
def test_a_replacement_keeps_them_and_an_apply_leaves_them(actors: dict[str, Actor], who: str) -> None:
    """``kubectl replace`` of the manifest in Git has none; an apply neither names nor owns them."""
    edited = live(actors)
    edited["spec"]["description"] = "edited"
    assert actors[who].refusal("PUT", PLACE, edited) == ""
    stripped = deepcopy(edited)
    del stripped["metadata"]["finalizers"]
    assert TORN in actors[who].refusal("PUT", PLACE, stripped)
    body = {**project("ending", team={"groups": {"admin": ["ending-admins"]}}), "metadata": {"name": "ending"}}
    assert actors[who].refusal("PATCH", PLACE, body, Content_Type=APPLY_PATCH) == ""
    owning = {**body, "metadata": {"name": "ending", "finalizers": [f"{names.FINALIZER}.far.away"]}}
    assert TORN in actors[who].refusal("PATCH", PLACE, owning, Content_Type=APPLY_PATCH)


def test_other_finalizers_and_the_deletion_are_free(actors: dict[str, Actor]) -> None:
    for finalizers in (OURS, [*reversed(OURS), THEIRS], [*OURS, "foregroundDeletion"]):
        change = {"metadata": {"finalizers": finalizers}}
        assert actors["member"].refusal("PATCH", PLACE, change, Content_Type=MERGE_PATCH) == ""
    assert actors["member"].refusal("DELETE", PLACE, None) == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", HELD)
def test_nobody_gives_our_kinds_an_owner(actors: dict[str, Actor], who: str, kind: str) -> None:
    """Decisions have none either, by their own rule."""
    path, admin = f"/apis/{names.API_VERSION}/{kind}", actors["bypass"].api
    present = live(actors) if kind == "projectonboardings" else admin.items(path)[0]
    place = f"{path}/{present['metadata']['name']}"
    more = {
        "apiVersion": names.API_VERSION,
        "kind": present["kind"],
        "metadata": {"name": "ending-owned", "ownerReferences": OWNERS},
        "spec": present["spec"],
    }
    owned = {"metadata": {"ownerReferences": OWNERS}}
    for method, at, body, form in (("POST", path, more, "application/json"), ("PATCH", place, owned, MERGE_PATCH)):
        refusal = actors[who].refusal(method, at, body, Content_Type=form)
        assert f"of {present['kind']} '" in refusal
        assert f"(rule {RULE}): {OWNED}" in refusal
        assert actors["bypass"].refusal(method, at, body, Content_Type=form) == ""
    more["metadata"] = {"name": "ending-owned"}
    assert actors[who].refusal("POST", path, more) == ""


def test_an_owner_from_before_stays_in_nobodys_way_and_goes(actors: dict[str, Actor]) -> None:
    admin = actors["bypass"].api
    body = project("ending-owned", team={"groups": {"admin": ["ending-admins"]}})
    owner = {**OWNERS[0], "uid": admin.request("GET", "/api/v1/namespaces/default")["metadata"]["uid"]}
    admin.create(PROJECTS, {**body, "metadata": {"name": "ending-owned", "ownerReferences": [owner]}})
    for change in ({"spec": {"description": "x"}}, {"metadata": {"ownerReferences": None}}):
        path = f"{PROJECTS}/ending-owned"
        assert actors["member"].refusal("PATCH", path, change, Content_Type=MERGE_PATCH) == ""
    admin.delete(f"{PROJECTS}/ending-owned")
