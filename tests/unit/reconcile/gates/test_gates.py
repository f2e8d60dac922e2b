"""A gate opens by its checks, its approvals and the gates before it; what exists behind one is never shut in."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.gates import Actor, Severity
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import GateState
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.totals import Totals
from onboarding.reconcile.observed.capacity import SiteKey, Usage
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.snapshots import (
    SITES,
    approved,
    built,
    decided,
    environment,
    policy_of,
    snapshot_of,
    spec_of,
    told,
)

OPEN, PASSED, HELD, CLOSED = GateState.OPEN, GateState.PASSED, GateState.HELD, GateState.CLOSED
DEV, PROD = environment(), environment("prod", stage="prod")
ADA = {"name": "Ada", "email": "ada@example.org"}
BUILD = {"name": "build", "opens": [{"stages": ["dev"]}]}
TALK = {"name": "talk"}
LIVE = {"name": "live", "opens": [{"stages": ["prod"]}]}
VISA = {**TALK, "approvals": [{"name": "visa", "actor": "security"}]}
GATES = policy_of(BUILD, TALK, LIVE)


def rules(**gates: str) -> list[dict[str, str]]:
    """Return rules that put checks at gates."""
    return [{"id": check, "gate": gate} for check, gate in gates.items()]


def states(plan: ReconcilePlan) -> list[GateState]:
    return [result.state for result in plan.gates]


def names(plan: ReconcilePlan) -> set[str]:
    """Return the environments that are built."""
    return {revision.environment for revision in plan.building}


def by(policy: OnboardingPolicySpec, *environments: Any, **fields: Any) -> Snapshot:
    """Return the world of a project without anything in place."""
    return snapshot_of(spec_of(*(environments or (DEV, PROD)), **fields), policy=policy)


def after(snapshot: Snapshot, spec: ProjectOnboardingSpec | None = None, **fields: Any) -> Snapshot:
    """Return the world once everything is in place that a pass makes, and then another spec or policy is declared."""
    project = replace(snapshot.project, spec=spec or snapshot.project.spec, status=told(snapshot))
    return replace(snapshot, live=built(snapshot), **{"project": project, **fields})


def test_where_nothing_stands_against_them_all_gates_are_open_and_everything_is_built() -> None:
    plan = make_plan(by(GATES))
    assert states(plan) == [OPEN, OPEN, OPEN]
    assert (names(plan), plan.held, plan.reached) == ({"dev", "prod"}, {}, "live")


@pytest.mark.parametrize(
    ("gate", "expected", "there", "stage"),
    [
        ("build", [HELD, CLOSED, CLOSED], set(), ""),
        ("talk", [OPEN, HELD, CLOSED], {"dev"}, "build"),
        ("live", [OPEN, OPEN, HELD], {"dev"}, "talk"),
    ],
)
def test_a_check_holds_its_own_gate_and_all_behind_it_and_none_before(
    gate: str, expected: list[GateState], there: set[str], stage: str
) -> None:
    plan = make_plan(by(policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed=gate))))
    assert (states(plan), names(plan), plan.reached) == (expected, there, stage)
    assert plan.held == {
        name: f"gate {gate}: SponsorNamed: spec.sponsor names nobody" for name in ("dev", "prod") if name not in there
    }
    (found,) = plan.findings
    assert (found.check.id, found.gate, found.holds) == ("SponsorNamed", gate, True)


def test_the_first_gate_that_does_not_open_tells_why_and_those_behind_it_do_not() -> None:
    policy = policy_of(BUILD, VISA, LIVE, checks=rules(SponsorNamed="build", PoaNamed="live"))
    first, second, third = make_plan(by(policy)).gates
    assert [item.message for item in first.obstacles] == ["SponsorNamed: spec.sponsor names nobody"]
    assert (second.obstacles, third.obstacles) == ((), ())


def test_every_approval_of_a_gate_is_demanded() -> None:
    two = {**TALK, "approvals": [{"name": "visa", "actor": "security"}, {"name": "stamp", "actor": "poa"}]}
    policy = policy_of(BUILD, two, LIVE)
    spec = spec_of(DEV, PROD)
    one = approved(spec, policy, "talk", "visa")
    both = (*one, *approved(spec, policy, "talk", "stamp"))
    for decisions, missing in (((), ["visa", "stamp"]), (one, ["stamp"]), (both, [])):
        result = make_plan(snapshot_of(spec, policy=policy, decisions=decisions)).gates[1]
        assert (result.state, result.open) == ((HELD, False) if missing else (OPEN, True))
        assert [item.message for item in result.obstacles] == [
            f"approval {name} of gate talk is missing" for name in missing
        ]
        actors = {"visa": Actor.SECURITY, "stamp": Actor.POA}
        assert [item.actor for item in result.obstacles] == [actors[name] for name in missing]


def test_what_passes_holds_nothing_and_is_not_told() -> None:
    plan = make_plan(by(policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build")), sponsor=ADA))
    assert (states(plan), plan.findings) == ([OPEN, OPEN, OPEN], ())


STRICT = HostingTargetSpec.model_validate({"sites": SITES[:1], "domains": [{"suffix": "good.org"}]})
BAD = {"domains": ["bad.com"]}


@pytest.mark.parametrize(
    ("gate", "environments", "there", "holding"),
    [
        ("build", [{**DEV, **BAD}, environment("two")], {"two"}, ["dev"]),
        ("build", [DEV, {**PROD, **BAD}], {"dev"}, ["prod"]),
        ("live", [{**DEV, **BAD}, {**PROD, **BAD}], {"dev"}, ["prod"]),
        ("live", [{**DEV, **BAD}], {"dev"}, []),
    ],
    ids=["its own gate", "a gate before", "only those at the gate", "before its gate it warns"],
)
def test_a_finding_about_an_environment_holds_that_environment_and_no_gate(
    gate: str, environments: list[Any], there: set[str], holding: list[str]
) -> None:
    policy = policy_of(BUILD, TALK, LIVE, checks=rules(DomainAllowed=gate))
    plan = make_plan(snapshot_of(spec_of(*environments), policy=policy, targets={"main": STRICT}))
    assert (states(plan), names(plan)) == ([OPEN, OPEN, OPEN], there)
    assert [found.environment for found in plan.findings if found.holds] == holding
    assert {found.severity for found in plan.findings if not found.holds} <= {Severity.WARNING}
    assert list(plan.held) == holding


def full_at(*full: str, size: str = "small") -> Snapshot:
    """Return a world with an environment on two sites, of which some are full."""
    target = HostingTargetSpec.model_validate({"sites": [{**site, "capacity": {"cpu": "9"}} for site in SITES]})
    taken = {SiteKey.of("twin", site): Totals(cpu=8000) for site in target.sites if site.name in full}
    spec = spec_of(environment(target="twin", size=size))
    return snapshot_of(spec, policy=GATES, targets={"twin": target}, usage=Usage(taken, {}))


@pytest.mark.parametrize(("full", "other"), [("a", "b"), ("b", "a")])
def test_a_site_that_is_full_is_held_alone(full: str, other: str) -> None:
    plan = make_plan(full_at(full))
    assert [revision.site for revision in plan.building] == [other]
    assert plan.held == {"dev": f"target 'twin' has no room: site '{full}': cpu 2 wanted, 8 of 9 taken"}
    assert full in {key.site for key in plan.full}
    assert make_plan(full_at("a", "b")).building == ()


def test_what_exists_on_a_site_that_is_full_stays_while_it_grows_on_the_other() -> None:
    snapshot = replace(full_at("a", size="large"), live=built(full_at()))
    there = {(revision.site, revision.resources.cpu) for revision in make_plan(snapshot).building}
    assert there == {("a", "2"), ("b", "8")}


TRIAL = [{"severity": "Warning", "journey": "trial"}]
OVERRIDES: dict[str, tuple[list[dict[str, Any]], Severity | None]] = {
    "none": ([], Severity.BLOCKING),
    "its journey": (TRIAL, Severity.WARNING),
    "another journey": ([{"severity": "Warning", "journey": "long"}], Severity.BLOCKING),
    "its track": ([{"severity": "Warning", "track": "Organisational"}], Severity.WARNING),
    "another track": ([{"severity": "Warning", "track": "Technical"}], Severity.BLOCKING),
    "it by name": ([{"severity": "Warning", "checks": ["PoaNamed", "SponsorNamed"]}], Severity.WARNING),
    "others by name": ([{"severity": "Warning", "checks": ["PoaNamed"]}], Severity.BLOCKING),
    "environments on a target": ([{"severity": "Warning", "target": "main"}], Severity.BLOCKING),
    "all of it matches": (
        [{"severity": "Warning", "journey": "trial", "track": "Organisational", "checks": ["SponsorNamed"]}],
        Severity.WARNING,
    ),
    "one part does not": ([{"severity": "Warning", "journey": "trial", "track": "Technical"}], Severity.BLOCKING),
    "the last wins": ([*TRIAL, {"severity": "Blocking", "checks": ["SponsorNamed"]}], Severity.BLOCKING),
    "the last that matches": ([*TRIAL, {"severity": "Blocking", "journey": "long"}], Severity.WARNING),
    "ignored is not made": ([{"severity": "Ignored", "journey": "trial"}], None),
}


@pytest.mark.parametrize(("overrides", "severity"), OVERRIDES.values(), ids=OVERRIDES)
def test_an_override_changes_what_a_check_means(overrides: list[dict[str, Any]], severity: Severity | None) -> None:
    fields: dict[str, Any] = {"checks": rules(SponsorNamed="build"), "journeys": ["trial", "long"]}
    plan = make_plan(by(policy_of(BUILD, TALK, LIVE, **fields, overrides=overrides), DEV, journey="trial"))
    assert [found.severity for found in plan.findings] == ([severity] if severity else [])
    assert states(plan)[0] is (HELD if severity is Severity.BLOCKING else OPEN)


@pytest.mark.parametrize(("target", "holds"), [("main", False), ("twin", True)])
def test_an_override_of_a_target_is_about_the_environments_there(target: str, holds: bool) -> None:
    policy = policy_of(
        BUILD, checks=rules(DomainAllowed="build"), overrides=[{"severity": "Warning", "target": "main"}]
    )
    strict = {"main": STRICT, "twin": STRICT}
    plan = make_plan(snapshot_of(spec_of({**DEV, **BAD, "target": target}), policy=policy, targets=strict))
    assert (names(plan) == set()) is holds


def test_a_gate_that_would_close_again_stays_passed_for_what_exists() -> None:
    snapshot = after(by(GATES))
    closed = replace(snapshot, policy=policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build")))
    plan = make_plan(closed)
    assert (states(plan), plan.reached) == ([PASSED, PASSED, PASSED], "live")
    assert not any(result.open for result in plan.gates)
    assert (plan.held, names(plan), plan.removing) == ({}, {"dev", "prod"}, set())
    status = told(closed)
    ready = next(item for item in status["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "Ready")
    assert status["summary"]["environments"] == "2/2"


@pytest.mark.parametrize(
    ("environments", "held", "there"),
    [
        ([environment(size="large"), PROD], {"dev"}, {("dev", "2"), ("prod", "2")}),
        ([DEV, PROD, environment("more")], {"more"}, {("dev", "2"), ("prod", "2")}),
        ([DEV, PROD], set(), {("dev", "2"), ("prod", "2")}),
    ],
    ids=["growth", "another environment", "nothing new"],
)
def test_behind_a_passed_gate_only_what_is_new_is_held(
    environments: list[Any], held: set[str], there: set[tuple[str, str]]
) -> None:
    closed = policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build"))
    plan = make_plan(after(by(GATES), spec_of(*environments), policy=closed))
    assert plan.held.keys() == held
    assert {(revision.environment, revision.resources.cpu) for revision in plan.building} == there


def test_a_passed_gate_that_does_not_open_holds_the_next_one() -> None:
    closed = policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build"))
    plan = make_plan(after(by(GATES, DEV), spec_of(DEV, PROD), policy=closed))
    assert (states(plan), plan.held.keys()) == ([PASSED, CLOSED, CLOSED], {"prod"})
    assert plan.reached == "build"


def test_a_revocation_is_nothing_new_and_never_held() -> None:
    closed = policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build"))
    less = spec_of(DEV, team={"groups": {"admin": ["shop-admins"]}}, repositories=[])
    plan = make_plan(after(by(GATES, DEV), less, policy=closed))
    assert plan.held == {}
    (revision,) = plan.building
    assert ([binding.persona for binding in revision.bindings], revision.repositories) == (["admin"], ())


def test_steps_of_people_alone_are_walked_without_an_environment() -> None:
    policy = policy_of(TALK, {"name": "shake"}, {"name": "sign"}, checks=rules(SponsorNamed="sign"))
    plan = make_plan(by(policy, sponsor=None, environments=[]))
    assert (states(plan), plan.reached) == ([OPEN, OPEN, HELD], "shake")
    walked = make_plan(by(policy, sponsor=ADA, environments=[]))
    assert (states(walked), walked.reached) == ([OPEN, OPEN, OPEN], "sign")


def test_a_policy_without_gates_lets_everything_in() -> None:
    plan = make_plan(by(policy_of()))
    assert (plan.gates, names(plan), plan.reached) == ((), {"dev", "prod"}, "")


RUNS = policy_of(BUILD, LIVE, checks=rules(ImageCompliant="live"))


def test_a_gate_that_asks_what_runs_before_it_waits_until_something_does() -> None:
    first = by(RUNS)
    plan = make_plan(first)
    assert (states(plan), names(plan), plan.arriving) == ([OPEN, HELD], {"dev"}, {"dev"})
    assert [item.message for item in plan.gates[1].obstacles] == ["environment dev is not in place yet"]
    alone = make_plan(by(RUNS, PROD))
    assert [item.message for item in alone.gates[1].obstacles] == ["no environment runs yet behind a gate before live"]
    second = make_plan(after(first))
    assert [item.message for item in second.gates[1].obstacles] == [
        "environment dev: ImageCompliant: what runs in namespace shop-dev is being asked"
    ]
    assert make_plan(by(policy_of(BUILD, LIVE))).arriving == set()


def test_a_check_of_what_runs_that_does_not_block_waits_for_nothing() -> None:
    warns = [{**rules(ImageCompliant="live")[0], "severity": "Warning"}]
    assert states(make_plan(by(policy_of(BUILD, LIVE, checks=warns)))) == [OPEN, OPEN]
    waiver = decided("Waive", check="ImageCompliant", expires="2030-01-01T00:00:00Z")
    assert states(make_plan(replace(by(RUNS), decisions=(waiver,)))) == [OPEN, OPEN]


def test_what_is_in_production_may_grow_after_all_else_was_removed() -> None:
    snapshot = after(by(policy_of(BUILD, LIVE)), spec_of({**PROD, "size": "large"}), policy=RUNS)
    alone = replace(snapshot, live={key: item for key, item in snapshot.live.items() if item.environment == "prod"})
    plan = make_plan(alone)
    assert [(revision.environment, revision.resources.cpu) for revision in plan.building] == [("prod", "8")]
