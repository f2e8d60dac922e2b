"""A project that is above its ceiling since a grant expired keeps what it has, and is told of it."""

from typing import Any

import pytest

from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import decided, environment, live_of_spec, policy_of, snapshot_of, spec_of, told

DEV, PROD = environment(size="large"), environment("prod", stage="prod", size="large")
SPEC = spec_of(DEV, PROD)
CEILINGS = {"production": {"cpu": "2", "memory": "2Gi"}, "nonProduction": {"cpu": "100"}}
PAST, LATER = "2026-01-02T03:04:05Z", "2030-01-01T00:00:00Z"
ENOUGH = {"production": {"cpu": "20", "memory": "40Gi"}}
SENTENCE = (
    "the project is above its ceiling of production environments since the Grant by pat expired at "
    "2026-01-02T03:04:05Z: cpu 8 of 2, memory 4Gi of 2Gi"
)


def status_of(*decisions: Any, **policy: Any) -> dict[str, Any]:
    rules = policy_of(**{"ceilings": CEILINGS, **policy})
    return told(snapshot_of(SPEC, live_of_spec(SPEC), policy=rules, decisions=decisions))


def messages(status: dict[str, Any]) -> list[str]:
    return [item["message"] for item in status.get("checks", ()) if item["id"] == "GrantExpired"]


CASES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "expired": ([{"grant": ENOUGH, "expires": PAST}], [SENTENCE]),
    "counts": ([{"grant": ENOUGH, "expires": LATER}], []),
    "another one counts": ([{"grant": ENOUGH, "expires": PAST}, {"grant": ENOUGH, "expires": LATER}], []),
    "another one counts for a part": (
        [{"grant": ENOUGH, "expires": PAST}, {"grant": {"production": {"cpu": "8"}}, "expires": LATER}],
        [SENTENCE.replace("cpu 8 of 2, ", "")],
    ),
    "the last one is named": (
        [{"grant": ENOUGH, "expires": "2025-01-01T00:00:00Z", "by": "kim"}, {"grant": ENOUGH, "expires": PAST}],
        [SENTENCE],
    ),
    "of the other stages": ([{"grant": {"nonProduction": {"cpu": "200"}}, "expires": PAST}], []),
    "never": ([], []),
    "of a member of the project": ([{"grant": ENOUGH, "expires": PAST, "by": "ada@example.org"}], []),
}


@pytest.mark.parametrize(("grants", "expected"), CASES.values(), ids=CASES)
def test_the_project_is_told_that_it_is_above_its_ceiling(grants: list[dict[str, Any]], expected: list[str]) -> None:
    status = status_of(*(decided("Grant", **fields) for fields in grants))
    assert messages(status) == expected
    actions = [item for item in status.get("nextActions", ()) if "above its ceiling" in item["action"]]
    assert [item["actor"] for item in actions] == ["project"] * len(expected)
    assert all("a new OnboardingDecision Grant" in item["action"] for item in actions)


def test_the_longest_life_of_the_policy_ends_a_grant_too() -> None:
    grant = decided("Grant", grant=ENOUGH, created="2025-01-01T00:00:00Z", expires=LATER)
    assert messages(status_of(grant, decisions={"maximumGrantDays": 1})) == [
        SENTENCE.replace("2026-01-02T03:04:05Z", "2025-01-02T00:00:00Z")
    ]


def test_nothing_is_taken_away_and_what_grows_is_held() -> None:
    ended = decided("Grant", grant=ENOUGH, expires=PAST)
    rules = policy_of(ceilings=CEILINGS)
    plan = make_plan(snapshot_of(SPEC, live_of_spec(SPEC), policy=rules, decisions=(ended,)))
    assert {(item.environment, item.resources.cpu) for item in plan.building} == {("dev", "8"), ("prod", "8")}
    assert (plan.held, {item.severity for item in plan.findings}) == ({}, {"Warning"})
    more = spec_of(DEV, PROD, environment("prod2", stage="prod"))
    grown = make_plan(snapshot_of(more, live_of_spec(SPEC), policy=rules, decisions=(ended,)))
    assert grown.held.keys() == {"prod2"}


def test_a_project_below_its_ceiling_is_told_nothing() -> None:
    ended = decided("Grant", grant=ENOUGH, expires=PAST)
    assert messages(status_of(ended, ceilings={"production": {"cpu": "8", "memory": "4Gi"}})) == []
