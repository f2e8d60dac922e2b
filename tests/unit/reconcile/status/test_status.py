"""The status follows kstatus and Flux, stays small, and changes only when what it says changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from onboarding.api.conditions import ConditionType
from onboarding.api.status import ProjectOnboardingStatus
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.checks.catalogue import BY_ID
from onboarding.checks.finding import Finding, GateFinding
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.preview import Preview, PreviewLine, Verb
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.environment_plan import EnvironmentAction, EnvironmentPlan
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.status.shares import MAX_STATUS_BYTES
from tests.unit.situations import (
    DEV,
    GATED,
    HELD,
    LIVE,
    PEOPLE,
    PROD,
    REFUSED,
    SITUATIONS,
    conditions,
    outcome,
    status_of,
)
from tests.unit.snapshots import (
    NOW,
    decided,
    environment,
    live_of_spec,
    snapshot_of,
    spec_of,
)


@pytest.mark.parametrize(("snapshot", "outcomes"), [item[:2] for item in SITUATIONS.values()], ids=SITUATIONS)
def test_every_status_is_one_that_the_api_server_takes(snapshot: Snapshot, outcomes: Sequence[Outcome]) -> None:
    status = status_of(snapshot, outcomes)
    assert ProjectOnboardingStatus.model_validate(status).observed_generation == snapshot.project.generation
    assert all(item["observedGeneration"] == snapshot.project.generation for item in status["conditions"])
    assert {item["type"] for item in status["conditions"]} <= {item.value for item in ConditionType}
    assert len({item["type"] for item in status["conditions"]}) == len(status["conditions"])


@pytest.mark.parametrize(("snapshot", "outcomes"), [item[:2] for item in SITUATIONS.values()], ids=SITUATIONS)
def test_a_second_pass_with_the_same_result_says_the_same(snapshot: Snapshot, outcomes: Sequence[Outcome]) -> None:
    """Nothing volatile is in the status, so that an unchanged project costs no write."""
    before = status_of(snapshot, outcomes)
    project = replace(snapshot.project, status=before)
    again = replace(snapshot, project=project, now=NOW + timedelta(minutes=4))
    assert status_of(again, outcomes) == before


def test_the_transition_time_moves_with_the_value_only() -> None:
    later = NOW + timedelta(hours=1)
    before = status_of(snapshot_of(spec_of(HELD), policy=GATED))
    after = conditions(status_of(snapshot_of(spec_of(DEV, HELD), LIVE, policy=GATED, status=before, now=later)))
    assert after["Ready"]["lastTransitionTime"] == "2026-01-02T04:04:05Z"
    assert after["PrerequisitesMet"]["lastTransitionTime"] == "2026-01-02T03:04:05Z"


def test_since_is_kept_while_a_check_says_the_same() -> None:
    later = NOW + timedelta(hours=1)
    before = status_of(snapshot_of(spec_of(REFUSED)))
    after = status_of(snapshot_of(spec_of(REFUSED, environment("young", size="huge")), status=before, now=later))
    assert [(item["environment"], item["since"]) for item in after["checks"]] == [
        ("typo", "2026-01-02T03:04:05Z"),
        ("young", "2026-01-02T04:04:05Z"),
    ]
    other = environment("typo", size="huge")
    changed = status_of(snapshot_of(spec_of(other), status=before, now=later))
    assert changed["checks"][0]["since"] == "2026-01-02T04:04:05Z"


def test_a_status_has_at_most_8_kib() -> None:
    many = [environment(f"environment-{index:02}", stage="moon", size="vast", target="nowhere") for index in range(20)]
    spec = spec_of(*many)
    snapshot = snapshot_of(spec, policy_problem="")
    plan = make_plan(snapshot)
    told = Finding("é" * 600, "ü" * 600)
    findings = [GateFinding(BY_ID["StageUnknown"], told, environment=item["name"]) for item in many] * 5
    held = tuple(EnvironmentPlan(item["name"], EnvironmentAction.HOLD, reason="ö" * 600) for item in many)
    plan = replace(plan, findings=tuple(findings), environments=held)
    outcomes = [outcome(Result.CONFLICT, item["name"], "x" * 600) for item in many]
    lines = tuple(PreviewLine(Verb.CONFLICT, item.change.key, "é" * 600) for item in outcomes)
    preview = Preview(plan, lines, ("ö" * 600,) * 20)
    status = status_of(snapshot, outcomes, plan, preview)
    assert len(orjson.dumps(status)) <= MAX_STATUS_BYTES
    assert status["nextActions"]
    assert conditions(status)["Ready"]["status"] == "False"
    ProjectOnboardingStatus.model_validate(status)


def test_20_environments_in_place_are_all_shown() -> None:
    spec = spec_of(*(environment(f"environment-{index:02}") for index in range(20)))
    status = status_of(snapshot_of(spec, live_of_spec(spec)))
    assert status["summary"]["environments"] == "20/20"
    assert len(status["environments"]) == 20


def test_an_environment_shows_its_sites_and_what_stands_in_the_way() -> None:
    status = status_of(snapshot_of(spec_of(DEV, PROD), LIVE), [outcome(Result.CONFLICT, "prod", "somebody's")])
    dev, prod = status["environments"]
    assert dev["sites"][0] | {"revision": ""} == {
        "name": "a",
        "namespace": "shop-dev",
        "state": "Ready",
        "revision": "",
        "applications": [{"name": "shop-dev-app"}],
    }
    assert len(dev["sites"][0]["revision"]) == 12
    assert prod["sites"][0] | {"applications": []} == {
        "name": "a",
        "namespace": "shop-prod",
        "state": "Conflict",
        "message": "somebody's",
        "applications": [],
    }
    assert status["summary"]["environments"] == "1/2"


def test_the_next_action_is_said_once_and_first() -> None:
    status = status_of(snapshot_of(spec_of(DEV)), [outcome(Result.CONFLICT, message="somebody's")] * 3)
    since = "2026-01-02T03:04:05Z"
    assert status["nextActions"] == [{"actor": "platform", "action": "somebody's", "since": since}]
    assert status["summary"]["waitingFor"] == "platform"
    assert status["summary"]["next"] == "platform: somebody's"


def test_a_plan_lists_its_first_changes() -> None:
    snapshot = snapshot_of(spec_of(DEV, mode="Plan"))
    line = PreviewLine(Verb.CREATE, ObjectKey("hub", NAMESPACE, "", "shop-dev"), "create it")
    plan = status_of(snapshot, preview=Preview(make_plan(snapshot.as_applied()), (line,) * 30))["plan"]
    assert plan["summary"] == "create 30 Namespace"
    assert len(plan["changes"]) == 20


def test_before_anything_is_declared_the_person_is_named_who_holds_the_next_gate() -> None:
    status = status_of(snapshot_of(spec_of(), policy=PEOPLE))
    message = conditions(status)["Ready"]["message"]
    assert message == "gate awareness: approval pilot of gate awareness is missing"
    assert status["nextActions"][0]["actor"] == "service-team"


KEPT: dict[str, tuple[dict[str, Any], tuple[Any, ...], str]] = {
    "plan": ({"mode": "Plan"}, (), "no longer declared; it stays: spec.mode is Plan"),
    "suspended": ({}, (decided("Suspend"),), "no longer declared; it stays: Suspend by pat: I say so"),
    "unconfirmed": ({"deletionPolicy": "Delete"}, (), "deletionPolicy is Delete: removing environment prod waits for"),
}


@pytest.mark.parametrize(("fields", "decisions", "why"), KEPT.values(), ids=KEPT)
def test_an_environment_that_is_kept_though_nobody_declares_it_is_shown_as_it_is(
    fields: dict[str, Any], decisions: tuple[Any, ...], why: str
) -> None:
    both = live_of_spec(spec_of(DEV, PROD))
    shown = status_of(snapshot_of(spec_of(DEV, **fields), both, decisions=decisions))["environments"]
    declared = status_of(snapshot_of(spec_of(DEV, PROD), both))["environments"]
    assert [item["name"] for item in shown] == ["dev", "prod"]
    assert shown[1]["sites"] == declared[1]["sites"]
    assert shown[1]["held"].startswith(why)
    gone = status_of(snapshot_of(spec_of(DEV), both))["environments"][1]
    assert ([site["state"] for site in gone["sites"]], "held" in gone) == (["Removing"], False)
