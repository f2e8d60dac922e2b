"""Externals are in no group with rights in production, but for the personas that the policy names."""

from typing import Any

import pytest

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.checks import access
from onboarding.checks.inputs import ProjectInputs
from onboarding.reconcile.observed.policy_rules import policy_problems
from tests.unit.snapshots import environment, policy_of, project_inputs, spec_of

PERSONAS = [
    {"name": "admin", "clusterRole": "onboarding:admin"},
    {"name": "dev", "rights": [{"stages": ["dev"], "clusterRole": "onboarding:developer"}]},
    {"name": "viewer", "clusterRole": "onboarding:viewer"},
]
TEAM = {"admin": ["admins"], "dev": ["devs"], "viewer": ["readers"]}


def policy(*allowed: str) -> OnboardingPolicySpec:
    return policy_of(personas=PERSONAS, externalsInProduction=allowed)


def given(*people: dict[str, Any], allowed: tuple[str, ...] = (), **production: Any) -> ProjectInputs:
    """Return a project with these people, whose production has these fields."""
    members = [{"name": "Bo", "email": f"bo{index}@example.org", **person} for index, person in enumerate(people)]
    prod = environment("live", stage="prod", **production)
    spec = spec_of(environment(), prod, team={"groups": TEAM, "people": members})
    return project_inputs(spec, policy=policy(*allowed))


INSIDE: dict[str, Any] = {"affiliation": "Internal"}


def outside(*groups: str) -> dict[str, Any]:
    return {"affiliation": "External", "groups": list(groups)}


PASSES: dict[str, ProjectInputs] = {
    "nobody": given(),
    "somebody inside": given(INSIDE, {**INSIDE, "groups": ["admins"]}),
    "an external whose persona has no rights in production": given(outside("devs")),
    "an external whose group the project does not name": given(outside("guests")),
    "an external of a persona that the policy allows": given(outside("readers"), allowed=("viewer",)),
    "an external where production has other groups": given(outside("admins"), groups={"admin": ["live"]}),
    "an external where production has nobody of the persona": given(outside("admins"), groups={"admin": []}),
}
FAILS: dict[str, tuple[ProjectInputs, str]] = {
    "no affiliation": (given(INSIDE, {}), "spec.team.people[bo1@example.org] has no affiliation"),
    "an external without groups": (given(outside()), "is external and names no groups"),
    "an external in a group of production": (
        given(outside("devs", "admins")),
        "spec.team.people[bo0@example.org] is external and in group admins, which has persona admin in production",
    ),
    "an external of another persona than allowed": (given(outside("admins"), allowed=("viewer",)), "persona admin"),
    "an external who spells the group otherwise": (given(outside("Admins")), "is external and in group admins"),
    "an external who puts a prefix before the group": (given(outside("oidc:admins")), "in group admins, which has"),
    "an external whose production puts one before it": (
        given(outside("live"), groups={"viewer": ["oidc:live"]}),
        "in group oidc:live, which has persona viewer in production",
    ),
    "an external in production's own group": (
        given(outside("live"), groups={"viewer": ["live"]}),
        "in group live, which has persona viewer in production",
    ),
    "a group of two personas of which one is allowed": (
        given(outside("admins"), allowed=("viewer",), groups={"viewer": ["admins"]}),
        "persona admin in production",
    ),
}


@pytest.mark.parametrize("inputs", PASSES.values(), ids=PASSES)
def test_it_passes(inputs: ProjectInputs) -> None:
    assert access.externals_are_allowed.run(inputs) is None


@pytest.mark.parametrize(("inputs", "words"), FAILS.values(), ids=FAILS)
def test_it_fails_and_names_the_person(inputs: ProjectInputs, words: str) -> None:
    finding = access.externals_are_allowed.run(inputs)
    assert finding is not None
    assert words in finding.message
    assert finding.remedy


def test_the_policy_names_personas_that_it_has() -> None:
    assert policy_problems(policy("viewer")) == ()
    (problem,) = policy_problems(policy("guest"))
    assert str(problem) == (
        "spec.externalsInProduction[0]: there is no persona guest; choose one of: admin, dev, viewer"
    )
