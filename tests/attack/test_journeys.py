"""Attacks by the choice of the journey, and by an environment that changes its stage, on the Cloud π profile.

Each is held with a sentence that names the field, and takes nothing away.
"""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.gates import Override
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.status import GateState
from onboarding.reconcile.observed.policy_rules import policy_problems
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.packaging.test_profile_journeys import (
    CLOUD_PI,
    LONG,
    REVIEWS,
    SHORT,
    Unreviewed,
    building,
    gates,
    held,
)

GATES = tuple(gate.name for gate in CLOUD_PI.policy.gates)


@pytest.fixture(scope="module")
def waiting() -> Unreviewed:
    """A project of the standard journey that waits for the reviews alone."""
    walk = Unreviewed.of(CLOUD_PI)
    walk.settle()
    return walk


@pytest.fixture(scope="module")
def released(waiting: Unreviewed) -> Unreviewed:
    """The same project in production."""
    walk = replace(waiting)
    walk.reviewed()
    walk.settle()
    assert "production" in walk.there
    return walk


@pytest.mark.parametrize("order", ["switch, approve", "approve, switch", "approve, switch, approve", "there and back"])
@pytest.mark.parametrize("shorter", SHORT)
def test_the_journey_is_switched_around_an_approval(waiting: Unreviewed, shorter: str, order: str) -> None:
    walk = replace(waiting)
    for step in order.replace("there and back", "approve, switch, back").split(", "):
        if step == "approve":
            walk.poa_approves()
        else:
            walk.declare(journey=shorter if step == "switch" else "standard")
        status = walk.settle()
        assert "production" not in walk.there
    (why,) = held(walk, "production")
    if order == "there and back":
        assert any(why.startswith(f"gate production: {review}") for review in REVIEWS)
        return
    assert f"journey '{shorter}' (spec.journey) ends at gate acceleration" in why
    assert gates(status)["production"]["state"] == GateState.BEYOND


@pytest.mark.parametrize("other", ["accelerated", None])
def test_a_journey_of_the_same_length_opens_no_gate_that_was_not_opened_for_it(
    waiting: Unreviewed, other: str | None
) -> None:
    """Without a name it is the default journey, for which everything was decided."""
    walk = replace(waiting)
    walk.poa_approves()
    walk.declare(journey=other)
    status = walk.step()
    assert gates(status)["production"]["state"] != GateState.OPEN
    void = [reason for gate in status["gates"] for reason in gate.get("void", ())]
    assert bool(void) == (other == "accelerated")
    assert held(walk, "production")


def eased(**override: Any) -> OnboardingPolicySpec:
    """Return the policy with one more override."""
    more = Override.model_validate({"severity": "Ignored", **override})
    return CLOUD_PI.policy.model_copy(update={"overrides": (*CLOUD_PI.policy.overrides, more)})


@pytest.mark.parametrize("fields", [{}, {"gates": ["production"]}, {"checks": list(REVIEWS)}, {"gates": GATES}])
@pytest.mark.parametrize("journey", LONG)
def test_an_override_by_journey_reaches_production(journey: str, fields: dict[str, Any]) -> None:
    problems = policy_problems(eased(journey=journey, **fields))
    rules = [item.rule for item in problems if item.field.startswith("spec.overrides[3]")]
    assert any("gate production opens the production stage" in rule and journey in rule for rule in rules)


@pytest.mark.parametrize("journey", SHORT)
def test_an_override_by_journey_ends_with_the_journey(waiting: Unreviewed, journey: str) -> None:
    policy = eased(journey=journey)
    walk = replace(waiting, snapshot=replace(waiting.snapshot, policy=policy), given=replace(CLOUD_PI, policy=policy))
    walk.declare(journey=journey)
    walk.settle()
    assert "production" not in walk.there
    (why,) = held(walk, "production")
    assert "ends at gate acceleration" in why


@pytest.mark.parametrize("stage", [item.name for item in CLOUD_PI.policy.stages if not item.production])
def test_production_is_removed_and_declared_again_in_another_stage(released: Unreviewed, stage: str) -> None:
    """The API server refuses another stage in one edit; two edits may come before the next reconcile."""
    walk = replace(released)
    before = building(walk)
    items = [item.model_dump(by_alias=True) for item in walk.spec.environments]
    (name, *_) = [item["name"] for item in items if item["stage"] == "prod"]
    walk.declare(environments=[{**item, "stage": stage} if item["name"] == name else item for item in items])
    walk.settle()
    assert building(walk) == before
    plan = make_plan(walk.snapshot)
    assert "stage 'prod' and would move to" in plan.held[name]
    assert "production" in walk.there
