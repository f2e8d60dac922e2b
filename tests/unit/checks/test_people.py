"""Who stands behind a project: each check passes and fails on one thing."""

from typing import Any

import pytest

from onboarding.checks import people
from onboarding.checks.finding import Check
from onboarding.checks.inputs import ProjectInputs
from tests.unit.snapshots import project_inputs, spec_of

GRACE = {"name": "Grace", "email": "grace@example.org"}
OWNER = {"name": "Ada", "email": "ada@example.org"}


def given(**fields: Any) -> ProjectInputs:
    return project_inputs(spec_of(**fields))


def member(email: str, *roles: str) -> dict[str, Any]:
    return {"name": "Joan", "email": email, "roles": list(roles)}


def team(*members: dict[str, Any]) -> ProjectInputs:
    return given(team={"people": list(members)})


def poa(email: str, *members: dict[str, Any], owner: str = OWNER["email"]) -> ProjectInputs:
    return given(
        owner={**OWNER, "email": owner}, team={"people": list(members), "poa": {"name": "Grace", "email": email}}
    )


PASSES: dict[str, tuple[Check[ProjectInputs], ProjectInputs]] = {
    "a sponsor": (people.sponsor_is_named, given(sponsor=GRACE)),
    "an objective": (people.objectives_are_named, given(objectives=["To serve"])),
    "an objective among blanks": (people.objectives_are_named, given(objectives=[" ", "To serve"])),
    "an organisation": (people.organisation_is_named, given(organisation={"name": "Acme"})),
    "a zone": (people.classification_is_named, given(classification={"zone": "NP"})),
    "a role each": (
        people.team_is_complete,
        team(member("a@a.org", "development"), member("b@a.org", "operations"), member("c@a.org", "test")),
    ),
    "all roles in one person": (
        people.team_is_complete,
        team(member("a@a.org", "Development", " OPERATIONS ", "test", "design")),
    ),
    "a POA": (people.poa_is_named, given(team={"poa": GRACE})),
    "a POA apart": (people.poa_is_separate, poa("grace@example.org", member("joan@example.org", "operations"))),
    "no POA to compare": (people.poa_is_separate, given()),
    "a POA listed without a role": (people.poa_is_separate, poa("grace@example.org", member("grace@example.org"))),
    "a POA who is the sponsor": (people.poa_is_separate, given(team={"poa": GRACE}, sponsor=GRACE)),
}
FAILS: dict[str, tuple[Check[ProjectInputs], ProjectInputs, str]] = {
    "no sponsor": (people.sponsor_is_named, given(), "spec.sponsor"),
    "no objectives": (people.objectives_are_named, given(), "spec.objectives"),
    "blank objectives": (people.objectives_are_named, given(objectives=["", " \t"]), "spec.objectives"),
    "no organisation": (people.organisation_is_named, given(), "spec.organisation.name"),
    "a blank organisation": (people.organisation_is_named, given(organisation={"name": " "}), "spec.organisation.name"),
    "no classification": (people.classification_is_named, given(), "spec.classification.zone"),
    "a classification without a zone": (
        people.classification_is_named,
        given(classification={"criticality": "high", "personalData": True}),
        "spec.classification.zone",
    ),
    "nobody in the team": (people.team_is_complete, team(), "the role development, operations, test"),
    "nobody who tests": (people.team_is_complete, team(member("a@a.org", "development", "operations")), "role test"),
    "no POA": (people.poa_is_named, given(), "spec.team.poa"),
    "a POA who asks": (people.poa_is_separate, poa("ada@example.org"), "spec.owner"),
    "a POA who asks, in capitals": (people.poa_is_separate, poa("ADA@Example.ORG"), "spec.owner"),
    "a POA who builds": (
        people.poa_is_separate,
        poa("grace@example.org", member("a@a.org"), member("grace@example.org", "development")),
        "spec.team.people[1], who has the role development",
    ),
    "a POA who tests": (people.poa_is_separate, poa("a@a.org", member("a@a.org", "test")), "spec.team.people[0]"),
    "a POA in letters of another width": (people.poa_is_separate, poa("\uff41da@example.org"), "spec.owner"),
    "a POA with a ligature": (people.poa_is_separate, poa("\ufb01@a.org", owner="fi@a.org"), "spec.owner"),
    "a POA composed otherwise": (people.poa_is_separate, poa("e\u0301@a.org", owner="\u00c9@a.org"), "spec.owner"),
    "a POA in letters of another alphabet": (people.poa_is_separate, poa("\u0430da@example.org"), "spec.owner"),
    "a POA behind a prefix": (people.poa_is_separate, poa("oidc:ada@example.org"), "spec.owner"),
    "a POA by user name": (
        people.poa_is_separate,
        given(
            owner={**OWNER, "username": "a.l"}, team={"poa": {"name": "Grace", "email": "g@a.org", "username": "A.L"}}
        ),
        "the user name of Grace (spec.team.poa) is also that of spec.owner",
    ),
    "a POA whose user name is a mail address": (
        people.poa_is_separate,
        given(team={"poa": {"name": "Grace", "email": "g@a.org", "username": OWNER["email"]}}),
        "the user name of Grace (spec.team.poa) is also that of spec.owner",
    ),
    "a POA with an invisible letter": (people.poa_is_separate, poa("ada\u200b@exam\u00adple.org"), "spec.owner"),
}


@pytest.mark.parametrize(("check", "inputs"), PASSES.values(), ids=PASSES)
def test_a_check_passes(check: Check[ProjectInputs], inputs: ProjectInputs) -> None:
    assert check.run(inputs) is None


@pytest.mark.parametrize(("check", "inputs", "found"), FAILS.values(), ids=FAILS)
def test_a_check_fails_and_names_the_field(check: Check[ProjectInputs], inputs: ProjectInputs, found: str) -> None:
    finding = check.run(inputs)
    assert finding is not None
    assert found in finding.message


def test_no_mail_address_is_repeated() -> None:
    finding = people.poa_is_separate.run(poa("grace@example.org", member("grace@example.org", "development")))
    assert finding is not None
    assert "@" not in finding.message
