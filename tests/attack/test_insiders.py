"""Attacks by those who once belonged to a project: whoever created it, wrote its spec or was named in it opens nothing.

Each approval is held with a sentence that says how its author belongs to the project.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch
from tests.support.helm import ROOT
from tests.support.insiders import KEY, MUTATING, RULE, VALIDATING, bind, project, remove, unbind
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

KIND, GATE, APPROVAL = "projectonboarding", "live", "visa"
ENVIRONMENTS = [{"name": "dev", "stage": "dev"}, {"name": "prod", "stage": "prod"}]
GATES = [
    {"name": "open", "opens": [{"stages": ["dev"]}]},
    {"name": GATE, "opens": [{"stages": ["prod"]}], "approvals": [{"name": APPROVAL, "actor": "poa"}]},
]
WRITERS, PILOTS, BOTH = "ins-admins", "ins-pilots", "ins-both"
USERS = {
    "cleo": [WRITERS, PILOTS],
    "mia": [WRITERS, PILOTS],
    "sam@example.org": [PILOTS],
    "kim": [BOTH, PILOTS],
    "pat": [PILOTS],
}
"""Everybody who decides holds the right to it, so that the operator alone keeps them out."""
KINDS = ["projectonboardings", "onboardingdecisions"]
VERBS = ["create", "get", "list", "update", "patch", "delete"]


def rule(verbs: list[str], resources: list[str], *only: str) -> dict[str, Any]:
    return {"apiGroups": [names.GROUP], "resources": resources, "verbs": verbs, "resourceNames": [*only]}


ROLES = {
    "ins-attack": ([rule(VERBS, KINDS)], [f"--group={group}" for group in (WRITERS, PILOTS, BOTH)]),
    "ins-approve": ([rule(["approve"], ["gates"], f"{GATE}:{APPROVAL}")], [f"--group={PILOTS}"]),
    "ins-edit": ([rule(["edit"], ["projects"], "labelled", "edited")], ["--user=pat"]),
}
ARGO = "argocd:argocd-server"


class Attack(NamedTuple):
    """Everybody, with an operator that runs."""

    admin: Person
    users: dict[str, Person]

    def declare(self, who: str, name: str, **spec: Any) -> str:
        """Create a project with production behind an approval; return its name."""
        body = project(name, environments=ENVIRONMENTS, **spec)
        self.users[who].does("create", "--filename=-", body=body)
        return name

    def change(self, who: str, name: str, **spec: Any) -> None:
        self.users[who].does(*patch(KIND, name, {"spec": spec}))

    def found(self, name: str) -> dict[str, Any]:
        item: dict[str, Any] = json.loads(self.admin.does("get", KIND, name, "--output=json"))
        return item

    def gate(self, name: str) -> dict[str, Any]:
        """Return the gate of production in the status of this generation; empty while there is none."""
        item = self.found(name)
        if item.get("status", {}).get("observedGeneration") != item["metadata"]["generation"]:
            return {}
        return next((gate for gate in item["status"].get("gates", []) if gate["name"] == GATE), {})

    def approve(self, who: str, name: str) -> None:
        """Approve production as it is declared."""
        (asked,) = wait_until(lambda: self.gate(name).get("approvals"), what=f"{name} waits for its approval")
        told = json.loads(self.users[who].does("auth", "whoami", "--output=json"))["status"]["userInfo"]
        spec = {
            "decision": "Approve",
            "project": {"name": name, "uid": self.found(name)["metadata"]["uid"]},
            "gate": GATE,
            "approval": APPROVAL,
            "environment": asked["environment"],
            "digest": asked["digest"],
            "by": {"username": told["username"], "groups": told["groups"]},
            "reason": "I have looked at it.",
        }
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "OnboardingDecision",
            "metadata": {"name": f"{name}-{who.partition('@')[0]}"},
            "spec": spec,
        }
        self.users[who].does("create", "--filename=-", body=body)

    def is_void(self, name: str, words: str) -> None:
        """Demand that the approval is void in these words, and that production is held."""
        wait_until(
            lambda: any(words in reason for reason in self.gate(name).get("void", ())),
            what=f"the approval is void, for {words}; it is {self.gate(name)}",
        )
        assert self.gate(name)["state"] == "Held"
        assert self.admin.refusal("get", "namespace", f"{name}-prod")

    def opens(self, name: str) -> None:
        wait_until(lambda: self.gate(name).get("state") == "Open", what=f"{name} opens; it is {self.gate(name)}")
        wait_until(lambda: not self.admin.refusal("get", "namespace", f"{name}-prod"), what="production is there")


def policy(**fields: Any) -> dict[str, Any]:
    """Return the default policy with an approval before production, and a persona that decides."""
    item: dict[str, Any] = yaml.safe_load((ROOT / "manifests/profiles/default/policy.yaml").read_text())
    item["metadata"] = {"name": "insiders"}
    deciding = {"name": "poa", "clusterRole": "onboarding:viewer", "argocd": ["get"], "decides": True}
    item["spec"] |= {"gates": GATES, "checks": [], "personas": [*item["spec"]["personas"], deciding], **fields}
    return item


def _projects(admin: Person) -> set[str]:
    return {*admin.does("get", KIND, "--output=name").split()}


@pytest.fixture(scope="module")
def attack(installed: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    """Install the component, let everybody write projects and approve, and run the operator."""
    admin = Person(installed, installed.kubeconfig)
    for name, (rules, subjects) in ROLES.items():
        head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
        admin.does("create", "--filename=-", body={**head, "kind": "ClusterRole", "rules": rules})
        admin.does("create", "clusterrolebinding", name, f"--clusterrole={name}", *subjects)
    namespace, _, account = ARGO.partition(":")
    # An Argo CD of an earlier suite may have left its account, which harms nobody and stays.
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}}
    admin.does("apply", "--filename=-", body=body)
    admin.does("create", "clusterrolebinding", "ins-argo", "--clusterrole=cluster-admin", f"--serviceaccount={ARGO}")
    users = {user: Person(installed, installed.kubeconfig_for(user, groups)) for user, groups in USERS.items()}
    users[ARGO] = Person(installed, installed.kubeconfig_for_service_account(namespace, account))
    admin.does("apply", "--filename=-", body=policy())
    others = _projects(admin)
    bind(admin)
    operator = OperatorProcess.on(installed, tmp_path_factory.mktemp("insiders"), policy="insiders")
    yield Attack(admin, users)
    remove(admin)
    admin.does("delete", *(_projects(admin) - others), "--wait=false")
    # The server answers writes with 503 for a while after its policies have changed.
    wait_until(lambda: _projects(admin) <= others, what="the projects are gone", within=120)
    operator.stop()
    admin.does("delete", "onboardingpolicy", "insiders")
    admin.does("delete", "onboardingdecision", "--all")
    admin.does("delete", "clusterrolebinding", *ROLES, "ins-argo")
    admin.does("delete", "clusterrole", *ROLES)


TEAM = {"groups": {"admin": [WRITERS]}}
OPEN = {"owner": {"name": "Zoe", "email": "zoe@example.org"}}
"""An owner who is none of the users, so that the record alone keeps them out."""


def test_the_creator_approves(attack: Attack) -> None:
    """J5: in no group of the project, and not its owner."""
    name = attack.declare("pat", "creator", **OPEN)
    attack.approve("pat", name)
    attack.is_void(name, "its author created this project")
    attack.approve("sam@example.org", name)
    attack.opens(name)


def test_an_author_of_the_spec_leaves_the_administrators_and_approves(attack: Attack) -> None:
    name = attack.declare("cleo", "author", **OPEN, team=TEAM)
    attack.change("mia", name, description="By somebody who leaves.")
    attack.admin.does(*patch(KIND, name, {"spec": {"team": {"groups": {"admin": ["ins-others"]}}}}))
    attack.approve("mia", name)
    attack.is_void(name, "its author changed this project's spec")


def test_the_sponsor_is_removed_and_approves(attack: Attack) -> None:
    """J6."""
    name = attack.declare("cleo", "sponsor", sponsor={"name": "Sam", "email": "Sam@example.org"}, team=TEAM, **OPEN)
    attack.change("cleo", name, sponsor=None)
    attack.approve("sam@example.org", name)
    attack.is_void(name, "its author was named by the project (Sam@example.org)")


def test_a_group_leaves_for_the_approval_and_comes_back(attack: Attack) -> None:
    """J4b."""
    groups = {"admin": [WRITERS], "developer": [BOTH]}
    name = attack.declare("cleo", "group", team={"groups": groups}, **OPEN)
    attack.change("cleo", name, team={"groups": {"developer": None}})
    attack.approve("kim", name)
    attack.is_void(name, f"its author is in group {BOTH}, once named as developer")
    attack.change("cleo", name, team={"groups": {"developer": [BOTH]}})
    attack.is_void(name, f"its author is in group {BOTH} of the project")


def test_the_record_is_forged_to_keep_a_strict_pilot_out_or_oneself_in(attack: Attack) -> None:
    text = "generation:1\ncreator:pat\nperson:sam@example.org"
    body = project("forged", text, environments=ENVIRONMENTS, team=TEAM, **OPEN)
    attack.users["cleo"].does("create", "--filename=-", body=body)
    for text in ("", "generation:1\ncreator:pat"):
        change = patch(KIND, "forged", {"metadata": {"annotations": {KEY: text}}})
        attack.users["cleo"].meets(RULE, *change)
        attack.users[ARGO].meets(RULE, *change)
    attack.approve("cleo", "forged")
    attack.is_void("forged", "its author is in group ins-admins of the project")
    attack.approve("sam@example.org", "forged")
    attack.opens("forged")


def test_a_pilot_who_labels_a_project_stays_a_pilot(attack: Attack) -> None:
    """What is no change of the spec makes nobody an author; a change of it does, also by a holder of edit."""
    for name in ("labelled", "edited"):
        attack.declare("cleo", name, **OPEN)
        attack.users["pat"].does("label", KIND, name, "audited=yes")
    attack.change("pat", "edited", description="Audited.")
    for name in ("labelled", "edited"):
        attack.approve("pat", name)
    attack.opens("labelled")
    attack.is_void("edited", "its author changed this project's spec")


def test_a_project_is_created_again_and_keeps_no_approval(attack: Attack) -> None:
    name = attack.declare("cleo", "again", team=TEAM, **OPEN)
    attack.approve("pat", name)
    attack.opens(name)
    attack.users["cleo"].does("delete", KIND, name, "--wait=false")
    wait_until(lambda: attack.admin.refusal("get", KIND, name), what="the project is gone")
    attack.declare("cleo", name, team=TEAM, **OPEN)
    wait_until(lambda: attack.gate(name).get("state") == "Held", what="it waits for an approval of its own")
    assert "visa of gate live for environment prod is missing" in attack.gate(name)["waitingFor"][0]


def test_the_people_behind_argo_cd_are_unknown_and_the_policy_decides_if_that_holds(attack: Attack) -> None:
    name = attack.declare(ARGO, "delivered", **OPEN)
    unknown = f"system:serviceaccount:{ARGO} applies what others wrote"
    wait_until(lambda: attack.gate(name).get("authorsUnknown") == unknown, what="the gate says that they are unknown")
    attack.admin.does("apply", "--filename=-", body=policy(unknownAuthors="Hold"))
    attack.approve("pat", name)
    held = f"authors unknown: {unknown}"
    wait_until(lambda: attack.gate(name).get("waitingFor") == [held], what=f"it is held; it is {attack.gate(name)}")
    assert attack.gate(name)["state"] == "Held"
    attack.admin.does("apply", "--filename=-", body=policy())
    attack.opens(name)


def test_without_the_component_the_authors_are_unknown_and_work_goes_on(attack: Attack) -> None:
    """As on a server that cannot record them: the operator asks for none of it."""
    unbind(attack.admin, MUTATING, VALIDATING)
    try:
        name = attack.declare("pat", "unrecorded", **OPEN)
        missing = f"the admission policy {RULE} is not in force"
        wait_until(lambda: attack.gate(name).get("authorsUnknown") == missing, what="the gate says that it is missing")
        attack.approve("pat", name)
        attack.opens(name)
    finally:
        bind(attack.admin)
    again = attack.declare("cleo", "recorded", **OPEN)
    wait_until(lambda: attack.gate(again).get("state") == "Held", what="it waits")
    wait_until(lambda: "authorsUnknown" not in attack.gate(again), what="its authors are known")
