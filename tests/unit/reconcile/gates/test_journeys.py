"""A journey ends at its last gate: nothing passes behind it, nobody is asked there, and no choice of it eases more."""

from typing import Any

import pytest

from onboarding.api.gates import Severity
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.status import GateState
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.catalogue import GATED
from onboarding.checks.journey import journey_in_force
from onboarding.reconcile.gates.assignment import gate_checks
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.snapshots import POLICY, SITES, approved, environment, policy_of, snapshot_of, spec_of, told

DEV, PROD = environment(), environment("prod", stage="prod")
VISA = {"approvals": [{"name": "visa", "actor": "security"}]}
GATES: tuple[dict[str, Any], ...] = (
    {"name": "talk", **VISA},
    {"name": "build", "opens": [{"stages": ["dev"]}]},
    {"name": "audit", **VISA},
    {"name": "live", "opens": [{"stages": ["prod"]}], **VISA},
    {"name": "run", **VISA},
)
RULES = [
    {"name": "short", "lastGate": "build", "liftedApprovals": ["talk:visa"]},
    {"name": "people", "lastGate": "talk"},
    {"name": "long", "lastGate": "run"},
]
FIELDS: dict[str, Any] = {"journeys": ["former"], "journeyRules": RULES}


def policy(*checks: tuple[str, str], gates: Any = GATES, **fields: Any) -> OnboardingPolicySpec:
    rules = [{"id": check, "gate": gate} for check, gate in checks]
    return policy_of(*gates, checks=rules, **{**FIELDS, **fields})


def of(journey: str | None, given: OnboardingPolicySpec, *environments: Any, **fields: Any) -> Snapshot:
    return snapshot_of(spec_of(*(environments or (DEV, PROD)), journey=journey, **fields), policy=given)


def states(plan: ReconcilePlan) -> list[str]:
    return [f"{result.state}" for result in plan.gates]


ENDS: dict[str, tuple[str | None, dict[str, Any], str, int]] = {
    "the rule": ("short", {}, "short", 1),
    "a rule to the last gate": ("long", {}, "long", 4),
    "a rule before every environment": ("people", {}, "people", 0),
    "no rule": ("former", {}, "former", 2),
    "a name that the policy does not know": ("sprint", {}, "sprint", 2),
    "the default": (None, {"defaultJourney": "short"}, "short", 1),
    "a default without a rule": (None, {"defaultJourney": "former"}, "former", 2),
    "the project's own before the default": ("long", {"defaultJourney": "short"}, "long", 4),
    "none at all": (None, {}, "", 4),
    "no rule, and production first": ("former", {"gates": GATES[3:]}, "former", -1),
    "no rule, and no production": ("former", {"gates": GATES[:3]}, "former", 2),
    "a last gate that does not exist": ("odd", {"journeyRules": [{"name": "odd", "lastGate": "end"}]}, "odd", -1),
}


@pytest.mark.parametrize(("named", "fields", "name", "last"), ENDS.values(), ids=ENDS)
def test_a_journey_ends_at_its_rule_or_before_production(
    named: str | None, fields: dict[str, Any], name: str, last: int
) -> None:
    found = journey_in_force(policy(**fields), named)
    assert (found.name, found.last) == (name, last)


HELD: dict[str, tuple[str | None, dict[str, Any], str, str]] = {
    "named": (
        "short",
        {},
        "journey 'short' (spec.journey) ends at gate build, and gate live opens the environment",
        (
            "project: environment prod: {}: set spec.journey to one that reaches gate live: long; "
            "or leave spec.journey out"
        ),
    ),
    "by default": (
        None,
        {"defaultJourney": "former"},
        "journey 'former' (spec.defaultJourney of the policy) ends at gate audit, and gate live opens the environment",
        "project: environment prod: {}: set spec.journey to one that reaches gate live: long",
    ),
    "no journey reaches it": (
        None,
        {"defaultJourney": "short", "journeyRules": RULES[:2]},
        "journey 'short' (spec.defaultJourney of the policy) ends at gate build, and gate live opens the environment",
        (
            "platform: environment prod: {}: ask the platform team for a journey that reaches gate live, in "
            "spec.journeyRules of the policy"
        ),
    ),
}


@pytest.mark.parametrize(("journey", "fields", "message", "action"), HELD.values(), ids=HELD)
def test_an_environment_behind_the_end_is_held_and_its_message_names_the_way(
    journey: str | None, fields: dict[str, Any], message: str, action: str
) -> None:
    gates = [{key: value for key, value in gate.items() if key != "approvals"} for gate in GATES]
    rules = [{**rule, "liftedApprovals": []} for rule in fields.get("journeyRules", RULES)]
    snapshot = of(journey, policy(gates=gates, **{**fields, "journeyRules": rules}))
    plan, status = make_plan(snapshot), told(snapshot)
    assert (plan.held, plan.refused) == ({"prod": message}, {})
    assert [f"{item['actor']}: {item['action']}" for item in status["nextActions"]] == [action.format(message)]
    ready = next(item for item in status["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "EnvironmentsHeld")


def test_gates_behind_the_end_ask_nobody_and_run_no_check() -> None:
    given = policy(("SponsorNamed", "live"), ("ImageCompliant", "live"), ("DomainAllowed", "live"))
    snapshot = of("short", given, DEV)
    plan, status = make_plan(snapshot), told(snapshot)
    assert states(plan) == ["Open", "Open", "Beyond", "Beyond", "Beyond"]
    assert (plan.findings, plan.requests, plan.waited_for, plan.arriving) == ((), frozenset(), None, frozenset())
    assert status["summary"]["next"] == "nothing to do"
    assert [set(gate) for gate in status["gates"]] == [{"name", "state"}] * 5
    assert status["journey"] == {"name": "short", "lastGate": "build"}
    assert "journey" not in told(of(None, policy()))


def test_a_project_with_nothing_before_the_end_asks_for_no_gate() -> None:
    plan = make_plan(of("short", policy(("SponsorNamed", "talk")), PROD))
    assert (states(plan)[0], plan.waited_for) == ("Held", None)


def test_a_journey_of_people_alone_waits_for_its_gates() -> None:
    plan = make_plan(of("people", policy(), environments=[]))
    assert plan.waited_for is not None
    assert plan.waited_for.gate.name == "talk"


def test_a_lifted_approval_is_asked_of_other_journeys_only() -> None:
    for journey, state in (("short", "Open"), ("long", "Held"), ("former", "Held"), (None, "Held")):
        snapshot = of(journey, policy(), DEV)
        assert states(make_plan(snapshot))[0] == state
        assert ("digest" in told(snapshot)["gates"][0]) == (state == "Held")


def test_the_journey_in_force_is_in_every_digest_if_the_policy_has_rules() -> None:
    given = policy(("SponsorNamed", "live"))
    subjects = [("of_gate", gate["name"]) for gate in GATES] + [("of_check", check.id) for check in GATED]
    for kind, name in subjects:
        found = {
            journey: getattr(Digests(spec_of(DEV, journey=journey), given), kind)(name)
            for journey in ("short", "long", "former", None)
        }
        assert len(set(found.values())) == 4, name
        default = given.model_copy(update={"default_journey": "long"})
        assert getattr(Digests(spec_of(DEV), default), kind)(name) == found["long"]
        without = given.model_copy(update={"journey_rules": ()})
        assert {getattr(Digests(spec_of(DEV, journey=journey), without), kind)(name) for journey in found} == {
            getattr(Digests(spec_of(DEV), POLICY.model_copy(update={"checks": given.checks})), kind)(name)
        }


@pytest.mark.parametrize(("asked", "chosen"), [("long", None), (None, "long"), ("former", "long"), ("long", "short")])
def test_an_approval_for_another_journey_opens_no_gate(asked: str | None, chosen: str | None) -> None:
    given = policy()
    spec = spec_of(DEV, PROD, journey=asked)
    gates = ("talk", "audit", "live", "run")
    decisions = [item for gate in gates for item in approved(spec, given, gate, "visa")]
    snapshot = snapshot_of(spec_of(DEV, PROD, journey=chosen), policy=given, decisions=decisions)
    plan = make_plan(snapshot)
    assert {revision.environment for revision in plan.building} == ({"dev"} if chosen == "short" else set())
    assert len(plan.decisions.void) == 4
    again = snapshot_of(spec, policy=given, decisions=decisions)
    assert {revision.environment for revision in make_plan(again).building} >= {"dev"}


REACH: dict[str, tuple[list[dict[str, Any]], dict[str, Severity]]] = {
    "all gates": ([{"track": "Organisational"}], dict.fromkeys(("talk", "live", "run"), Severity.WARNING)),
    "one gate": ([{"track": "Organisational", "gates": ["live"]}], {"live": Severity.WARNING}),
    "a long journey": ([{"journey": "long", "gates": ["talk"]}], {"talk": Severity.WARNING}),
    "another journey": ([{"journey": "short"}], {}),
}


@pytest.mark.parametrize(("overrides", "eased"), REACH.values(), ids=REACH)
def test_an_override_counts_at_its_gates(overrides: list[dict[str, Any]], eased: dict[str, Severity]) -> None:
    checks = {"talk": "SponsorNamed", "live": "PoaNamed", "run": "ObjectivesNamed"}
    given = policy(
        *((check, gate) for gate, check in checks.items()),
        overrides=[{**item, "severity": "Warning"} for item in overrides],
    )
    plan = make_plan(of("long", given))
    assert {found.gate: found.severity for found in plan.findings} == {
        gate: eased.get(gate, Severity.BLOCKING) for gate in checks
    }


@pytest.mark.parametrize("named", ["short", "former", "people", "sprint"])
def test_an_override_by_journey_counts_up_to_its_last_gate_whatever_its_gates_say(named: str) -> None:
    """Such policies are refused; the engine does not rely on it."""
    every = [gate["name"] for gate in GATES]
    checks = [("SponsorNamed", "talk"), ("DomainAllowed", "build"), ("PoaNamed", "live"), ("ImageCompliant", "run")]
    for gates in ([], every, ["live"]):
        given = policy(*checks, overrides=[{"journey": named, "gates": gates, "severity": "Ignored"}])
        last = journey_in_force(given, named).last
        found = gate_checks(given, named)
        for item in (*found.of_project, *found.of_environment, *found.of_running):
            assert item.gate_index <= last
            assert {item.severity_on("main", place) for place in range(last + 1, len(every))} <= {Severity.BLOCKING}


STRICT = HostingTargetSpec.model_validate({"sites": SITES[:1], "domains": [{"suffix": "good.org"}]})


def test_what_is_eased_at_an_early_gate_still_holds_an_environment_behind_a_later_one() -> None:
    gates = ({"name": "build", "opens": [{"stages": ["dev"]}]}, {"name": "live", "opens": [{"stages": ["prod"]}]})
    given = policy_of(
        *gates,
        checks=[{"id": "DomainAllowed", "gate": "build"}],
        journeyRules=[{"name": "long", "lastGate": "live"}],
        overrides=[{"journey": "long", "gates": ["build"], "severity": "Warning"}],
    )
    bad = {"domains": ["bad.com"]}
    spec = spec_of({**DEV, **bad}, {**PROD, **bad}, journey="long")
    plan = make_plan(snapshot_of(spec, policy=given, targets={"main": STRICT}))
    assert list(plan.held) == ["prod"]
    assert {found.environment: found.severity for found in plan.findings} == {
        "dev": Severity.WARNING,
        "prod": Severity.BLOCKING,
    }


def test_a_check_of_what_runs_counts_with_the_severity_of_the_gate_that_it_holds() -> None:
    gates = (
        {"name": "build", "opens": [{"stages": ["dev"]}]},
        {"name": "talk"},
        {"name": "live", "opens": [{"stages": ["prod"]}]},
    )
    given = policy_of(
        *gates,
        checks=[{"id": "ImageCompliant", "gate": "talk"}],
        overrides=[{"gates": ["talk"], "checks": ["ImageCompliant"], "severity": "Warning"}],
    )
    (check,) = gate_checks(given, None).of_running
    assert [check.severity_on("main", place) for place in (1, 2)] == [Severity.WARNING, Severity.BLOCKING]


def test_a_gate_that_was_beyond_is_shown_as_it_is_once_the_journey_reaches_it() -> None:
    short = of("short", policy(("ImageCompliant", "audit")), DEV)
    status = told(short)
    assert status["gates"][2]["state"] == GateState.BEYOND
    longer = snapshot_of(spec_of(DEV, journey="long"), policy=short.policy, status=status)
    assert GateState.BEYOND not in {result.state for result in make_plan(longer).gates}
