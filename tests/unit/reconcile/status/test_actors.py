"""The status names actors as the policy does, and says where they are reached."""

from typing import Any

import orjson
import pytest

from onboarding.api.gates import Actor
from onboarding.checks.catalogue import BY_ID
from onboarding.reconcile.status.shares import MAX_STATUS_BYTES
from tests.unit.snapshots import environment, policy_of, snapshot_of, spec_of, told, with_status

FLOW = {"name": "out", "zone": "rie", "port": 443, "justification": "x"}
COMITY = {"name": "comity", "description": "Decides about production", "contact": "comity@example.org"}
PLATFORM = {"name": "platform", "contact": "#platform"}
GATES = ({"name": "open", "opens": [{"stages": ["dev"]}], "approvals": [{"name": "yes", "actor": "poa"}]},)


def status(*actors: dict[str, str], actor: str = "poa", **fields: Any) -> dict[str, Any]:
    gate = {**GATES[0], "approvals": [{"name": "yes", "actor": actor}]}
    rules = [{"id": "SecurityAudited", "gate": "open"}]
    policy = policy_of(gate, checks=rules, **({"actors": actors} if actors else {}))
    return told(snapshot_of(spec_of(environment()), policy=policy, **fields))


def asked(found: dict[str, Any]) -> dict[str, str | None]:
    return {item["actor"]: item.get("contact") for item in found["nextActions"]}


LISTS: dict[str, tuple[tuple[dict[str, str], ...], str, dict[str, str | None], str]] = {
    "no list": ((), "poa", {"security": None, "poa": None}, "security"),
    "a list of one's own": ((COMITY,), "comity", {"platform": None, "comity": "comity@example.org"}, "platform"),
    "contacts": (
        (COMITY, PLATFORM),
        "comity",
        {"platform": "#platform", "comity": "comity@example.org"},
        "platform",
    ),
    "a list with the actor of the check": (
        (COMITY, {"name": "security", "contact": "soc@example.org"}),
        "comity",
        {"security": "soc@example.org", "comity": "comity@example.org"},
        "security",
    ),
}


@pytest.mark.parametrize(("actors", "actor", "expected", "of_check"), LISTS.values(), ids=LISTS)
def test_next_actions_name_who_acts_and_where_they_are_reached(
    actors: tuple[dict[str, str], ...], actor: str, expected: dict[str, str | None], of_check: str
) -> None:
    found = status(*actors, actor=actor)
    assert asked(found) == expected
    assert [check["nextActor"] for check in found["checks"]] == [of_check]
    assert found["summary"]["waitingFor"] == ", ".join(expected)
    assert status(*actors, actor=actor, status=found) == found


def test_no_check_asks_somebody_whom_a_policy_without_a_list_does_not_have() -> None:
    assert {check.actor for check in BY_ID.values()} <= set(Actor)


def test_a_contact_is_not_what_an_action_is_the_same_by() -> None:
    before = status(COMITY, actor="comity")
    for action in before["nextActions"]:
        action["since"] = "2025-01-01T00:00:00Z"
    after = status({**COMITY, "contact": "other@example.org"}, actor="comity", status=before)
    assert {action["since"] for action in after["nextActions"]} == {"2025-01-01T00:00:00Z"}
    assert asked(after)["comity"] == "other@example.org"


def test_an_actor_that_only_a_former_policy_had_breaks_no_status() -> None:
    before = status(COMITY, actor="comity")
    before["checks"][0]["nextActor"] = "Not A Name"
    policy = policy_of(*GATES, checks=[{"id": "SecurityAudited", "gate": "open"}])
    found = told(with_status(snapshot_of(spec_of(environment()), policy=policy), before))
    assert found["checks"][0]["nextActor"] == "security"


def test_the_longest_contacts_fit_into_the_status() -> None:
    contact = "c" * 100
    actors = [{"name": actor.value, "contact": contact} for actor in Actor]
    many = [environment(f"e{index:02}", stage="nowhere" * 2) for index in range(19)]
    policy = policy_of(*GATES, actors=actors)
    found = told(snapshot_of(spec_of(environment(), *many), policy=policy))
    assert len(orjson.dumps(found)) <= MAX_STATUS_BYTES
    assert found["nextActions"]
    assert {action["contact"] for action in found["nextActions"]} == {contact}
