"""A door opens by its checks, its approvals and the doors before it; what exists behind one is never shut in."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.gates import Actor, Severity
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import GateState
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.totals import Totals
from onboarding.reconcile.journey.doors import stage_of
from onboarding.reconcile.judge import Judgement, judge
from onboarding.reconcile.ledger import Occupancy, SiteKey
from onboarding.reconcile.world import World
from tests.unit.worlds import (
    SITES,
    approved,
    built,
    decided,
    environment,
    policy_of,
    spec_of,
    told,
    world_of,
)

OPEN, PASSED, HELD, CLOSED = GateState.OPEN, GateState.PASSED, GateState.HELD, GateState.CLOSED
DEV, PROD = environment(), environment("prod", stage="prod")
ADA = {"name": "Ada", "email": "ada@example.org"}
BUILD = {"name": "build", "opens": [{"stages": ["dev"]}]}
TALK = {"name": "talk"}
LIVE = {"name": "live", "opens": [{"stages": ["prod"]}]}
VISA = {**TALK, "approvals": [{"name": "visa", "actor": "security"}]}
DOORS = policy_of(BUILD, TALK, LIVE)


def rules(**gates: str) -> list[dict[str, str]]:
    """Return rules that put checks at doors."""
    return [{"id": check, "gate": gate} for check, gate in gates.items()]


def states(judgement: Judgement) -> list[GateState]:
    return [door.state for door in judgement.doors]


def names(judgement: Judgement) -> set[str]:
    """Return the environments that are built."""
    return {revision.environment for revision in judgement.building}


def by(policy: OnboardingPolicySpec, *environments: Any, **fields: Any) -> World:
    """Return the world of a project without anything in place."""
    return world_of(spec_of(*(environments or (DEV, PROD)), **fields), policy=policy)


def after(world: World, spec: ProjectOnboardingSpec | None = None, **fields: Any) -> World:
    """Return the world once everything is in place that a pass makes, and then another spec or policy is declared."""
    project = replace(world.project, spec=spec or world.project.spec, status=told(world))
    return replace(world, live=built(world), **{"project": project, **fields})


def test_where_nothing_stands_against_them_all_doors_are_open_and_everything_is_built() -> None:
    judgement = judge(by(DOORS))
    assert states(judgement) == [OPEN, OPEN, OPEN]
    assert (names(judgement), judgement.held, stage_of(judgement.doors)) == ({"dev", "prod"}, {}, "live")


@pytest.mark.parametrize(
    ("gate", "expected", "there", "stage"),
    [
        ("build", [HELD, CLOSED, CLOSED], set(), ""),
        ("talk", [OPEN, HELD, CLOSED], {"dev"}, "build"),
        ("live", [OPEN, OPEN, HELD], {"dev"}, "talk"),
    ],
)
def test_a_check_holds_its_own_door_and_all_behind_it_and_none_before(
    gate: str, expected: list[GateState], there: set[str], stage: str
) -> None:
    judgement = judge(by(policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed=gate))))
    assert (states(judgement), names(judgement), stage_of(judgement.doors)) == (expected, there, stage)
    assert judgement.held == {
        name: f"door {gate}: SponsorNamed: spec.sponsor names nobody" for name in ("dev", "prod") if name not in there
    }
    (found,) = judgement.findings
    assert (found.check.id, found.gate, found.holds) == ("SponsorNamed", gate, True)


def test_the_first_door_that_does_not_open_tells_why_and_those_behind_it_do_not() -> None:
    policy = policy_of(BUILD, VISA, LIVE, checks=rules(SponsorNamed="build", PoaNamed="live"))
    first, second, third = judge(by(policy)).doors
    assert [item.message for item in first.obstacles] == ["SponsorNamed: spec.sponsor names nobody"]
    assert (second.obstacles, third.obstacles) == ((), ())


def test_every_approval_of_a_door_is_demanded() -> None:
    two = {**TALK, "approvals": [{"name": "visa", "actor": "security"}, {"name": "stamp", "actor": "poa"}]}
    policy = policy_of(BUILD, two, LIVE)
    spec = spec_of(DEV, PROD)
    one = (approved(spec, policy, "talk", "visa"),)
    both = (*one, approved(spec, policy, "talk", "stamp"))
    for decisions, missing in (((), ["visa", "stamp"]), (one, ["stamp"]), (both, [])):
        door = judge(world_of(spec, policy=policy, decisions=decisions)).doors[1]
        assert (door.state, door.open) == ((HELD, False) if missing else (OPEN, True))
        assert [item.message for item in door.obstacles] == [
            f"approval {name} of door talk is missing" for name in missing
        ]
        actors = {"visa": Actor.SECURITY, "stamp": Actor.POA}
        assert [item.actor for item in door.obstacles] == [actors[name] for name in missing]


def test_what_passes_holds_nothing_and_is_not_told() -> None:
    judgement = judge(by(policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build")), sponsor=ADA))
    assert (states(judgement), judgement.findings) == ([OPEN, OPEN, OPEN], [])


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
    ids=["its own door", "a door before", "only those at the door", "before its door it warns"],
)
def test_a_finding_about_an_environment_holds_that_environment_and_no_door(
    gate: str, environments: list[Any], there: set[str], holding: list[str]
) -> None:
    policy = policy_of(BUILD, TALK, LIVE, checks=rules(DomainAllowed=gate))
    judgement = judge(world_of(spec_of(*environments), policy=policy, targets={"main": STRICT}))
    assert (states(judgement), names(judgement)) == ([OPEN, OPEN, OPEN], there)
    assert [found.environment for found in judgement.findings if found.holds] == holding
    assert {found.severity for found in judgement.findings if not found.holds} <= {Severity.WARNING}
    assert list(judgement.held) == holding


def full_at(*full: str, size: str = "small") -> World:
    """Return a world with an environment on two sites, of which some are full."""
    target = HostingTargetSpec.model_validate({"sites": [{**site, "capacity": {"cpu": "9"}} for site in SITES]})
    taken = {SiteKey.of("twin", site): Totals(cpu=8000) for site in target.sites if site.name in full}
    spec = spec_of(environment(target="twin", size=size))
    return world_of(spec, policy=DOORS, targets={"twin": target}, occupancy=Occupancy(taken, {}))


@pytest.mark.parametrize(("full", "other"), [("a", "b"), ("b", "a")])
def test_a_site_that_is_full_is_held_alone(full: str, other: str) -> None:
    judgement = judge(full_at(full))
    assert [revision.site for revision in judgement.building] == [other]
    assert judgement.held == {"dev": f"target 'twin' has no room: site '{full}': cpu 2 wanted, 8 of 9 taken"}
    assert full in {key.site for key in judgement.full}
    assert judge(full_at("a", "b")).building == []


def test_what_exists_on_a_site_that_is_full_stays_while_it_grows_on_the_other() -> None:
    world = replace(full_at("a", size="large"), live=built(full_at()))
    there = {(revision.site, revision.resources.cpu) for revision in judge(world).building}
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
    judgement = judge(by(policy_of(BUILD, TALK, LIVE, **fields, overrides=overrides), journey="trial"))
    assert [found.severity for found in judgement.findings] == ([severity] if severity else [])
    assert states(judgement)[0] is (HELD if severity is Severity.BLOCKING else OPEN)


@pytest.mark.parametrize(("target", "holds"), [("main", False), ("twin", True)])
def test_an_override_of_a_target_is_about_the_environments_there(target: str, holds: bool) -> None:
    policy = policy_of(
        BUILD, checks=rules(DomainAllowed="build"), overrides=[{"severity": "Warning", "target": "main"}]
    )
    strict = {"main": STRICT, "twin": STRICT}
    judgement = judge(world_of(spec_of({**DEV, **BAD, "target": target}), policy=policy, targets=strict))
    assert (names(judgement) == set()) is holds


def test_a_door_that_would_close_again_stays_passed_for_what_exists() -> None:
    world = after(by(DOORS))
    closed = replace(world, policy=policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build")))
    judgement = judge(closed)
    assert (states(judgement), stage_of(judgement.doors)) == ([PASSED, PASSED, PASSED], "live")
    assert not any(door.open for door in judgement.doors)
    assert (judgement.held, names(judgement), judgement.gone) == ({}, {"dev", "prod"}, set())
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
def test_behind_a_passed_door_only_what_is_new_is_held(
    environments: list[Any], held: set[str], there: set[tuple[str, str]]
) -> None:
    closed = policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build"))
    judgement = judge(after(by(DOORS), spec_of(*environments), policy=closed))
    assert judgement.held.keys() == held
    assert {(revision.environment, revision.resources.cpu) for revision in judgement.building} == there


def test_a_passed_door_that_does_not_open_holds_the_next_one() -> None:
    closed = policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build"))
    judgement = judge(after(by(DOORS, DEV), spec_of(DEV, PROD), policy=closed))
    assert (states(judgement), judgement.held.keys()) == ([PASSED, CLOSED, CLOSED], {"prod"})
    assert stage_of(judgement.doors) == "build"


def test_a_revocation_is_nothing_new_and_never_held() -> None:
    closed = policy_of(BUILD, TALK, LIVE, checks=rules(SponsorNamed="build"))
    less = spec_of(DEV, team={"groups": {"admin": ["shop-admins"]}}, repositories=[])
    judgement = judge(after(by(DOORS, DEV), less, policy=closed))
    assert judgement.held == {}
    (revision,) = judgement.building
    assert ([binding.persona for binding in revision.bindings], revision.repositories) == (["admin"], ())


def test_steps_of_people_alone_are_walked_without_an_environment() -> None:
    policy = policy_of(TALK, {"name": "shake"}, {"name": "sign"}, checks=rules(SponsorNamed="sign"))
    judgement = judge(by(policy, sponsor=None, environments=[]))
    assert (states(judgement), stage_of(judgement.doors)) == ([OPEN, OPEN, HELD], "shake")
    walked = judge(by(policy, sponsor=ADA, environments=[]))
    assert (states(walked), stage_of(walked.doors)) == ([OPEN, OPEN, OPEN], "sign")


def test_a_policy_without_doors_lets_everything_in() -> None:
    judgement = judge(by(policy_of()))
    assert (judgement.doors, names(judgement), stage_of(judgement.doors)) == ([], {"dev", "prod"}, "")


RUNS = policy_of(BUILD, LIVE, checks=rules(ImageCompliant="live"))


def test_a_door_that_asks_what_runs_before_it_waits_until_something_does() -> None:
    first = by(RUNS)
    judgement = judge(first)
    assert (states(judgement), names(judgement), judgement.arriving) == ([OPEN, HELD], {"dev"}, {"dev"})
    assert [item.message for item in judgement.doors[1].obstacles] == ["environment dev is not in place yet"]
    alone = judge(by(RUNS, PROD))
    assert [item.message for item in alone.doors[1].obstacles] == ["no environment runs yet before door live"]
    second = judge(after(first))
    assert [item.message for item in second.doors[1].obstacles] == [
        "environment dev: ImageCompliant: what runs in namespace shop-dev is being asked"
    ]
    assert judge(by(policy_of(BUILD, LIVE))).arriving == set()


def test_a_check_of_what_runs_that_does_not_block_waits_for_nothing() -> None:
    warns = [{**rules(ImageCompliant="live")[0], "severity": "Warning"}]
    assert states(judge(by(policy_of(BUILD, LIVE, checks=warns)))) == [OPEN, OPEN]
    waiver = decided("Waive", check="ImageCompliant", expires="2030-01-01T00:00:00Z")
    assert states(judge(replace(by(RUNS), decisions=(waiver,)))) == [OPEN, OPEN]


def test_what_is_in_production_may_grow_after_all_else_was_removed() -> None:
    world = after(by(policy_of(BUILD, LIVE)), spec_of({**PROD, "size": "large"}), policy=RUNS)
    alone = replace(world, live={key: item for key, item in world.live.items() if item.environment == "prod"})
    judgement = judge(alone)
    assert [(revision.environment, revision.resources.cpu) for revision in judgement.building] == [("prod", "8")]
