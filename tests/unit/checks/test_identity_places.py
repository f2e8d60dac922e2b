"""Every comparison of people and groups: folded if it keeps somebody out, to the letter if it gives access or a say."""

from typing import Any

import pytest

from onboarding.api.placement import Reservation
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.checks import access, people
from onboarding.checks.identity import Naming
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.gates.deciders import Deciders
from onboarding.reconcile.gates.insiders import Insiders
from onboarding.reconcile.gates.record import Record
from tests.unit.snapshots import POLICY, decided, environment, policy_of, project_inputs, revisions, spec_of

USERS = ("ada@example.org", "ADA@Example.org", "oidc:ada@example.org", "\uff41da@example.org", "\u0430da@example.org")
GROUPS = ("team", "Team", "oidc:team", "/team")
DECIDING = [
    {"name": "admin", "clusterRole": "onboarding:admin"},
    {"name": "poa", "clusterRole": "onboarding:viewer", "decides": True},
]
GATES = [
    {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [{"name": "poa", "actor": "poa", "persona": "poa"}]}
]


def given(**team: Any) -> ProjectOnboardingSpec:
    return spec_of(environment("live", stage="prod"), team={"groups": {"admin": ["team"]}, **team})


@pytest.mark.parametrize("user", [user for user in USERS if user.isascii() and ":" not in user])
def test_a_poa_in_another_spelling_is_no_other_person(user: str) -> None:
    spec = given(poa={"name": "Pat", "email": user})
    assert people.poa_is_separate.run(project_inputs(spec)) is not None


@pytest.mark.parametrize("group", GROUPS)
def test_an_external_in_another_spelling_of_a_group_is_in_that_group(group: str) -> None:
    bo = {"name": "Bo", "email": "bo@example.org", "affiliation": "External", "groups": [group]}
    assert access.externals_are_allowed.run(project_inputs(given(people=[bo]))) is not None


@pytest.mark.parametrize("user", USERS)
def test_an_author_in_another_spelling_is_an_insider(user: str) -> None:
    for spec, record in (
        (given(), Record()),
        (given(poa={"name": "Ada", "email": "ada@example.org"}), Record()),
        (spec_of(owner={"name": "Bo", "email": "bo@example.org"}), Record(people=(("ada@example.org", ""),))),
    ):
        assert Insiders.of(spec, POLICY, record).membership(decided("Approve", user, gate="live"))


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_in_another_spelling_is_that_of_an_insider(group: str) -> None:
    outsider = decided("Approve", "pat", groups=[group], gate="live")
    assert Insiders.of(given(), POLICY, Record()).membership(outsider)
    former = Record(groups=(("admin", "team"),))
    assert Insiders.of(spec_of(), POLICY, former).membership(outsider)


@pytest.mark.parametrize(("group", "decides"), [(group, group == "team") for group in GROUPS])
def test_who_gets_a_say_is_compared_to_the_letter(group: str, decides: bool) -> None:
    policy = policy_of(personas=DECIDING, gates=GATES)
    spec = spec_of(environment("live", stage="prod"), team={"groups": {"poa": ["team"]}})
    decision = decided("Approve", groups=[group], gate="live", approval="poa", environment="live")
    assert (Deciders(spec, policy, Naming.of(None)).problem(decision) == "") is decides


def test_what_gives_access_is_compared_to_the_letter() -> None:
    (admitted,) = revisions(given())
    for group in GROUPS[1:]:
        left = revoke(admitted, given(groups={"admin": [group]}), POLICY)
        assert [binding.groups for binding in left.bindings] == [], group
    assert not Reservation(projects=("shop",), organisations=("City",)).takes("shop2", "city")
