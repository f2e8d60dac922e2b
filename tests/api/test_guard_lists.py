"""The kustomize patch of docs/guard-rails.md sets who is who in every admission policy, and these judge by it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- guard-lists:begin -->\n```yaml\n(.*?)```\n<!-- guard-lists:end -->", re.DOTALL)
ACCOUNT, NAMESPACES, OBJECTS, DETACHED = names.GUARD_POLICIES
DRY, HERE, ARGO = "--dry-run=server", "--namespace=listed-dev", "--namespace=gitops"
MAKE = ["create", DRY, "--filename=-"]
EVERYTHING, OPERATES, EDITS = "cluster-admin", "project-onboarding-operator-site", "edit"
USERS = {
    "hub@example.org": OPERATES,
    "other@example.org": OPERATES,
    "robot@example.org": EVERYTHING,
    "anybody@example.org": EVERYTHING,
    "tokens@example.org": EDITS,
    "editor@example.org": EDITS,
}
ARGOCDS = (
    *(
        f"{namespace}:argocd-{name}"
        for namespace in ("gitops", "argocd")
        for name in ("application-controller", "applicationset-controller", "server")
    ),
    "gitops:openshift-gitops-argocd-application-controller",
    "gitops:openshift-gitops-applicationset-controller",
)
BESIDE = ("gitops:any-controller", "argocd:any-controller", "argocd:argocd-repo-server", "argocd:argocd-server-x")
"""Other accounts of the namespaces of Argo CDs."""
STRANGERS = ("elsewhere:any-controller", "elsewhere:argocd-server")
ACCOUNTS = ("ci:releases", "ci:other", *ARGOCDS, *BESIDE, *STRANGERS)
"""Service accounts; each holds every verb there is, as Argo CD's do."""


def thing(kind: str, name: str = "listed-dev", api: str = "v1", **fields: Any) -> dict[str, Any]:
    """Return an object with the operator's label."""
    labels = {
        names.LABEL_INSTALLATION: "test",
        names.LABEL_PROJECT: "listed",
        f"{names.POD_SECURITY_PREFIX}enforce": "restricted",
    }
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


APPLICATION = thing(
    "Application",
    api="argoproj.io/v1alpha1",
    spec={
        "project": "listed",
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "listed-dev"},
        "source": {"repoURL": "https://git.example.org/listed", "path": "."},
    },
)


def rendered(admin: Person, folder: Path) -> list[dict[str, Any]]:
    """Return the admission policies that a folder installs."""
    items = yaml.safe_load_all(admin.does("kustomize", str(folder)))
    return [item for item in items if item["kind"] == "ValidatingAdmissionPolicy"]


def overlay(directory: Path) -> Path:
    """Write the kustomization of the documentation into a folder."""
    (text,) = BLOCK.findall((ROOT / "docs/guard-rails.md").read_text())
    install = os.path.relpath(ROOT / "manifests/install", directory)
    (directory / "kustomization.yaml").write_text(text.replace("../manifests/install", install))
    return directory


def as_list(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def test_one_patch_sets_the_lists_of_the_policies_on_insiders_too(admin: Person, tmp_path: Path) -> None:
    file = overlay(tmp_path) / "kustomization.yaml"
    install = os.path.relpath(ROOT / "manifests/install", tmp_path)
    both = f"{install}, {os.path.relpath(ROOT / 'manifests/insiders', tmp_path)}"
    file.write_text(file.read_text().replace(f"[{install}]", f"[{both}]"))
    items = yaml.safe_load_all(admin.does("kustomize", str(tmp_path)))
    lists = {
        (item["kind"], item["metadata"]["name"]): [one["expression"] for one in item["spec"]["variables"][:5]]
        for item in items
        if item["kind"].endswith("AdmissionPolicy")
    }
    assert ("MutatingAdmissionPolicy", names.INSIDERS_POLICY) in lists
    assert ("ValidatingAdmissionPolicy", names.INSIDERS_POLICY) in lists
    assert len({tuple(each) for each in lists.values()}) == 1
    assert "robot@example.org" in lists["MutatingAdmissionPolicy", names.INSIDERS_POLICY][2]


@pytest.fixture(scope="module")
def admin(installed: ControlPlane) -> Person:
    return Person(installed, installed.kubeconfig)


@pytest.fixture(scope="module")
def people(installed: ControlPlane, admin: Person) -> Iterator[dict[str, Person]]:
    """Give everybody their rights until the last test."""
    people = {user: Person(installed, installed.kubeconfig_for(user, [role])) for user, role in USERS.items()}
    bound = {f"listed-{role}": (role, [f"--group={role}"]) for role in (EVERYTHING, OPERATES, EDITS)}
    for account in ACCOUNTS:
        namespace, _, name = account.partition(":")
        admin.does("apply", "--filename=-", body={**thing("Namespace", namespace), "metadata": {"name": namespace}})
        made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
        admin.does("apply", "--filename=-", body=made)
        people[account] = Person(installed, installed.kubeconfig_for_service_account(namespace, name))
    bound["listed-accounts"] = (EVERYTHING, [f"--serviceaccount={account}" for account in ACCOUNTS])
    for binding, (role, subjects) in bound.items():
        admin.does("create", "clusterrolebinding", binding, f"--clusterrole={role}", *subjects)
    yield people
    admin.does("delete", "clusterrolebinding", *bound)


@pytest.fixture(scope="module", autouse=True)
def listed(admin: Person, people: dict[str, Person], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put the lists of the documentation in force until the last test; the new operator makes an environment."""
    before = rendered(admin, ROOT / "manifests/install")
    after = rendered(admin, overlay(tmp_path_factory.mktemp("overlay")))
    changed = [one["metadata"]["name"] for one, other in zip(before, after, strict=True) if one != other]
    assert sorted(changed) == sorted((*names.GUARD_POLICIES, *names.HUB_GUARD_POLICIES))
    admin.does("replace", "--filename=-", body=as_list(after))
    hub, decider = people["hub@example.org"], people["ci:releases"]
    wait_until(lambda: not hub.refusal(*MAKE, body=thing("Namespace")), what="the new operator is known")
    wait_until(lambda: not decider.refusal(*MAKE, body=decision(decider)), what="the new decider is known")
    # Each policy by itself.
    wait_until(lambda: hub.is_refused_by(ACCOUNT, "create", "namespace", "bare", DRY), what="the new operator is held")
    hub.does("create", "--filename=-", body=thing("Namespace"))
    account = thing("ServiceAccount")
    wait_until(lambda: not hub.refusal("create", "--filename=-", HERE, body=account), what="it makes objects")
    hub.does("create", "--filename=-", ARGO, body=APPLICATION)
    yield
    hub.does("delete", "application", "listed-dev", ARGO)
    hub.does("delete", "serviceaccount", "listed-dev", HERE)
    hub.does("delete", "namespace", "listed-dev", "--wait=false")
    admin.does("replace", "--filename=-", body=as_list(before))
    wait_until(lambda: hub.is_refused_by(NAMESPACES, *MAKE, body=thing("Namespace", "more")), what="the former lists")
    wait_until(lambda: decider.refusal(*MAKE, body=decision(decider)), what="the former deciders")


def decision(who: Person) -> dict[str, Any]:
    """Return a decision of somebody under their own name."""
    told = json.loads(who.does("auth", "whoami", "--output=json"))["status"]["userInfo"]
    spec = {
        "decision": "Suspend",
        "project": {"name": "listed", "uid": "00000000-0000-0000-0000-000000000000"},
        "by": {"username": told["username"], "groups": told["groups"]},
        "reason": "It is time.",
    }
    return thing("OnboardingDecision", api=names.API_VERSION, spec=spec)


def test_an_operator_that_is_entered_writes_managed_objects_and_nothing_else(people: dict[str, Person]) -> None:
    hub, other = people["hub@example.org"], people["other@example.org"]
    mark = patch("serviceaccount", "listed-dev", {"metadata": {"annotations": {names.ANNOTATION_ADMITTED: "a"}}}, DRY)
    hub.does(*mark, HERE)
    other.meets(OBJECTS, *mark, HERE)
    other.meets(NAMESPACES, *MAKE, body=thing("Namespace", "listed-more"))
    hub.meets(ACCOUNT, "delete", "namespace", "elsewhere", DRY)
    other.does("delete", "namespace", "elsewhere", DRY)


OPEN = patch(
    "namespace", "listed-dev", {"metadata": {"labels": {f"{names.POD_SECURITY_PREFIX}enforce": "privileged"}}}, DRY
)


def test_who_is_never_exempt_is_refused_whatever_verbs_they_hold(people: dict[str, Person]) -> None:
    """Those who are listed, and every account of the Argo CDs."""
    for who in ("robot@example.org", *ARGOCDS, *BESIDE):
        people[who].meets(NAMESPACES, *OPEN)
        people[who].meets(OBJECTS, "delete", "serviceaccount", "listed-dev", HERE, DRY)
    for who in ("anybody@example.org", *STRANGERS):
        people[who].does(*OPEN)
        people[who].does("delete", "serviceaccount", "listed-dev", HERE, DRY)


WORK: dict[str, Any] = {
    "report": {"status": {"sync": {"status": "Synced"}}},
    "operate": {"operation": {"sync": {"revision": "main"}}},
    "finalize": {"metadata": {"finalizers": [names.CASCADE_FINALIZER]}},
}


@pytest.mark.parametrize("change", WORK.values(), ids=WORK)
def test_the_controllers_of_every_argo_cd_work_applications_and_no_account_beside_them(
    people: dict[str, Person], change: dict[str, Any]
) -> None:
    """An account beside them holds every verb, and starts no operation by which it would deploy as the project."""
    work = patch("application", "listed-dev", change, ARGO, DRY)
    for who in ARGOCDS:
        people[who].does(*work)
    for who in (*BESIDE, "robot@example.org"):
        people[who].meets(OBJECTS, *work)


def test_the_controllers_of_an_argo_cd_change_no_application(people: dict[str, Person]) -> None:
    move = patch("application", "listed-dev", {"spec": {"project": "default"}}, ARGO, DRY)
    for who in (*ARGOCDS, *BESIDE):
        people[who].meets(OBJECTS, *move)


def test_controllers_write_pull_secrets_of_accounts_and_nothing_else(people: dict[str, Person]) -> None:
    pull = patch("serviceaccount", "listed-dev", {"imagePullSecrets": [{"name": "pull"}]}, HERE, DRY)
    people["tokens@example.org"].does(*pull)
    people["editor@example.org"].meets(OBJECTS, *pull)
    people["tokens@example.org"].meets(OBJECTS, "delete", "serviceaccount", "listed-dev", HERE, DRY)


def test_deciders_decide_and_no_other_account_does(people: dict[str, Person]) -> None:
    for who, told in (("ci:releases", ""), ("ci:other", "a service account does not decide")):
        refusal = people[who].refusal(*MAKE, body=decision(people[who]))
        assert told in refusal if told else not refusal, refusal
