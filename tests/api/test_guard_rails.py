"""The guard rails against a real API server: each rule is attacked, and each of its openings is used."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch
from tests.support.waiting import wait_until

DATA = Path(__file__).parent / "guard_rails"
ACCOUNT, NAMESPACES, OBJECTS, DETACHED = names.GUARD_POLICIES
PROJECTS, DECISIONS = names.HUB_GUARD_POLICIES
DEV, ARGO, PLATFORM = "--namespace=guarded-dev", "--namespace=argocd", "--namespace=project-onboarding"
LABEL = names.LABEL_INSTALLATION
OWNER = {"apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "00000000-0000-0000-0000-000000000000"}
ATTACKS = {
    rule: {name: shlex.split(command.replace("{data}", str(DATA))) for name, command in attacks.items()}
    for rule, attacks in yaml.safe_load((DATA / "attacks.yaml").read_text()).items()
}


def environment(name: str) -> dict[str, Any]:
    """Return the managed objects of an environment."""
    return yaml.safe_load((DATA / "managed.yaml").read_text().replace("guarded-dev", name))


def labelled(kind: str, name: str, label: str = LABEL) -> dict[str, Any]:
    """Return an object that claims to be the operator's."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {label: "test"}}}


def project(name: str, groups: dict[str, list[str]]) -> dict[str, Any]:
    spec = {"owner": {"name": "Ada", "email": "ada@example.org"}, "team": {"groups": groups}}
    return {"apiVersion": names.API_VERSION, "kind": "ProjectOnboarding", "metadata": {"name": name}, "spec": spec}


@dataclass(frozen=True)
class People:
    """Everybody who meets the guard rails."""

    admin: Person
    """Holds every verb."""
    account: Person
    """The operator's, given more by mistake."""
    argocd: Person
    """The application controller, with its stock role on everything."""
    editor: Person
    """Their rights on the whole cluster would do for every attack."""
    tenant: Person
    """Administrator of the environment, by the operator's RoleBinding."""
    member: Person
    """Like all below may write projects; in the group of the project's administrators."""
    stranger: Person
    holder: Person
    """Holds edit on the project."""


@pytest.fixture(scope="module")
def people(installed: ControlPlane) -> Iterator[People]:
    """Grant everybody their rights until the last test, and let the operator's account make an environment."""
    admin = Person(installed, installed.kubeconfig)
    admin.does("apply", "--server-side", "--filename", str(DATA / "grants.yaml"))
    accounts = {"account": (names.MANAGER, "project-onboarding"), "argocd": ("argocd-application-controller", "argocd")}
    groups = {
        "editor": ["editors"],
        "tenant": ["guarded-admins"],
        "member": ["people", "guarded-admins"],
        "stranger": ["people"],
        "holder": ["people", "holders"],
    }
    kubeconfigs = {
        who: installed.kubeconfig_for_service_account(place, name) for who, (name, place) in accounts.items()
    }
    kubeconfigs |= {who: installed.kubeconfig_for(who, held) for who, held in groups.items()}
    people = People(admin, **{who: Person(installed, path) for who, path in kubeconfigs.items()})
    wait_for_rules(people)
    people.account.does("create", "--filename=-", body=environment("guarded-dev"))
    admin.does("create", "--filename=-", body=project("guarded", {"admin": ["guarded-admins"]}))
    yield people
    ended = {
        "guarded-dev": environment("guarded-dev"),
        "guarded": project("guarded", {}),
        "none": project("guarded-none", {}),
    }
    for body in ended.values():
        admin.does("delete", "--ignore-not-found", "--wait=false", "--filename=-", body=body)
    admin.does("delete", "--ignore-not-found", "--filename", str(DATA / "grants.yaml"))


def wait_for_rules(people: People) -> None:
    """Wait until the API server enforces what was applied a moment ago."""
    create = ["create", "--dry-run=server", "--filename=-"]
    quota = labelled("ResourceQuota", "probe") | {"spec": {"hard": {"pods": "1"}}}
    probes = {
        ACCOUNT: (people.account, labelled("Namespace", "probe", "example.org/other")),
        NAMESPACES: (people.editor, labelled("Namespace", "probe")),
        OBJECTS: (people.editor, quota),
    }
    for rule, (person, body) in probes.items():
        wait_until(partial(person.is_refused_by, rule, *create, body=body), what=f"{rule} is enforced")


@pytest.mark.parametrize("attack", ATTACKS[NAMESPACES].values(), ids=ATTACKS[NAMESPACES])
def test_a_managed_namespace_is_frozen(people: People, attack: list[str]) -> None:
    people.editor.meets(NAMESPACES, *attack)
    people.argocd.meets(NAMESPACES, *attack)


def test_nobody_but_the_operator_makes_a_managed_namespace(people: People) -> None:
    for person in (people.editor, people.argocd):
        person.meets(NAMESPACES, "create", "--filename=-", body=labelled("Namespace", "forged"))
        person.meets(NAMESPACES, "apply", "--server-side", "--filename=-", body=labelled("Namespace", "forged"))


def test_nobody_finalizes_a_managed_namespace(people: People) -> None:
    live = json.loads(people.editor.does("get", "namespace", "guarded-dev", "--output=json"))
    live["spec"] = {"finalizers": []}
    path = "/api/v1/namespaces/guarded-dev/finalize"
    people.editor.meets(NAMESPACES, "replace", f"--raw={path}", "--filename=-", body=live)


def test_the_rest_of_a_managed_namespace_is_free(people: People) -> None:
    people.editor.does("label", "namespace", "guarded-dev", "velero.io/exclude-from-backup=true")
    people.editor.does("annotate", "namespace", "guarded-dev", "example.org/contact=ada")
    people.editor.does("create", "namespace", "guarded-free")
    people.editor.does("label", "namespace", "guarded-free", f"{names.POD_SECURITY_PREFIX}enforce=baseline")
    people.editor.does("delete", "namespace", "guarded-free", "--wait=false")


@pytest.mark.parametrize("attack", ATTACKS[OBJECTS].values(), ids=ATTACKS[OBJECTS])
def test_managed_objects_are_frozen(people: People, attack: list[str]) -> None:
    people.editor.meets(OBJECTS, *attack)
    people.argocd.meets(OBJECTS, *attack)


def test_a_tenant_cannot_touch_the_guard_rails(people: People) -> None:
    for attack in (["delete", "networkpolicy", "deny", DEV], ATTACKS[OBJECTS]["raise the quota"]):
        assert "cannot" in people.tenant.refusal(*attack)
    account = labelled("ServiceAccount", "forged")
    people.tenant.meets(OBJECTS, "create", "--filename=-", DEV, body=account)
    people.tenant.does("create", "serviceaccount", "mine", DEV)


def test_argo_cd_works_its_applications(people: People) -> None:
    report = {"status": {"sync": {"status": "Synced"}}, "operation": {"sync": {"revision": "main"}}}
    people.editor.meets(OBJECTS, *patch("application", "guarded-dev", report, ARGO))
    people.argocd.does(*patch("application", "guarded-dev", report, ARGO))
    for finalizers in ([names.CASCADE_FINALIZER], None):
        people.argocd.does(*patch("application", "guarded-dev", {"metadata": {"finalizers": finalizers}}, ARGO))
    people.editor.does("annotate", "application", "guarded-dev", "argocd.argoproj.io/refresh=normal", ARGO)


def test_an_administrator_passes_with_the_verb_bypass(people: People) -> None:
    for attack in ("raise the quota", "open the network", "delete the limits"):
        people.admin.does(*ATTACKS[OBJECTS][attack], "--dry-run=server")
    for attack in ("weaken pod security", "delete it"):
        people.admin.does(*ATTACKS[NAMESPACES][attack], "--dry-run=server")


def test_the_operator_does_not_touch_the_guard_rails_themselves(people: People) -> None:
    for kind in ("validatingadmissionpolicy", "validatingadmissionpolicybinding"):
        assert "cannot" in people.account.refusal(*patch(kind, OBJECTS, {"metadata": {"labels": {"a": "b"}}}))
        assert "cannot delete" in people.account.refusal("delete", kind, OBJECTS)


def test_a_managed_namespace_ends_with_everything_in_it(people: People) -> None:
    items = environment("guarded-end")["items"]
    inside = [item for item in items if item["metadata"].get("namespace") != "argocd"]
    people.account.does("create", "--filename=-", body={"apiVersion": "v1", "kind": "List", "items": inside})
    people.account.does("delete", "namespace", "guarded-end", "--wait=false")
    gone = ["get", "namespace", "guarded-end"]
    wait_until(lambda: "NotFound" in people.editor.refusal(*gone), what="the end of the namespace")


@pytest.mark.parametrize("attack", ATTACKS[ACCOUNT].values(), ids=ATTACKS[ACCOUNT])
def test_the_operator_is_kept_to_what_is_its_own(people: People, attack: list[str]) -> None:
    if "guarded-foreign" not in people.admin.does("get", "namespaces"):
        people.admin.does("create", "namespace", "guarded-foreign")
        people.admin.does("create", "secret", "generic", "foreign", "--namespace=guarded-foreign")
        for theirs in ("argocd-secret", "other-repo"):
            people.admin.does("create", "secret", "generic", theirs, ARGO)
    people.account.meets(ACCOUNT, *attack)


WHOSE = {"installation": "test", "project": "guarded", "uid": "uid-1"}
CLAIM = {LABEL: "test", names.LABEL_PROJECT: "guarded", names.LABEL_PROJECT_UID: "uid-1"}
NOT_THEIRS: dict[str, tuple[dict[str, str] | None, dict[str, str]]] = {
    "another installation's": ({**WHOSE, "installation": "test-2"}, CLAIM),
    "another project's": ({**WHOSE, "project": "guarded-2"}, CLAIM),
    "a former project's": ({**WHOSE, "uid": "uid-10"}, CLAIM),
    "nobody's": (None, CLAIM),
    "without an installation": ({**WHOSE, "installation": ""}, {**CLAIM, LABEL: ""}),
    "without a project": (WHOSE, {key: CLAIM[key] for key in CLAIM if key != names.LABEL_PROJECT}),
    "without a UID": (WHOSE, {key: CLAIM[key] for key in CLAIM if key != names.LABEL_PROJECT_UID}),
}
"""By case, what an object says of where it was detached from, and the labels with which it is claimed."""


def test_the_operator_takes_back_what_was_detached_from_whom_it_labels(people: People) -> None:
    """Not even a thief of its token gives a detached object to another project; the present annotation counts first."""
    place = "--namespace=guarded-left"
    people.admin.does("create", "namespace", "guarded-left")
    people.admin.does("create", "quota", "left", "--hard=pods=1", place)
    objects = (("namespace", "guarded-left"), ("resourcequota", "left", place))
    theirs = {"at": "now", **WHOSE, "environment": "dev"}
    for origin, labels in NOT_THEIRS.values():
        for said, (kind, name, *options) in product(((origin, None), (None, origin), (origin or {}, theirs)), objects):
            people.admin.does(*patch(kind, name, says(*said), *options))
            people.account.meets(ACCOUNT, *patch(kind, name, {"metadata": {"labels": labels}}, *options))
    for said, (kind, name, *options) in product(((theirs, None), (None, theirs)), objects):
        people.admin.does(*patch(kind, name, says(*said), *options))
        people.account.does(*patch(kind, name, {"metadata": {"labels": CLAIM}}, *options, "--dry-run=server"))
    for kind, name, *options in reversed(objects):
        people.account.does(*patch(kind, name, {"metadata": {"labels": CLAIM}}, *options))
    people.account.does("delete", "namespace", "guarded-left", "--wait=false")


def says(*origins: dict[str, str] | None) -> dict[str, Any]:
    """Return the patch that lets an object say where it was detached from: by the present and the former annotation."""
    texts = (None if origin is None else orjson.dumps(origin).decode() for origin in origins)
    annotations = (names.ANNOTATION_DETACHED, names.ANNOTATION_RELEASED)
    return {"metadata": {"annotations": dict(zip(annotations, texts, strict=True))}}


def test_the_cluster_behind_a_connection_is_entered_once(people: People) -> None:
    """Connections are added and may get another name; no cluster is exchanged for another, and none is forgotten."""
    clusters = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": names.CLUSTERS_CONFIGMAP}}
    people.account.does(
        "create", "--filename=-", PLATFORM, body={**clusters, "data": {"hub": "a", "far_kubeconfig": "b"}}
    )

    def pins(**data: str | None) -> list[str]:
        return [*patch("configmap", names.CLUSTERS_CONFIGMAP, {"data": data}, PLATFORM)]

    people.account.does(*pins(more_kubeconfig="c"))
    people.account.meets(ACCOUNT, *pins(far_kubeconfig="d"))
    people.account.meets(ACCOUNT, *pins(far_kubeconfig=None))
    people.account.meets(ACCOUNT, *pins(far_kubeconfig="a", new_kubeconfig="b"))
    people.account.does(*pins(far_kubeconfig=None, new_kubeconfig="b"))
    people.account.meets(ACCOUNT, "delete", "configmap", names.CLUSTERS_CONFIGMAP, PLATFORM)
    people.admin.does("delete", "configmap", names.CLUSTERS_CONFIGMAP, PLATFORM)


RENAME = {"spec": {"owner": {"name": "Grace", "email": "grace@example.org"}}}


def test_a_project_is_changed_by_its_administrators_and_holders_of_edit(people: People) -> None:
    people.stranger.meets(PROJECTS, *patch("projectonboarding", "guarded", RENAME))
    people.stranger.meets(PROJECTS, "delete", "projectonboarding", "guarded")
    people.member.does(*patch("projectonboarding", "guarded", RENAME))
    people.holder.does(*patch("projectonboarding", "guarded", {"metadata": {"labels": {"seen": "yes"}}}))
    people.holder.does("delete", "projectonboarding", "guarded", "--dry-run=server")


def test_a_project_without_administrators_is_changed_by_holders_of_edit_alone(people: People) -> None:
    people.member.does("create", "--filename=-", body=project("guarded-none", {}))
    people.member.meets(PROJECTS, *patch("projectonboarding", "guarded-none", RENAME))
    people.holder.meets(PROJECTS, *patch("projectonboarding", "guarded-none", RENAME))


def test_a_project_goes_even_when_it_is_deleted_in_the_foreground(people: People) -> None:
    people.member.does("create", "--filename=-", body=project("guarded-gone", {"admin": ["guarded-admins"]}))
    people.member.does("delete", "projectonboarding", "guarded-gone", "--cascade=foreground", "--wait=false")
    gone = ["get", "projectonboarding", "guarded-gone"]
    wait_until(lambda: "NotFound" in people.member.refusal(*gone), what="the end of the project")


def test_the_operator_changes_finalizer_and_status_of_a_project_alone(people: People) -> None:
    finalizer = [{"op": "add", "path": "/metadata/finalizers", "value": [names.FINALIZER]}]
    status = {"status": {"observedGeneration": 1}}
    people.account.does(*patch("projectonboarding", "guarded", finalizer))
    people.account.does(*patch("projectonboarding", "guarded", [{"op": "remove", "path": "/metadata/finalizers"}]))
    people.account.does(*patch("projectonboarding", "guarded", status, "--subresource=status"))
    for field in ("labels", "annotations"):
        people.account.meets(ACCOUNT, *patch("projectonboarding", "guarded", {"metadata": {field: {"a": "b"}}}))
    people.account.meets(ACCOUNT, *patch("projectonboarding", "guarded", {"metadata": {"ownerReferences": [OWNER]}}))
    people.account.meets(ACCOUNT, *patch("projectonboarding", "guarded", {"spec": {"mode": "Plan"}}))
    people.account.meets(ACCOUNT, "delete", "projectonboarding", "guarded")
    people.account.meets(ACCOUNT, "create", "--filename=-", body=project("guarded-own", {}))
    people.member.meets(PROJECTS, *patch("projectonboarding", "guarded", status, "--subresource=status"))


def test_the_rules_fit_the_kinds_they_guard(people: People) -> None:
    policies = json.loads(people.admin.does("get", "validatingadmissionpolicies", "--output=json"))["items"]
    assert {policy["metadata"]["name"] for policy in policies} >= {*names.GUARD_POLICIES, *names.HUB_GUARD_POLICIES}
    warnings = [policy["status"]["typeChecking"].get("expressionWarnings") for policy in policies]
    assert not any(warnings), warnings
