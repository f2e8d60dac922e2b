"""Under the claim username, a person without a user name holds each gate that asks for an approval."""

from typing import Any

import pytest

from onboarding.checks import people
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.policy_rules import policy_problems
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    approved,
    built,
    decided,
    environment,
    policy_of,
    project_inputs,
    snapshot_of,
    spec_of,
    told,
)

BY_NAME = {"claim": "username"}
ADA, BO = {"name": "Ada", "email": "ada@example.org"}, {"name": "Bo", "email": "bo@example.org"}
VISA = [{"name": "visa", "actor": "security"}]
GATES = (
    {"name": "start", "approvals": VISA},
    {"name": "dev", "opens": [{"stages": ["dev"]}]},
    {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": VISA},
)


def named(person: dict[str, Any]) -> dict[str, Any]:
    return {**person, "username": person["name"].lower()}


PLACES: dict[str, dict[str, Any]] = {
    "spec.owner": {"owner": BO},
    "spec.sponsor": {"sponsor": BO},
    "spec.team.poa": {"team": {"poa": BO}},
    "spec.team.people[bo@example.org]": {"team": {"people": [BO]}},
    "spec.environments[dev].owner": {"environments": [environment(owner=BO)]},
}


@pytest.mark.parametrize(("field", "fields"), PLACES.items(), ids=PLACES)
def test_a_person_without_a_user_name_is_found_and_the_field_is_named(field: str, fields: dict[str, Any]) -> None:
    spec = spec_of(**{"owner": named(ADA), **fields})
    finding = people.usernames_are_known.run(project_inputs(spec, policy=policy_of(identity=BY_NAME)))
    assert finding is not None
    assert finding.message == f"no username in {field}"
    for identity in ({}, {"claim": "email"}):
        assert people.usernames_are_known.run(project_inputs(spec, policy=policy_of(identity=identity))) is None
    assert people.usernames_are_known.run(project_inputs(spec)) is None


def test_many_persons_are_counted() -> None:
    team = {"people": [{**BO, "email": f"bo{index}@example.org"} for index in range(9)]}
    finding = people.usernames_are_known.run(project_inputs(spec_of(team=team), policy=policy_of(identity=BY_NAME)))
    assert finding is not None
    assert finding.message.startswith("no username in spec.owner, spec.team.people[bo0@example.org], ")
    assert finding.message.endswith(" and 7 more")


def shown(spec: Any, *decisions: Any, **fields: Any) -> list[tuple[str, str]]:
    status = told(snapshot_of(spec, policy=policy_of(*GATES, identity=BY_NAME, **fields), decisions=decisions))
    checks = [item for item in status.get("checks", ()) if item["id"] == "UsernamesKnown"]
    assert {item["nextActor"] for item in checks} <= {"project"}
    return [(item["gate"], item["severity"]) for item in checks]


def test_it_holds_each_gate_that_asks_for_an_approval_whatever_the_policy_says() -> None:
    spec = spec_of(environment())
    assert shown(spec) == [("start", "Blocking"), ("live", "Blocking")]
    override = {"checks": ["SponsorNamed"], "track": "Organisational", "severity": "Ignored"}
    everything = {"track": "Organisational", "severity": "Ignored"}
    assert shown(spec, overrides=[override, everything]) == [("start", "Blocking"), ("live", "Blocking")]
    assert shown(spec_of(environment(), owner=named(ADA))) == []


def test_no_waiver_counts_and_it_says_so() -> None:
    waiver = decided("Waive", check="UsernamesKnown", expires="2030-01-01T00:00:00Z")
    spec, policy = spec_of(environment()), policy_of(*GATES, identity=BY_NAME)
    plan = make_plan(snapshot_of(spec, policy=policy, decisions=(waiver,)))
    assert plan.held == {"dev": "gate start: UsernamesKnown: no username in spec.owner"}
    assert [reason for _, reason in plan.decisions.void] == [
        "UsernamesKnown is not a check that a policy can assign to a gate"
    ]


def test_a_policy_cannot_put_it_at_a_gate() -> None:
    (problem,) = policy_problems(policy_of(*GATES, checks=[{"id": "UsernamesKnown", "gate": "start"}]))
    assert "check UsernamesKnown always runs and cannot be configured" in str(problem)


@pytest.mark.parametrize("journey", ["short", None])
def test_a_gate_whose_approvals_a_journey_lifts_is_not_held(journey: str | None) -> None:
    rules = [{"name": "short", "lastGate": "dev", "liftedApprovals": ["start:visa"]}]
    found = shown(spec_of(environment(), journey=journey), journeyRules=rules)
    assert found == ([] if journey else [("start", "Blocking"), ("live", "Blocking")])


def test_it_voids_no_approval_and_gives_no_digest_another_value() -> None:
    spec, with_name = spec_of(environment()), spec_of(environment(), owner=named(ADA))
    one, other = (Digests(spec, policy_of(*GATES, **fields)).of_gate("start") for fields in ({}, {"identity": BY_NAME}))
    assert one == other
    assert Digests(with_name, policy_of(*GATES, identity=BY_NAME)).of_gate("start") == other


def test_what_is_there_stays_and_nothing_new_goes_through() -> None:
    spec, before = spec_of(environment()), policy_of(*GATES)
    more = spec_of(environment(), environment("more"))
    approvals = approved(more, before, "start", "visa")
    live = built(snapshot_of(spec, policy=before, decisions=approvals))
    fields = {"policy": policy_of(*GATES, identity=BY_NAME), "decisions": approvals}
    plan = make_plan(snapshot_of(more, live, **fields))
    assert [item.environment for item in plan.building] == ["dev"]
    assert plan.held.keys() == {"more"}
    plan = make_plan(snapshot_of(more.model_copy(update={"owner": spec_of(owner=named(ADA)).owner}), live, **fields))
    assert {item.environment for item in plan.building} == {"dev", "more"}
