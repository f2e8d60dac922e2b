"""A policy whose journeys could ease production, or lead nowhere, is refused with the field that is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from onboarding.reconcile.observed.policy_rules import policy_problems
from tests.unit.snapshots import policy_of

Change = Callable[[dict[str, Any]], object]
VISA = {"approvals": [{"name": "visa", "actor": "security"}]}


def fields() -> dict[str, Any]:
    """Return gates around dev and prod, a short journey, a long one, and one without a rule."""
    return {
        "gates": [
            {"name": "contact", **VISA},
            {"name": "build", "opens": [{"stages": ["dev"]}]},
            {"name": "audit", **VISA},
            {"name": "live", "opens": [{"stages": ["prod"]}], **VISA},
            {"name": "run", **VISA},
        ],
        "checks": [{"id": "SponsorNamed", "gate": "contact"}],
        "journeys": ["former"],
        "journeyRules": [
            {"name": "short", "lastGate": "build", "maximumSize": "small", "liftedApprovals": ["contact:visa"]},
            {"name": "long", "lastGate": "run", "liftedApprovals": ["audit:visa", "run:visa"]},
        ],
        "defaultJourney": "long",
        "overrides": [
            {"journey": "short", "track": "Organisational", "severity": "Warning"},
            {"journey": "long", "gates": ["contact", "run"], "severity": "Warning"},
            {"journey": "former", "severity": "Warning"},
            {"track": "Technical", "gates": ["live"], "severity": "Warning"},
        ],
    }


def problems(change: Change = lambda _: None) -> tuple[Any, ...]:
    given = fields()
    change(given)
    return policy_problems(policy_of(*given.pop("gates"), **given))


REACHES = "gate live opens the production stage prod, and a project chooses journey {} itself"
BAD: dict[str, tuple[Change, str, str]] = {
    "two rules of one name": (
        lambda p: p["journeyRules"].append({"name": "long", "lastGate": "run"}),
        "spec.journeyRules[2].name",
        "long is listed twice",
    ),
    "a last gate that does not exist": (
        lambda p: p["journeyRules"].append({"name": "odd", "lastGate": "end"}),
        "spec.journeyRules[2].lastGate",
        "there is no gate end; choose one of: audit, build, contact, live, run",
    ),
    "a size that does not exist": (
        lambda p: p["journeyRules"][0].update(maximumSize="vast"),
        "spec.journeyRules[0].maximumSize",
        "there is no size vast; choose one of: large, small",
    ),
    "a lifted approval that no gate requires": (
        lambda p: p["journeyRules"][1].update(liftedApprovals=["build:visa"]),
        "spec.journeyRules[1].liftedApprovals[0]",
        "gate build requires no approval visa; choose one of: audit:visa, contact:visa, live:visa, run:visa",
    ),
    "a lifted approval of production": (
        lambda p: p["journeyRules"][1].update(liftedApprovals=["contact:visa", "live:visa"]),
        "spec.journeyRules[1].liftedApprovals[1]",
        "gate live opens the production stage prod: its approvals are never lifted; remove it",
    ),
    "a lifted approval behind the journey": (
        lambda p: p["journeyRules"][0].update(liftedApprovals=["audit:visa"]),
        "spec.journeyRules[0].liftedApprovals[0]",
        "gate audit is behind build, the last gate of journey short; remove it",
    ),
    "a default that does not exist": (
        lambda p: p.update(defaultJourney="sprint"),
        "spec.defaultJourney",
        "there is no journey sprint; choose one of: former, long, short",
    ),
    "an override for a journey that does not exist": (
        lambda p: p["overrides"][0].update(journey="sprint"),
        "spec.overrides[0].journey",
        "there is no journey sprint; choose one of: former, long, short",
    ),
    "an override at a gate that does not exist": (
        lambda p: p["overrides"][3].update(gates=["end"]),
        "spec.overrides[3].gates[0]",
        "there is no gate end; choose one of: audit, build, contact, live, run",
    ),
    "an override by a journey to production, by its gates": (
        lambda p: p["overrides"][1].update(gates=["contact", "live"]),
        "spec.overrides[1].gates[1]",
        REACHES.format("long"),
    ),
    "an override by a journey to production, by its last gate": (
        lambda p: p["overrides"][1].update(gates=[]),
        "spec.overrides[1].gates",
        "an override by journey must not reach it; name gates that open none: contact, build, audit, run",
    ),
    "a stricter override by a journey to production": (
        lambda p: p["overrides"].append({"journey": "long", "gates": ["live"], "severity": "Blocking"}),
        "spec.overrides[4].gates[0]",
        REACHES.format("long"),
    ),
    "one of a short journey that names production": (
        lambda p: p["overrides"][0].update(gates=["live"]),
        "spec.overrides[0].gates[0]",
        REACHES.format("short"),
    ),
    "one without a rule that names production": (
        lambda p: p["overrides"][2].update(gates=["live"]),
        "spec.overrides[2].gates[0]",
        REACHES.format("former"),
    ),
    "one behind the end of its journey": (
        lambda p: p["overrides"][0].update(gates=["audit"]),
        "spec.overrides[0].gates[0]",
        "gate audit is behind the last gate of journey short; remove it",
    ),
    "a journey that a longer rule leads to production": (
        lambda p: p["journeyRules"][0].update(lastGate="live"),
        "spec.overrides[0].gates",
        REACHES.format("short"),
    ),
    "a stage that becomes production": (
        lambda p: p.update(
            stages=[
                {"name": name, "production": True, "defaultSize": "small", "defaultTarget": "main"}
                for name in ("dev", "prod")
            ],
            overrides=[{"journey": "short", "severity": "Warning"}],
        ),
        "spec.overrides[0].gates",
        "gate build opens the production stage dev",
    ),
}


def test_journeys_without_fault_are_accepted() -> None:
    assert problems() == ()
    assert problems(lambda p: p["journeyRules"][0].update(name="known-by-its-rule", liftedApprovals=[])) != ()
    assert problems(lambda p: p.update(journeyRules=[], defaultJourney="former", overrides=p["overrides"][2:])) == ()


@pytest.mark.parametrize(("change", "field", "words"), BAD.values(), ids=BAD)
def test_a_fault_of_a_journey_is_found_at_its_field_and_nowhere_else(change: Change, field: str, words: str) -> None:
    (found,) = problems(change)
    assert found.field == field
    assert words in str(found)
