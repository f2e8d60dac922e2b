"""The journey in the status: at most 8 KiB, the worst first, who has to act, and a time that moves with its message."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from onboarding.api.gates import Actor, Severity
from onboarding.api.status import CheckResult, GateState, ProjectOnboardingStatus
from onboarding.checks.catalogue import BY_ID, GATED
from onboarding.checks.finding import Finding, GateFinding
from onboarding.reconcile.gates.gates import GateResult, Obstacle
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.ready import ready_state
from onboarding.reconcile.status.status import report
from tests.unit.snapshots import (
    NOW,
    built,
    decided,
    environment,
    policy_of,
    snapshot_of,
    spec_of,
    told,
    with_status,
)

LATER = "2030-01-01T00:00:00Z"
DEV, PROD = environment(), environment("prod", stage="prod")
BUILD = {"name": "build", "opens": [{"stages": ["dev"]}]}
LIVE = {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [{"name": "visa", "actor": "poa"}]}
CHECKS = [{"id": check, "gate": "live"} for check in ("PoaNamed", "SponsorNamed", "SecurityAudited")]
POLICY = policy_of(BUILD, LIVE, checks=CHECKS)
TEXTS = {"plain": "x", "two bytes": "é", "four bytes": "🚪", "six bytes": "\x01", "quotes": '"'}


def crowded(letter: str) -> tuple[Snapshot, ReconcilePlan]:
    """Return a project of 20 environments with 60 findings each, 12 gates, and void decisions at all of them."""
    text = letter * 600
    gates = [{"name": f"gate-{index}", "approvals": [{"name": "a", "actor": "poa"}]} for index in range(12)]
    gates[0]["opens"] = [{"stages": ["dev", "prod"]}]
    policy = policy_of(*gates)
    spec = spec_of(*(environment(f"environment-{index:02}", target="twin") for index in range(20)))
    void = [
        decided("Approve", letter * 253, gate=gate["name"], approval="a", digest=f"v1:{index:064}")
        for gate in gates
        for index in range(5)
    ]
    suspended = decided("Suspend", letter * 253).model_copy(update={"reason": letter * 500})
    there = snapshot_of(spec, policy=policy_of(*({**gate, "approvals": []} for gate in gates)))
    snapshot = snapshot_of(spec, built(there), policy=policy, decisions=(*void, suspended))
    plan = make_plan(snapshot)
    finding = Finding(text, text)
    plan = replace(
        plan,
        findings=tuple(
            GateFinding(GATED[index % len(GATED)], finding, f"gate-{index % 12}", environment=item.name, site="a")
            for item in spec.environments
            for index in range(60)
        ),
    )
    plan = replace(plan, environments=tuple(replace(item, reason=text) for item in plan.environments))
    obstacles = tuple(Obstacle(Actor.POA, f"{index}{text}", text) for index in range(60))
    first, *behind = plan.gates
    plan = replace(plan, gates=(GateResult(first.gate, False, GateState.HELD, obstacles), *behind))
    return snapshot, plan


def status_of(snapshot: Snapshot, plan: ReconcilePlan) -> dict[str, Any]:
    return report(snapshot, plan, (), ready_state(snapshot, plan, ()), None).status


@pytest.mark.parametrize("letter", TEXTS.values(), ids=TEXTS)
def test_a_status_has_at_most_8_kib_whatever_is_written_in_it(letter: str) -> None:
    snapshot, plan = crowded(letter)
    status = status_of(snapshot, plan)
    assert len(orjson.dumps(status)) <= 8 * 1024
    ProjectOnboardingStatus.model_validate(status)
    assert len(status.get("checks", ())) + status["omittedChecks"] == 1200
    assert {"Ready", "PrerequisitesMet", "Suspended"} <= {item["type"] for item in status["conditions"]}
    assert status["nextActions"]
    assert [gate["name"] for gate in status["gates"]] == [f"gate-{index}" for index in range(12)]


def test_of_short_texts_24_checks_are_shown_and_the_rest_counted() -> None:
    snapshot = snapshot_of(spec_of(), policy=policy_of({"name": "x"}))
    plan = make_plan(snapshot)
    plan = replace(
        plan,
        findings=tuple(
            GateFinding(BY_ID["PoaNamed"], Finding("no"), "x", environment=f"e{index:02}") for index in range(30)
        ),
    )
    status = status_of(snapshot, plan)
    assert (len(status["checks"]), status["omittedChecks"]) == (24, 6)
    assert [item["environment"] for item in status["checks"]] == [f"e{index:02}" for index in range(24)]
    plan = replace(plan, findings=plan.findings[:24])
    assert "omittedChecks" not in status_of(snapshot, plan)


def test_what_blocks_the_nearest_gate_comes_first_and_what_is_waived_last() -> None:
    def found(check: str, gate: str, **fields: Any) -> GateFinding:
        result = fields.pop("result", CheckResult.FAIL)
        return GateFinding(BY_ID[check], Finding("no", result=result), gate, **fields)

    expected = [
        found("SizeUnknown", "", environment="dev"),
        found("TeamComplete", "one"),
        found("ObjectivesNamed", "one", result=CheckResult.UNKNOWN),
        found("GroupsExist", "one", result=CheckResult.PENDING),
        found("DomainAllowed", "two", environment="a"),
        found("DomainAllowed", "two", environment="b"),
        found("DomainAllowed", "two", environment="b", site="z"),
        found("PoaNamed", "two"),
        found("BackupScheduled", "one", severity=Severity.WARNING),
        found("Monitored", "two", severity=Severity.WARNING),
        found("PoaSeparate", "one", waiver="waived", result=CheckResult.UNKNOWN),
        found("SponsorNamed", "one", waiver="waived"),
    ]
    snapshot = snapshot_of(spec_of(), policy=policy_of({"name": "one"}, {"name": "two"}))
    plan = make_plan(snapshot)
    plan = replace(plan, findings=tuple(expected[::-1]))
    shown = status_of(snapshot, plan)["checks"]
    assert [(item["id"], item.get("environment", ""), item.get("site", "")) for item in shown] == [
        (item.check.id, item.environment, item.site) for item in expected
    ]
    assert [item["result"] for item in shown[-2:]] == ["Waived", "Waived"]
    plan = replace(plan, findings=(replace(expected[0], quiet=True),))
    assert "checks" not in status_of(snapshot, plan)


def test_since_is_kept_while_the_finding_says_the_same_and_not_longer() -> None:
    policy = policy_of({"name": "x"}, checks=[{"id": "TeamComplete", "gate": "x"}, {"id": "PoaNamed", "gate": "x"}])
    first = snapshot_of(spec_of(), policy=policy)
    status = told(first)
    people = [{"name": "Bo", "email": "bo@example.org", "roles": ["test"]}]
    then = snapshot_of(spec_of(team={"people": people}), policy=policy, now=NOW + timedelta(days=1))
    since = {item["id"]: item["since"] for item in told(with_status(then, status))["checks"]}
    assert since == {"TeamComplete": "2026-01-03T03:04:05Z", "PoaNamed": "2026-01-02T03:04:05Z"}
    warning = policy_of({"name": "x"}, checks=[{"id": "PoaNamed", "gate": "x", "severity": "Warning"}])
    (item,) = told(with_status(replace(then, policy=warning), status))["checks"]
    assert (item["since"], item["severity"]) == ("2026-01-02T03:04:05Z", "Warning")


def test_who_has_to_act_is_said_first_and_each_action_once() -> None:
    status = told(snapshot_of(spec_of(DEV, PROD), policy=POLICY))
    assert [item["actor"] for item in status["nextActions"]] == ["project", "security", "project", "poa"]
    first = status["nextActions"][0]
    assert first["action"] == (
        "PoaNamed: spec.team.poa names nobody: name the operational application pilot in spec.team.poa"
    )
    assert status["summary"]["next"] == f"project: {first['action']}"
    held = status["gates"][1]
    assert held["waitingFor"] == [
        "PoaNamed: spec.team.poa names nobody",
        "SecurityAudited: nobody with the right to it has attested it",
        "SponsorNamed: spec.sponsor names nobody",
        "approval visa of gate live for environment prod is missing",
    ]


def test_the_digests_that_decisions_have_to_name_are_where_they_are_wanted() -> None:
    spec = spec_of(
        DEV, PROD, team={"poa": {"name": "Cy", "email": "cy@example.org"}}, sponsor={"name": "A", "email": "a@b.org"}
    )
    before = told(snapshot_of(spec, policy=POLICY))
    build, live = before["gates"]
    assert "digest" not in {**build, **live}
    (check,), (asked,) = before["checks"], live["approvals"]
    assert (asked["name"], asked["environment"]) == ("visa", "prod")
    decisions = (
        decided("Approve", gate="live", approval="visa", environment="prod", digest=asked["digest"]),
        decided("Attest", check=check["id"], digest=check["digest"], expires=LATER),
    )
    after = told(snapshot_of(spec, policy=POLICY, decisions=decisions))
    assert [gate["state"] for gate in after["gates"]] == ["Open", "Open"]
    assert "checks" not in after
    assert not any({"digest", "approvals"} & gate.keys() for gate in after["gates"])


def test_where_an_environment_and_its_gate_are_both_held_both_are_said() -> None:
    spec = spec_of(environment(size="vast"), {**PROD, "name": "prod"})
    actions = [item["action"] for item in told(snapshot_of(spec, policy=POLICY))["nextActions"]]
    assert any(action.startswith("PoaNamed: ") for action in actions)
    assert any(
        action.startswith("environment dev: size 'vast' is not in the policy: choose one of") for action in actions
    )


def test_an_environment_names_its_gate_and_what_holds_it() -> None:
    dev, prod = told(snapshot_of(spec_of(DEV, PROD), policy=POLICY))["environments"]
    assert (dev["gate"], "held" in dev) == ("build", False)
    assert (prod["gate"], prod["held"]) == ("live", "gate live: PoaNamed: spec.team.poa names nobody")
    assert "sites" not in prod


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ({"policy": None, "policy_problem": "it is broken"}, ("True", "EnvironmentsHeld")),
        ({"spec": None}, ("False", "Refused")),
    ],
    ids=["policy", "spec"],
)
def test_while_nothing_can_be_judged_the_journey_stays_as_it_was(
    broken: dict[str, Any], expected: tuple[str, str]
) -> None:
    snapshot = snapshot_of(spec_of(DEV, PROD), policy=POLICY)
    status = told(snapshot)
    project = replace(
        snapshot.project, status=status, problem="spec.owner", **({"spec": None} if "spec" in broken else {})
    )
    fields = {key: value for key, value in broken.items() if key != "spec"}
    held = told(replace(snapshot, project=project, live=built(snapshot), **fields))
    for part in ("stage", "gates", "checks"):
        assert held[part] == status[part]
    ready = next(item for item in held["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == expected
    assert told(with_status(snapshot, held, live=built(snapshot))) == status


def test_prerequisites_are_met_once_every_declared_environment_passes_its_gate() -> None:
    def met(snapshot: Snapshot) -> tuple[str, str]:
        condition = next(item for item in told(snapshot)["conditions"] if item["type"] == "PrerequisitesMet")
        return condition["status"], condition["message"]

    both = spec_of(DEV, PROD)
    assert met(snapshot_of(both, policy=POLICY)) == (
        "False",
        "prod: gate live: PoaNamed: spec.team.poa names nobody",
    )
    assert met(snapshot_of(spec_of(DEV), policy=POLICY))[0] == "True"
