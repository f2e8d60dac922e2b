"""The day on which a journey expires is in the status, with a warning from 30 days before; nothing else happens."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import built, environment, policy_of, snapshot_of, spec_of, told, with_status

CREATED = "2026-01-01T23:59:59Z"
POLICY = policy_of(
    {"name": "build", "opens": [{"stages": ["dev", "prod"]}]},
    journeyRules=[
        {"name": "trial", "lastGate": "build", "expiresAfterDays": 90},
        {"name": "long", "lastGate": "build"},
    ],
    defaultJourney="long",
)


def on(day: str, journey: str | None = "trial", created: str = CREATED) -> Snapshot:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = snapshot_of(spec_of(environment(), journey=journey), policy=POLICY, now=now)
    return replace(found, project=replace(found.project, created=created))


DAYS: dict[str, tuple[str, str | None, str | None]] = {
    "long before": ("2026-01-02T00:00:00", None, "2026-03-02T00:00:00+00:00"),
    "a second before the warning": ("2026-03-01T23:59:59", None, "2026-03-02T00:00:00+00:00"),
    "30 days before": ("2026-03-02T00:00:00", "journey 'trial' expires on 2026-04-01", "2026-04-02T00:00:00+00:00"),
    "on the day": ("2026-04-01T23:59:59", "journey 'trial' expires on 2026-04-01", "2026-04-02T00:00:00+00:00"),
    "after the day": ("2026-04-02T00:00:00", "journey 'trial' expired on 2026-04-01", None),
    "long after": ("2027-04-02T00:00:00", "journey 'trial' expired on 2026-04-01", None),
}


@pytest.mark.parametrize(("day", "message", "again"), DAYS.values(), ids=DAYS)
def test_the_warning_changes_on_its_days_and_a_reconcile_is_due_then(
    day: str, message: str | None, again: str | None
) -> None:
    snapshot = on(day)
    plan, status = make_plan(snapshot), told(snapshot)
    assert status["journey"] == {"name": "trial", "lastGate": "build", "expires": "2026-04-01"}
    found: list[dict[str, Any]] = status.get("checks", [])
    assert [item["message"] for item in found] == ([message] if message else [])
    assert {(item["id"], item["severity"]) for item in found} <= {("JourneyExpires", "Warning")}
    assert (plan.again_at.isoformat() if plan.again_at else None) == again
    assert (plan.held, "nextActions" in status) == ({}, False)
    assert [revision.environment for revision in plan.building] == ["dev"]


@pytest.mark.parametrize(("journey", "created"), [("long", CREATED), (None, CREATED), ("trial", "")])
def test_a_journey_without_days_never_expires(journey: str | None, created: str) -> None:
    snapshot = on("2027-01-01", journey, created)
    assert "expires" not in told(snapshot)["journey"]
    assert make_plan(snapshot).again_at is None


def test_a_day_without_a_change_of_the_warning_writes_no_status() -> None:
    first = on("2026-03-05T01:00:00")
    status = told(first)
    later = on("2026-03-20T01:00:00")
    assert told(with_status(later, status, live=built(later))) == status
