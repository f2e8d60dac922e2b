"""The guard rails against a real API server: each rule is attacked, and each of its openings is used."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import ControlPlane
from devcluster.waiting import wait_until
from onboarding import names

DATA = Path(__file__).parent / "guard_rails"
ACCOUNT, NAMESPACES, OBJECTS = names.GUARD_POLICIES
PROJECTS, DECISIONS = "project-onboarding-projects", "project-onboarding-decisions"
DEV, ARGO, PLATFORM = "--namespace=guarded-dev", "--namespace=argocd", "--namespace=project-onboarding"
LABEL = names.LABEL_INSTALLATION
OWNER = [{"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "00000000-0000-0000-0000-000000000000"}]


@dataclass(frozen=True)
class Person:
    """Somebody with a kubeconfig."""

    cluster: ControlPlane
    kubeconfig: Path

    def does(self, *command: str, body: Any = None) -> str:
        """Run kubectl and return what it prints."""
        stdin = None if body is None else json.dumps(body)
        return self.cluster.kubectl(*command, stdin=stdin, kubeconfig=self.kubeconfig).stdout

    def refusal(self, *command: str, body: Any = None) -> str:
        """Run kubectl and return why it failed, or nothing if it did not."""
        stdin = None if body is None else json.dumps(body)
        done = self.cluster.kubectl(*command, stdin=stdin, kubeconfig=self.kubeconfig, check=False)
        return done.stderr if done.returncode else ""

    def meets(self, rule: str, *command: str, body: Any = None) -> None:
        """Demand that this rule refuses a command."""
        refusal = self.refusal(*command, body=body)
        assert f"(rule {rule})" in refusal, f"{command}: {refusal or 'nothing refused it'}"


def patch(kind: str, name: str, change: Any, *options: str) -> list[str]:
    """Return the command that changes an object."""
    form = "json" if isinstance(change, list) else "merge"
    return ["patch", kind, name, f"--type={form}", f"--patch={json.dumps(change)}", *options]


def environment(name: str) -> dict[str, Any]:
    """Return the managed objects of an environment."""
    return yaml.safe_load((DATA / "managed.yaml").read_text().replace("guarded-dev", name))


def labelled(kind: str, name: str) -> dict[str, Any]:
    """Return an object that claims to be the operator's."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {LABEL: "test"}}}


def project(name: str, groups: dict[str, list[str]]) -> dict[str, Any]:
    spec = {"owner": {"name": "Ada", "email": "ada@example.org"}, "team": {"groups": groups}}
    return {"apiVersion": names.API_VERSION, "kind": "ProjectOnboarding", "metadata": {"name": name}, "spec": spec}


def decision(name: str, by: str, groups: list[str], **changes: Any) -> dict[str, Any]:
    about = {"name": "guarded", "uid": "00000000-0000-0000-0000-000000000000"}
    author = {"username": by, "groups": groups}
    spec = {"decision": "ConfirmDelete", "project": about, "by": author, "reason": "It has ended.", **changes}
    return {"apiVersion": names.API_VERSION, "kind": "OnboardingDecision", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def admin(installed: ControlPlane) -> Person:
    """Return the cluster's administrator, who holds every verb."""
    person = Person(installed, installed.kubeconfig)
    person.does("apply", "--server-side", "--force-conflicts", "--filename", str(DATA / "grants.yaml"))
    return person


@pytest.fixture(scope="module")
def editor(admin: Person) -> Person:
    """Return somebody whose rights on the whole cluster would do for every attack."""
    return Person(admin.cluster, admin.cluster.kubeconfig_for("eve", ["editors"]))


@pytest.fixture(scope="module")
def operator(admin: Person, editor: Person) -> Person:
    """Return the operator's account, once every rule is enforced and its environment is there."""
    account = admin.cluster.kubeconfig_for_service_account("project-onboarding", names.MANAGER)
    operator = Person(admin.cluster, account)
    create = ["create", "--dry-run=server", "--filename=-"]
    quota = labelled("ResourceQuota", "probe") | {"spec": {"hard": {"pods": "1"}}}
    probes = {
        ACCOUNT: lambda: operator.refusal("create", "namespace", "probe", "--dry-run=server"),
        NAMESPACES: lambda: editor.refusal(*create, body=labelled("Namespace", "probe")),
        OBJECTS: lambda: editor.refusal(*create, body=quota),
        DECISIONS: lambda: admin.refusal(*create, body=decision("probe", "nobody", [])),
    }
    for rule, probe in probes.items():
        wait_until(lambda rule=rule, probe=probe: f"(rule {rule})" in probe(), f"enforcement of {rule}", 30)
    operator.does("create", "--filename=-", body=environment("guarded-dev"))
    return operator


@pytest.fixture(scope="module")
def argocd(operator: Person) -> Person:
    """Return Argo CD's application controller, with its stock role on everything."""
    account = operator.cluster.kubeconfig_for_service_account("argocd", "argocd-application-controller")
    return Person(operator.cluster, account)


@pytest.fixture(scope="module")
def tenant(operator: Person) -> Person:
    """Return an administrator of the environment, by the operator's RoleBinding."""
    return Person(operator.cluster, operator.cluster.kubeconfig_for("tina", ["guarded-admins"]))


@pytest.fixture(scope="module")
def people(operator: Person, admin: Person) -> dict[str, Person]:
    """Return whom RBAC lets write projects and decisions: a member, a stranger and a holder of the rights."""
    admin.does("create", "--filename=-", body=project("guarded", {"admin": ["guarded-admins"]}))
    groups = {"member": ["people", "guarded-admins"], "stranger": ["people"], "holder": ["people", "holders"]}
    cluster = admin.cluster
    return {name: Person(cluster, cluster.kubeconfig_for(name, held)) for name, held in groups.items()}


def namespace_patch(metadata: Any, *options: str) -> list[str]:
    return patch("namespace", "guarded-dev", {"metadata": metadata}, *options)


NAMESPACE_ATTACKS = {
    "weaken pod security": namespace_patch({"labels": {f"{names.POD_SECURITY_PREFIX}enforce": "privileged"}}),
    "take our label off": namespace_patch({"labels": {LABEL: None}}),
    "take all labels off": patch("namespace", "guarded-dev", [{"op": "remove", "path": "/metadata/labels"}]),
    "claim another project": namespace_patch({"labels": {names.LABEL_PROJECT: "other"}}),
    "claim another manager": namespace_patch({"labels": {names.LABEL_MANAGED_BY: "Helm"}}),
    "forge what was admitted": namespace_patch({"annotations": {names.ANNOTATION_ADMITTED: "{}"}}),
    "add an owner": namespace_patch({"ownerReferences": OWNER}),
    "write through status": namespace_patch({"labels": {LABEL: None}}, "--subresource=status"),
    "delete it": ["delete", "namespace", "guarded-dev", "--wait=false"],
    "label a stranger's namespace": ["label", "namespace", "default", f"{LABEL}=test"],
}


@pytest.mark.parametrize("attack", NAMESPACE_ATTACKS.values(), ids=NAMESPACE_ATTACKS)
def test_a_managed_namespace_is_frozen(operator: Person, editor: Person, argocd: Person, attack: list[str]) -> None:
    editor.meets(NAMESPACES, *attack)
    argocd.meets(NAMESPACES, *attack)


def test_nobody_but_the_operator_makes_a_managed_namespace(operator: Person, editor: Person, argocd: Person) -> None:
    for person in (editor, argocd):
        person.meets(NAMESPACES, "create", "--filename=-", body=labelled("Namespace", "forged"))
        person.meets(NAMESPACES, "apply", "--server-side", "--filename=-", body=labelled("Namespace", "forged"))


def test_nobody_finalizes_a_managed_namespace(operator: Person, editor: Person) -> None:
    live = json.loads(editor.does("get", "namespace", "guarded-dev", "--output=json")) | {"spec": {"finalizers": []}}
    path = "/api/v1/namespaces/guarded-dev/finalize"
    editor.meets(NAMESPACES, "replace", f"--raw={path}", "--filename=-", body=live)


def test_the_rest_of_a_managed_namespace_is_free(operator: Person, editor: Person) -> None:
    editor.does("label", "namespace", "guarded-dev", "velero.io/exclude-from-backup=true")
    editor.does("annotate", "namespace", "guarded-dev", "example.org/contact=ada")
    editor.does("create", "namespace", "guarded-free")
    editor.does("label", "namespace", "guarded-free", f"{names.POD_SECURITY_PREFIX}enforce=baseline")
    editor.does("delete", "namespace", "guarded-free", "--wait=false")


OBJECT_ATTACKS = {
    "raise the quota": patch("resourcequota", "quota", {"spec": {"hard": {"pods": "99"}}}, DEV),
    "own the quota": patch("resourcequota", "quota", {"metadata": {"ownerReferences": OWNER}}, DEV),
    "unlabel the limits": ["label", "limitrange", "limits", f"{LABEL}-", DEV],
    "delete the limits": ["delete", "limitrange", "limits", DEV],
    "open the network": patch("networkpolicy", "deny", {"spec": {"ingress": [{}]}}, DEV),
    "delete every network policy": ["delete", "networkpolicies", "--all", DEV],
    "join the team": patch("rolebinding", "admins", {"subjects": []}, DEV),
    "hold the binding": patch("rolebinding", "admins", {"metadata": {"finalizers": ["example.org/hold"]}}, DEV),
    "mark the account": ["annotate", "serviceaccount", "account", f"{names.ANNOTATION_ADMITTED}=x", DEV],
    "add pull secrets": patch("serviceaccount", "account", {"imagePullSecrets": [{"name": "x"}]}, DEV),
    "widen the AppProject": patch("appproject", "guarded-dev", {"spec": {"sourceRepos": ["*"]}}, ARGO),
    "point the Application elsewhere": patch("application", "guarded-dev", {"spec": {"project": "default"}}, ARGO),
    "delete the Application": ["delete", "application", "guarded-dev", ARGO, "--wait=false"],
}


@pytest.mark.parametrize("attack", OBJECT_ATTACKS.values(), ids=OBJECT_ATTACKS)
def test_managed_objects_are_frozen(operator: Person, editor: Person, argocd: Person, attack: list[str]) -> None:
    editor.meets(OBJECTS, *attack)
    argocd.meets(OBJECTS, *attack)


def test_a_tenant_cannot_touch_the_guard_rails(tenant: Person) -> None:
    for attack in (["delete", "networkpolicy", "deny", DEV], OBJECT_ATTACKS["raise the quota"]):
        assert "cannot" in tenant.refusal(*attack)
    account = labelled("ServiceAccount", "forged")
    tenant.meets(OBJECTS, "create", "--filename=-", DEV, body=account)
    tenant.does("create", "serviceaccount", "mine", DEV)


def test_argo_cd_works_its_applications(argocd: Person, editor: Person) -> None:
    report = {"status": {"sync": {"status": "Synced"}}, "operation": {"sync": {"revision": "main"}}}
    editor.meets(OBJECTS, *patch("application", "guarded-dev", report, ARGO))
    argocd.does(*patch("application", "guarded-dev", report, ARGO))
    argocd.does(*patch("application", "guarded-dev", {"metadata": {"finalizers": [names.CASCADE_FINALIZER]}}, ARGO))
    argocd.does(*patch("application", "guarded-dev", {"metadata": {"finalizers": None}}, ARGO))
    editor.does("annotate", "application", "guarded-dev", "argocd.argoproj.io/refresh=normal", ARGO)


def test_an_administrator_passes_with_the_verb_bypass(operator: Person, admin: Person) -> None:
    for attack in ("raise the quota", "open the network", "delete the limits"):
        admin.does(*OBJECT_ATTACKS[attack], "--dry-run=server")
    for attack in ("weaken pod security", "delete it"):
        admin.does(*NAMESPACE_ATTACKS[attack], "--dry-run=server")


def test_without_the_list_of_identities_managed_objects_wait_and_nothing_else(operator: Person, admin: Person) -> None:
    listed = admin.does("get", "configmap", "project-onboarding-guard", "--output=json", PLATFORM)
    managed = ["annotate", "namespace", "guarded-dev", "a=b", "--dry-run=server"]
    admin.does("delete", "configmap", "project-onboarding-guard", PLATFORM)
    try:
        wait_until(lambda: "no params" in operator.refusal(*managed), "the refusal", 30)
        admin.does("annotate", "namespace", "default", "a=b", "--dry-run=server")
        admin.does("create", "secret", "generic", "guarded-any", "--namespace=default", "--dry-run=server")
    finally:
        admin.does("replace", "--force", "--filename=-", body=json.loads(listed))
    wait_until(lambda: not operator.refusal(*managed), "the end of the refusal", 30)


def test_a_managed_namespace_ends_with_everything_in_it(operator: Person, editor: Person) -> None:
    items = environment("guarded-end")["items"]
    inside = [item for item in items if item["metadata"].get("namespace") != "argocd"]
    operator.does("create", "--filename=-", body={"apiVersion": "v1", "kind": "List", "items": inside})
    operator.does("delete", "namespace", "guarded-end", "--wait=false")
    gone = ["get", "namespace", "guarded-end"]
    wait_until(lambda: "NotFound" in editor.refusal(*gone), "the end of the namespace", 30)


ACCOUNT_ATTACKS = {
    "delete a foreign namespace": ["delete", "namespace", "guarded-foreign"],
    "claim a foreign namespace": ["label", "namespace", "guarded-foreign", f"{LABEL}=test"],
    "make an unlabelled namespace": ["create", "namespace", "guarded-other"],
    "write a status": patch(
        "namespace", "guarded-foreign", {"metadata": {"labels": {"x": "y"}}}, "--subresource=status"
    ),
    "delete a foreign secret": ["delete", "secret", "foreign", "--namespace=guarded-foreign"],
    "make a secret": ["create", "secret", "generic", "mine", DEV],
    "make an unlabelled quota": ["create", "quota", "mine", DEV],
    "widen its own exceptions": patch(
        "configmap", "project-onboarding-guard", {"data": {"operators": "eve"}}, "-nproject-onboarding"
    ),
}


@pytest.mark.parametrize("attack", ACCOUNT_ATTACKS.values(), ids=ACCOUNT_ATTACKS)
def test_the_operator_is_kept_to_what_is_its_own(operator: Person, admin: Person, attack: list[str]) -> None:
    if "guarded-foreign" not in admin.does("get", "namespaces"):
        admin.does("create", "namespace", "guarded-foreign")
        admin.does("create", "secret", "generic", "foreign", "--namespace=guarded-foreign")
    operator.meets(ACCOUNT, *attack)


def test_the_operator_gives_no_access_to_a_foreign_namespace(operator: Person) -> None:
    bindings = [item for item in environment("kube-system")["items"] if item["kind"] == "RoleBinding"]
    operator.meets(ACCOUNT, "create", "--filename=-", body=bindings[0])


RENAME = {"spec": {"owner": {"name": "Grace", "email": "grace@example.org"}}}


def test_a_project_is_changed_by_its_administrators_and_holders_of_edit(people: dict[str, Person]) -> None:
    people["stranger"].meets(PROJECTS, *patch("projectonboarding", "guarded", RENAME))
    people["stranger"].meets(PROJECTS, "delete", "projectonboarding", "guarded")
    people["member"].does(*patch("projectonboarding", "guarded", RENAME))
    people["holder"].does(*patch("projectonboarding", "guarded", {"metadata": {"labels": {"seen": "yes"}}}))
    people["holder"].does("delete", "projectonboarding", "guarded", "--dry-run=server")


def test_a_project_without_administrators_is_changed_by_holders_of_edit_alone(people: dict[str, Person]) -> None:
    people["member"].does("create", "--filename=-", body=project("guarded-none", {}))
    people["member"].meets(PROJECTS, *patch("projectonboarding", "guarded-none", RENAME))
    people["holder"].meets(PROJECTS, *patch("projectonboarding", "guarded-none", RENAME))


def test_the_operator_changes_finalizer_and_status_of_a_project_alone(
    people: dict[str, Person], operator: Person
) -> None:
    finalizer = [{"op": "add", "path": "/metadata/finalizers", "value": [names.FINALIZER]}]
    status = {"status": {"observedGeneration": 1}}
    operator.does(*patch("projectonboarding", "guarded", finalizer))
    operator.does(*patch("projectonboarding", "guarded", [{"op": "remove", "path": "/metadata/finalizers"}]))
    operator.does(*patch("projectonboarding", "guarded", status, "--subresource=status"))
    operator.meets(PROJECTS, *patch("projectonboarding", "guarded", {"spec": {"mode": "Plan"}}))
    operator.meets(PROJECTS, *patch("projectonboarding", "guarded", {"metadata": {"labels": {"a": "b"}}}))
    operator.meets(PROJECTS, "delete", "projectonboarding", "guarded")
    people["member"].meets(PROJECTS, *patch("projectonboarding", "guarded", status, "--subresource=status"))


def test_a_decision_carries_the_name_of_a_person_with_the_right_to_it(
    people: dict[str, Person], operator: Person
) -> None:
    groups = ["people", "holders", "system:authenticated"]
    create = ["create", "--filename=-"]
    forged = decision("guarded-forged", "grace", groups)
    borrowed = decision("guarded-forged", "holder", [*groups, "admins"])
    unentitled = decision("guarded-forged", "stranger", ["people", "system:authenticated"])
    elsewhere = decision("guarded-forged", "holder", groups, project=forged["spec"]["project"] | {"name": "other"})
    for person, body in (("holder", forged), ("holder", borrowed), ("stranger", unentitled), ("holder", elsewhere)):
        people[person].meets(DECISIONS, *create, body=body)
    account = f"system:serviceaccount:project-onboarding:{names.MANAGER}"
    operator.meets(DECISIONS, *create, body=decision("guarded-forged", account, ["system:serviceaccounts"]))

    people["holder"].does(*create, body=decision("guarded-made", "holder", groups))
    assert people["holder"].refusal(*patch("onboardingdecision", "guarded-made", {"spec": {"reason": "Other."}}))
    people["stranger"].meets(DECISIONS, "delete", "onboardingdecision", "guarded-made")
    people["holder"].does("delete", "onboardingdecision", "guarded-made")


def test_the_rules_fit_the_kinds_they_guard(operator: Person, admin: Person) -> None:
    policies = json.loads(admin.does("get", "validatingadmissionpolicies", "--output=json"))["items"]
    assert {policy["metadata"]["name"] for policy in policies} >= {*names.GUARD_POLICIES, PROJECTS, DECISIONS}
    warnings = [policy["status"]["typeChecking"].get("expressionWarnings") for policy in policies]
    assert not any(warnings), warnings
