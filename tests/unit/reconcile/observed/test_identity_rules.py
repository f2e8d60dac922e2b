"""Actors and personas of approvals exist: what is written otherwise is refused with the field that is wrong."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from onboarding.api.common import ShortName
from onboarding.api.gates import Actor
from onboarding.api.policy import ALWAYS_ACTORS, OnboardingPolicySpec
from onboarding.reconcile.observed.policy_rules import policy_problems
from tests.unit.snapshots import policy_of

PERSONAS = [
    {"name": "admin", "clusterRole": "onboarding:admin"},
    {"name": "poa", "clusterRole": "onboarding:viewer", "decides": True},
]


def policy(approval: dict[str, Any], *actors: str) -> OnboardingPolicySpec:
    gates = ({"name": "build", "opens": [{"stages": ["dev"]}]}, {"name": "live", "opens": [{"stages": ["prod"]}]})
    asking = {**gates[1], "approvals": [{"name": "yes", **approval}]}
    listed = [{"name": name} for name in actors]
    return policy_of(gates[0], asking, personas=PERSONAS, **({"actors": listed} if listed else {}))


GOOD: dict[str, OnboardingPolicySpec] = {
    "a default actor": policy({"actor": "dba"}),
    "an actor of the list": policy({"actor": "comity"}, "comity"),
    **{f"{actor}, which a list need not have": policy({"actor": actor.value}, "comity") for actor in ALWAYS_ACTORS},
    "a deciding persona": policy({"actor": "poa", "persona": "poa"}),
}
FIELD = "spec.gates[1].approvals[0]"
BAD: dict[str, tuple[OnboardingPolicySpec, str, str, str]] = {
    "an actor that nobody knows": (
        policy({"actor": "comity"}),
        f"{FIELD}.actor",
        "there is no actor comity",
        "security, service-team, or list your actors in spec.actors",
    ),
    "a default actor that the list lacks": (
        policy({"actor": "dba"}, "comity"),
        f"{FIELD}.actor",
        "there is no actor dba",
        "choose one of: comity, operator, platform, project, or add it to spec.actors",
    ),
    "an actor listed twice": (
        policy({"actor": "comity"}, "comity", "comity"),
        "spec.actors[1].name",
        "comity is listed twice",
        "remove or rename one",
    ),
    "a persona that is not there": (
        policy({"actor": "poa", "persona": "pope"}),
        f"{FIELD}.persona",
        "there is no persona pope",
        "choose one of: poa",
    ),
    "a persona that builds": (
        policy({"actor": "poa", "persona": "admin"}),
        f"{FIELD}.persona",
        "persona admin does not decide: its groups are the project's own",
        "set decides: true of it, or choose one of: poa",
    ),
}


@pytest.mark.parametrize("given", GOOD.values(), ids=GOOD)
def test_a_policy_is_valid(given: OnboardingPolicySpec) -> None:
    assert policy_problems(given) == ()


@pytest.mark.parametrize(("given", "field", "rule", "remedy"), BAD.values(), ids=BAD)
def test_a_policy_is_refused_and_told_what_to_write(
    given: OnboardingPolicySpec, field: str, rule: str, remedy: str
) -> None:
    (problem,) = policy_problems(given)
    assert (problem.field, problem.rule) == (field, rule)
    assert problem.remedy.endswith(remedy)
    assert not problem.newer


def test_every_actor_of_before_is_valid_in_what_is_stored() -> None:
    name: TypeAdapter[str] = TypeAdapter(ShortName)
    for actor in Actor:
        assert name.validate_python(actor.value) == actor
        assert policy_problems(policy({"actor": actor.value})) == ()
