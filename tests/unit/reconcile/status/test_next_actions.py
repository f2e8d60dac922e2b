"""Next actions come in the order of harm, say since when, and ask nobody for a gate that nothing waits behind."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from onboarding.reconcile.apply.outcome import Result
from onboarding.reconcile.observed.snapshot import ClusterState
from tests.unit.situations import DEV, GATED, HELD, LIVE, NO_POLICY, PEOPLE, REFUSED, outcome, status_of
from tests.unit.snapshots import CLUSTERS, NOW, decided, live_of_spec, policy_of, snapshot_of, spec_of, with_status

ALL = {"policy": GATED, "decisions": (decided("Suspend"),)}
DOWN = {**CLUSTERS, "hub": ClusterState(problem="no answer")}


def asked(status: dict[str, Any]) -> list[str]:
    """Return actor and first words of each next action."""
    return [f"{item['actor']}: {item['action']}" for item in status.get("nextActions", ())]


def test_the_order_is_that_of_harm() -> None:
    """A conflict, then the suspension, then what is refused, then the gate that holds an environment."""
    snapshot = snapshot_of(spec_of(DEV, HELD, REFUSED), LIVE, **ALL)
    conflict, suspended, refused, gate = asked(status_of(snapshot, [outcome(Result.CONFLICT)]))
    assert conflict == "platform: words"
    assert suspended.startswith("platform: Suspend by pat: I say so: its author deletes")
    assert refused.startswith("project: environment typo: size 'vast' is not in the policy: ")
    assert gate.startswith("poa: approval visa of gate live for environment held is missing: ")


def test_a_suspension_asks_once() -> None:
    (once,) = asked(status_of(snapshot_of(spec_of(DEV), LIVE, decisions=(decided("Suspend"),))))
    assert once == "platform: Suspend by pat: I say so: its author deletes the OnboardingDecision"


@pytest.mark.parametrize("also", [{}, {"decisions": (decided("Suspend"),)}], ids=["alone", "suspended"])
def test_a_site_that_is_down_comes_first_even_if_nothing_is_to_be_written(also: dict[str, Any]) -> None:
    first, *others = asked(status_of(snapshot_of(spec_of(DEV, HELD), LIVE, policy=GATED, clusters=DOWN, **also)))
    assert first == "platform: cluster hub: no answer"
    assert not [text for text in others if "no answer" in text]


@pytest.mark.parametrize("others", [(), (HELD,), (HELD, REFUSED)], ids=["alone", "beside held", "beside refused"])
def test_a_removal_that_nobody_has_confirmed_asks_the_platform(others: tuple[dict[str, Any], ...]) -> None:
    live = live_of_spec(spec_of(DEV, {"name": "old", "stage": "dev"}))
    spec = spec_of(DEV, *others, deletionPolicy="Delete")
    found = [text for text in asked(status_of(snapshot_of(spec, live, policy=GATED))) if "removing" in text]
    (once,) = found
    assert once.startswith("platform: deletionPolicy is Delete: removing environment old waits for an OnboardingDec")
    assert "the digest of 1 namespace in status.removals" in once


def test_a_gate_with_nothing_behind_it_asks_nobody() -> None:
    only_dev = status_of(snapshot_of(spec_of(DEV), LIVE, policy=GATED))
    assert asked(only_dev) == []
    assert only_dev["summary"] == {"environments": "1/1", "next": "nothing to do"}
    held = next(gate for gate in only_dev["gates"] if gate["name"] == "live")
    assert (held["state"], "waitingFor" in held) == ("Held", False)


def test_the_gates_that_end_the_journey_ask_once_the_last_environment_is_in_place() -> None:
    run = {"name": "run", "approvals": [{"name": "handover", "actor": "operations"}]}
    policy = policy_of(*({"name": name, "opens": [{"stages": [name]}]} for name in ("dev", "prod")), run)
    assert asked(status_of(snapshot_of(spec_of(DEV), LIVE, policy=policy))) == []
    both = snapshot_of(spec_of(DEV, HELD), live_of_spec(spec_of(DEV, HELD)), policy=policy)
    assert asked(status_of(both))[0].startswith("operations: approval handover of gate run is missing")


def test_a_project_that_declares_no_environment_yet_is_asked_for_the_first_steps() -> None:
    assert asked(status_of(snapshot_of(spec_of(), policy=PEOPLE)))[0].startswith("service-team: approval pilot")


def test_a_policy_that_cannot_be_used_asks_the_platform_though_ready_is_true() -> None:
    assert asked(status_of(snapshot_of(spec_of(DEV), LIVE, **NO_POLICY))) == [
        "platform: OnboardingPolicy default: there is no size nosuch"
    ]


def test_an_action_keeps_its_time_while_it_is_the_same() -> None:
    snapshot = snapshot_of(spec_of(DEV, REFUSED), LIVE)
    first = status_of(snapshot)
    later = NOW + timedelta(days=3)
    again = status_of(with_status(snapshot_of(spec_of(DEV, REFUSED), LIVE, now=later), first))
    assert again["nextActions"] == first["nextActions"]
    assert again["nextActions"][0]["since"] == "2026-01-02T03:04:05Z"
    other = {**REFUSED, "size": "huge"}
    changed = status_of(with_status(snapshot_of(spec_of(DEV, other), LIVE, now=later), first))
    assert changed["nextActions"][0]["since"] == "2026-01-05T03:04:05Z"


def test_the_column_names_everybody_who_is_waited_for() -> None:
    status = status_of(snapshot_of(spec_of(DEV, HELD, REFUSED), LIVE, policy=GATED))
    assert status["summary"]["waitingFor"] == "project, poa"


def test_retrying_for_five_minutes_asks_the_platform_with_the_words_of_the_server() -> None:
    """Before that the operator is at work, and nobody has to act."""
    words = "admission webhook x refuses it: " + "é" * 400
    refused = [replace(outcome(Result.FAILED), message=words)]
    first = status_of(snapshot_of(spec_of(DEV)), refused)
    assert asked(first) == []
    assert first["summary"]["next"].startswith("operator: ")
    for minutes, expected in ((4, []), (5, ["platform"]), (50, ["platform"])):
        snapshot = with_status(snapshot_of(spec_of(DEV)), first, now=NOW + timedelta(minutes=minutes))
        actions = status_of(snapshot, refused).get("nextActions", [])
        assert [item["actor"] for item in actions] == expected
    (action,) = actions
    said, _, remedy = action["action"].partition("…: ")
    assert words.startswith(said)
    assert len(said.encode()) >= 500
    assert remedy.startswith("this has lasted for five minutes: remove what refuses the write")
