"""Decisions against a real API server: made by a person with the right to it, under their own name, and never bent."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch
from tests.support.waiting import wait_until

RULE = "project-onboarding-decisions"
GRANTS = Path(__file__).parent / "guard_rails" / "deciders.yaml"
MACHINE = "system:serviceaccount:default:test-machine"
CREATE, DRY = ["create", "--filename=-"], "--dry-run=server"
EVERYBODY = "system:authenticated"
GROUPS = {
    "pilot": ["deciders", "pilots"],
    "reviewer": ["deciders", "reviewers"],
    "platform": ["deciders", "platform"],
    "successor": ["deciders", "successors"],
    "stranger": ["deciders"],
}
DIGEST, LATER = f"v1:{'0' * 64}", "2030-12-31T23:59:59Z"
GATE = {"gate": "production", "approval": "poa"}
FIELDS: dict[str, dict[str, Any]] = {
    "Approve": {**GATE, "digest": DIGEST},
    "Reject": GATE,
    "Waive": {"check": "ImageCompliant", "expires": LATER},
    "Attest": {"check": "FlowsOpened", "digest": DIGEST, "expires": LATER},
    "Grant": {"grant": {"production": {"cpu": "8"}}, "expires": LATER},
    "Suspend": {},
    "ConfirmDelete": {},
}
"""What a decision needs besides the project, the author and the reason."""
ENTITLED = {
    "Approve": "pilot",
    "Reject": "pilot",
    "Waive": "platform",
    "Attest": "reviewer",
    "Grant": "platform",
    "Suspend": "platform",
    "ConfirmDelete": "platform",
}


def decision(kind: str, author: str, name: str = "decided", **changes: Any) -> dict[str, Any]:
    """Return a decision of somebody under their own name, but for the changes."""
    groups = ["system:serviceaccounts", "system:serviceaccounts:default"] if author == MACHINE else GROUPS[author]
    spec = {
        "decision": kind,
        "project": {"name": "guarded", "uid": "00000000-0000-0000-0000-000000000000"},
        **FIELDS[kind],
        "by": {"username": author, "groups": [*groups, EVERYBODY]},
        "reason": "It is time.",
        **changes,
    }
    return {"apiVersion": names.API_VERSION, "kind": "OnboardingDecision", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def people(installed: ControlPlane) -> Iterator[dict[str, Person]]:
    """Grant everybody their rights until the last test, and wait until the rule is enforced."""
    admin = Person(installed, installed.kubeconfig)
    admin.does("apply", "--server-side", "--filename", str(GRANTS))
    people = {who: Person(installed, installed.kubeconfig_for(who, groups)) for who, groups in GROUPS.items()}
    people["machine"] = Person(installed, installed.kubeconfig_for_service_account("default", "test-machine"))
    people["admin"] = admin
    forged = decision("Suspend", "stranger")
    wait_until(lambda: admin.is_refused_by(RULE, *CREATE, DRY, body=forged), what=f"{RULE} is enforced")
    yield people
    admin.does("delete", "onboardingdecisions", "--all")
    admin.does("delete", "--filename", str(GRANTS))


@pytest.mark.parametrize("kind", FIELDS)
def test_a_person_with_the_right_decides(people: dict[str, Person], kind: str) -> None:
    people[ENTITLED[kind]].does(*CREATE, DRY, body=decision(kind, ENTITLED[kind]))


@pytest.mark.parametrize("kind", FIELDS)
def test_a_person_without_the_right_does_not(people: dict[str, Person], kind: str) -> None:
    refusal = people["stranger"].refusal(*CREATE, DRY, body=decision(kind, "stranger"))
    assert f"(rule {RULE}): you lack the verb" in refusal


@dataclass(frozen=True)
class Attack:
    """A decision that somebody tries to make, and a part of the refusal."""

    who: str
    kind: str
    refusal: str
    changes: dict[str, Any] = field(default_factory=dict)


def by(username: str, *groups: str) -> dict[str, Any]:
    return {"by": {"username": username, "groups": [*groups, EVERYBODY]}}


OTHER = {"project": {"name": "other", "uid": "00000000-0000-0000-0000-000000000000"}}
ATTACKS = {
    "the same approval of another gate": Attack("pilot", "Approve", "gates.* 'audit:poa'", {"gate": "audit"}),
    "another approval of the same gate": Attack(
        "pilot", "Approve", "gates.* 'production:security'", {"approval": "security"}
    ),
    "the rejection of another gate": Attack(
        "pilot", "Reject", "verb approve on gates.* 'audit:poa'", {"gate": "audit"}
    ),
    "another check": Attack("reviewer", "Attest", "verb attest on checks.* 'PoaNamed'", {"check": "PoaNamed"}),
    "a waiver of what one attests": Attack("reviewer", "Waive", "verb waive on checks", {"check": "FlowsOpened"}),
    "an attestation of what one waives": Attack("platform", "Attest", "verb attest on", {"check": "ImageCompliant"}),
    "a gate by those who waive": Attack("platform", "Approve", "verb approve on gates.* 'production:poa'"),
    "a budget for another project": Attack("platform", "Grant", "verb grant on projects.* 'other'", OTHER),
    "the deletion of another project": Attack("platform", "ConfirmDelete", "verb confirm-delete on .*'other'", OTHER),
    "a borrowed name": Attack("stranger", "Approve", "must be you, 'stranger'", by("pilot", "deciders", "pilots")),
    "a borrowed group": Attack("stranger", "Approve", "exactly your groups", by("stranger", "deciders", "pilots")),
    "a group left out": Attack("pilot", "Approve", "exactly your groups", by("pilot", "pilots")),
    "no groups": Attack("pilot", "Approve", "exactly your groups", {"by": {"username": "pilot"}}),
    "an administrator in another's name": Attack("admin", "Approve", "must be you", by("pilot", *GROUPS["pilot"])),
    "a machine that holds every verb": Attack("machine", "Approve", "a service account does not decide"),
    "a machine in a person's name": Attack("machine", "Approve", "service account", by("pilot", *GROUPS["pilot"])),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_decision_is_neither_forged_nor_borrowed(people: dict[str, Person], attack: Attack) -> None:
    own = attack.who if attack.who in GROUPS else MACHINE
    body = decision(attack.kind, own, **attack.changes)
    refusal = people[attack.who].refusal(*CREATE, DRY, body=body)
    assert f"(rule {RULE})" in refusal
    assert re.search(attack.refusal, refusal), refusal


@pytest.fixture
def made(people: dict[str, Person]) -> Iterator[dict[str, Person]]:
    """Let the pilot approve and reject the same gate."""
    for kind in ("Approve", "Reject"):
        people["pilot"].does(*CREATE, body=decision(kind, "pilot", kind.lower()))
    yield people
    people["admin"].does("delete", "onboardingdecisions", "--all")


def take_back(name: str) -> list[str]:
    return ["delete", "onboardingdecision", name, DRY]


def test_a_decision_never_changes(made: dict[str, Person]) -> None:
    """Not even by its author, nor by an administrator."""
    for who in ("pilot", "admin"):
        change = patch("onboardingdecision", "approve", {"spec": {"reason": "Another."}})
        assert "a decision is never changed" in made[who].refusal(*change)


OWNER = {"apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "00000000-0000-0000-0000-000000000000"}
TIES = {"an owner": {"ownerReferences": [OWNER]}, "a finalizer": {"finalizers": ["example.org/hold"]}}


@pytest.mark.parametrize("tie", TIES.values(), ids=TIES)
def test_nothing_takes_a_decision_along_or_keeps_it(made: dict[str, Person], tie: dict[str, Any]) -> None:
    made["stranger"].meets(RULE, *patch("onboardingdecision", "reject", {"metadata": tie}))
    body = decision("Reject", "pilot", "tied")
    body["metadata"] |= tie
    made["pilot"].meets(RULE, *CREATE, body=body)


def test_a_decision_goes_even_when_it_is_deleted_in_the_foreground(made: dict[str, Person]) -> None:
    made["pilot"].does("delete", "onboardingdecision", "reject", "--cascade=foreground", "--wait=false")
    gone = ["get", "onboardingdecision", "reject"]
    wait_until(lambda: "NotFound" in made["pilot"].refusal(*gone), what="the end of the decision")


def test_an_approval_is_taken_back_by_its_author_or_a_holder_of_edit(made: dict[str, Person]) -> None:
    for who in ("stranger", "reviewer", "successor", "machine"):
        made[who].meets(RULE, *take_back("approve"))
    made["stranger"].meets(RULE, "delete", "--raw", f"/apis/{names.API_VERSION}/onboardingdecisions")
    for who in ("platform", "pilot"):
        made[who].does(*take_back("approve"))


def test_a_rejection_holds_until_its_author_withdraws_it(made: dict[str, Person]) -> None:
    """Or whoever may speak for an author who has left; a holder of edit may not."""
    for who in ("stranger", "reviewer", "platform", "machine"):
        made[who].meets(RULE, *take_back("reject"))
    for who in ("successor", "pilot"):
        made[who].does(*take_back("reject"))


@pytest.fixture
def listed(people: dict[str, Person]) -> Iterator[None]:
    """Enter a service account in the list of deciders, and take it out again."""
    policy = json.loads(people["admin"].does("get", "validatingadmissionpolicy", RULE, "--output=json"))
    place = [item["name"] for item in policy["spec"]["variables"]].index("deciders")
    body = decision("Suspend", MACHINE)

    def enter(expression: str) -> None:
        change = [{"op": "replace", "path": f"/spec/variables/{place}/expression", "value": expression}]
        people["admin"].does(*patch("validatingadmissionpolicy", RULE, change))

    enter(f"['somebody', '{MACHINE}']")
    wait_until(lambda: not people["machine"].refusal(*CREATE, DRY, body=body), what="the account may decide")
    yield
    enter("[]")
    wait_until(lambda: people["machine"].refusal(*CREATE, DRY, body=body), what="the account may not")


@pytest.mark.usefixtures("listed")
def test_a_service_account_that_is_listed_decides_what_it_has_the_right_to(people: dict[str, Person]) -> None:
    people["machine"].meets(RULE, *CREATE, DRY, body=decision("Suspend", "platform"))


def test_the_rule_fits_the_kind_it_guards(people: dict[str, Person]) -> None:
    policy = json.loads(people["admin"].does("get", "validatingadmissionpolicy", RULE, "--output=json"))
    assert not policy["status"]["typeChecking"].get("expressionWarnings")
