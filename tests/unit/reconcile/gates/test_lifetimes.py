"""Decisions end: at the latest when the policy says so, and each is about the environment that it names alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onboarding.api.target import HostingTargetSpec
from onboarding.checks.catalogue import BY_ID
from onboarding.reconcile.gates.decisions import Decisions, count
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.record import Record
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.snapshots import (
    NOW,
    decided,
    environment,
    live_of_spec,
    policy_of,
    snapshot_of,
    spec_of,
    told,
)

DEV, PROD, MORE = environment(), environment("prod", stage="prod"), environment("more")
SPEC = spec_of(DEV, PROD)
GATES = ({"name": "build", "opens": [{"stages": ["dev"]}]}, {"name": "live", "opens": [{"stages": ["prod"]}]})
CHECKS = [
    {"id": "SponsorNamed", "gate": "build"},
    {"id": "DomainAllowed", "gate": "live"},
    {"id": "RunAcknowledged", "gate": "live"},
    {"id": "ApplicationsHealthy", "gate": "live"},
]
LIMITS = {"maximumWaiverDays": 30, "maximumAttestationDays": 60, "maximumGrantDays": 90}
FAR = "2030-01-01T00:00:00Z"
KINDS: dict[str, tuple[dict[str, Any], str, int]] = {
    "Waive": ({"check": "DomainAllowed"}, "maximumWaiverDays", 30),
    "Attest": (
        {"check": "RunAcknowledged", "digest": Digests(SPEC, policy_of(*GATES)).of_check("RunAcknowledged")},
        "maximumAttestationDays",
        60,
    ),
    "Grant": ({"grant": {"production": {"cpu": "9"}}}, "maximumGrantDays", 90),
}


def counted(*decisions: Any, at: datetime = NOW, present: Any = (), **policy: Any) -> Decisions:
    rules = policy_of(*GATES, checks=CHECKS, **policy)
    return count(decisions, SPEC, rules, Digests(SPEC, rules), at, Record(), present)


def counts(found: Decisions) -> bool:
    return bool(found.waived or found.attested or found.granted)


@pytest.mark.parametrize(("kind", "case"), KINDS.items(), ids=KINDS)
@pytest.mark.parametrize("limited", [True, False])
def test_a_decision_ends_at_the_latest_when_the_policy_says(
    kind: str, case: tuple[dict[str, Any], str, int], limited: bool
) -> None:
    fields, field, days = case
    decision = decided(kind, expires=FAR, created="2026-01-01T00:00:00Z", **fields)
    end = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
    policy: dict[str, Any] = {"decisions": LIMITS} if limited else {}
    before = counted(decision, at=end - timedelta(seconds=1), **policy)
    assert (counts(before), before.next_change) == (True, end if limited else datetime(2030, 1, 1, tzinfo=UTC))
    after = counted(decision, at=end, **policy)
    assert counts(after) is not limited
    if limited:
        ((void, reason),) = after.void
        assert void == decision
        assert (
            reason == f"it expired at {end:%Y-%m-%dT%H:%M:%SZ}, by spec.decisions.{field} of the policy: decide again"
        )


@pytest.mark.parametrize(
    ("created", "expires", "counting"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z", True),
        ("2025-12-03T03:04:06Z", FAR, True),
        ("2025-12-03T03:04:05Z", FAR, False),
        ("2026-01-01T00:00:00Z", "2026-01-02T03:04:05Z", False),
        ("2026-01-01T00:00:00Z", "2026-02-31T00:00:00Z", False),
    ],
    ids=["own end is nearer", "a second before", "to the second", "own end is over", "no day of the calendar"],
)
def test_the_nearer_end_counts(created: str, expires: str, counting: bool) -> None:
    decision = decided("Waive", check="DomainAllowed", created=created, expires=expires)
    assert counts(counted(decision, decisions=LIMITS)) is counting


def test_a_limit_of_one_kind_limits_no_other() -> None:
    old = decided("Grant", grant={"production": {"cpu": "9"}}, created="2020-01-01T00:00:00Z", expires=FAR)
    assert counts(counted(old, decisions={"maximumWaiverDays": 1, "maximumAttestationDays": 1}))


def test_the_status_names_the_end_that_counts() -> None:
    waiver = decided("Waive", check="SponsorNamed", created="2026-01-01T00:00:00Z", expires=FAR)
    policy = policy_of(*GATES, checks=CHECKS, decisions=LIMITS)
    (shown,) = (
        item
        for item in told(snapshot_of(SPEC, policy=policy, decisions=(waiver,)))["checks"]
        if item["id"] == "SponsorNamed"
    )
    assert shown["remedy"] == "waived by pat until 2026-01-31T00:00:00Z"


ASTRAY: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown environment": ("Waive", {"check": "DomainAllowed", "environment": "prd"}, "has no environment prd"),
    "environment of a check of the project": (
        "Waive",
        {"check": "SponsorNamed", "environment": "dev"},
        "SponsorNamed is a check of the whole project",
    ),
    "attestation of an environment": (
        "Attest",
        {**KINDS["Attest"][0], "environment": "prod"},
        "an attestation is about the whole project, and it names environment prod",
    ),
}


@pytest.mark.parametrize(("kind", "fields", "words"), ASTRAY.values(), ids=ASTRAY)
def test_a_decision_about_an_environment_that_it_cannot_be_about_is_void(
    kind: str, fields: dict[str, Any], words: str
) -> None:
    found = counted(decided(kind, expires=FAR, **fields))
    ((_, reason),) = found.void
    assert (counts(found), words in reason) == (False, True), reason


@pytest.mark.parametrize(("kind", "fields", "words"), ASTRAY.values(), ids=ASTRAY)
def test_the_finding_that_it_was_meant_for_names_it(kind: str, fields: dict[str, Any], words: str) -> None:
    decision = decided(kind, expires=FAR, **fields)
    bad = spec_of(DEV, {**PROD, "domains": ["bad.com"]})
    target = {"sites": [{"name": "a"}], "domains": [{"suffix": "good.org"}]}
    policy = policy_of(*GATES, checks=CHECKS)
    snapshot = snapshot_of(
        bad, policy=policy, targets={"main": HostingTargetSpec.model_validate(target)}, decisions=(decision,)
    )
    (shown,) = (item for item in told(snapshot)["checks"] if item["id"] == fields["check"])
    assert words in shown["remedy"]


def test_a_waiver_of_an_environment_that_is_no_longer_declared_counts_while_it_is_there() -> None:
    waiver = decided("Waive", check="ApplicationsHealthy", environment="former", expires=FAR)
    assert counts(counted(waiver, present={"former"}))
    assert not counts(counted(waiver))


def running(named: str | None) -> ReconcilePlan:
    """Return the plan of a project whose two environments before production have not reported their Applications."""
    declared, there = spec_of(DEV, MORE, PROD), spec_of(DEV, MORE)
    waiver = decided("Waive", check="ApplicationsHealthy", environment=named, expires=FAR)
    policy = policy_of(*GATES, checks=[{"id": "ApplicationsHealthy", "gate": "live"}])
    return make_plan(snapshot_of(declared, live_of_spec(there), policy=policy, decisions=(waiver,)))


@pytest.mark.parametrize(
    ("named", "waived", "opens"),
    [(None, {"dev", "more"}, True), ("dev", {"dev"}, False), ("more", {"more"}, False), ("prod", set(), False)],
)
def test_a_waiver_of_what_runs_serves_no_other_environment(named: str | None, waived: set[str], opens: bool) -> None:
    plan = running(named)
    found = [item for item in plan.findings if item.check is BY_ID["ApplicationsHealthy"]]
    assert {item.environment for item in found if item.waiver} == waived
    assert {item.environment for item in found} == {"dev", "more"}
    assert plan.gates[1].open is opens


@pytest.mark.parametrize(("named", "opens"), [(None, True), ("prod", False)])
def test_a_gate_that_no_environment_runs_before_opens_by_a_waiver_of_the_project_alone(
    named: str | None, opens: bool
) -> None:
    waiver = decided("Waive", check="ApplicationsHealthy", environment=named, expires=FAR)
    policy = policy_of(*GATES, checks=[{"id": "ApplicationsHealthy", "gate": "live"}])
    plan = make_plan(snapshot_of(spec_of(PROD), policy=policy, decisions=(waiver,)))
    assert plan.gates[1].open is opens
