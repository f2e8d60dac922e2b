"""A change of the policy is counted: the environments that it holds, the quotas that it changes, and whose they are."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from onboarding.reconcile.observed.validity import RoleState
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.status.policy_outcome import policy_outcome
from tests.unit.policy_world import DEV, LARGE, PROD, PROJECTS, SMALL, SPONSOR, VISA, World
from tests.unit.snapshots import decided


@pytest.fixture
def world() -> World:
    return World()


SHRUNK = {"sizes": [{**SMALL, "cpu": "1"}, LARGE]}
ONLY_SMALL = {"sizes": [SMALL]}
BLOCKING = {"checks": [SPONSOR]}
CASES: dict[str, tuple[dict[str, Any], tuple[int, int, tuple[str, ...], bool]]] = {
    "nothing changed": ({}, (0, 0, (), False)),
    "another word for the same amount": ({"sizes": [{**SMALL, "cpu": "2000m"}, LARGE]}, (0, 0, (), False)),
    "a size shrunk": (SHRUNK, (0, 3, ("pay", "shop"), False)),
    "the name of a size removed": (ONLY_SMALL, (1, 0, ("tall",), False)),
    "a check made blocking": (BLOCKING, (2, 0, ("pay",), False)),
    "a gate added before all": (
        {"gates": [{"name": "contact", "approvals": VISA}, DEV, PROD]},
        (4, 0, ("pay", "shop", "tall"), True),
    ),
    "an approval added to a gate": ({"gates": [DEV, {**PROD, "approvals": VISA}]}, (1, 0, ("pay",), False)),
    "held and changed at once": ({**SHRUNK, "checks": [SPONSOR]}, (2, 1, ("pay", "shop"), False)),
    "a policy that breaks a rule": ({"objectCounts": {"resourcequotas": 0}}, (4, 0, ("pay", "shop", "tall"), True)),
    "a policy that cannot be read": ({"stages": []}, (4, 0, ("pay", "shop", "tall"), True)),
    "a role that nobody can bind": (
        {"personas": [{"name": "admin", "clusterRole": "onboarding:none"}]},
        (4, 0, ("pay", "shop", "tall"), True),
    ),
}


@pytest.mark.parametrize(("edit", "expected"), CASES.values(), ids=CASES)
def test_a_change_is_counted_by_what_it_does(
    world: World, edit: dict[str, Any], expected: tuple[int, int, tuple[str, ...], bool]
) -> None:
    world.edit(**edit)
    world.declared.offered.know_roles({"onboarding:none": RoleState.MISSING})
    world.reconcile()
    assert world.figures() == expected


@pytest.mark.parametrize("edit", [edit for edit, _ in CASES.values()], ids=CASES)
def test_a_change_that_is_taken_back_holds_nothing(world: World, edit: dict[str, Any]) -> None:
    """The quotas that it has changed change once more."""
    world.edit(**edit)
    world.declared.offered.know_roles({"onboarding:none": RoleState.MISSING})
    world.reconcile()
    _, changed, *_ = world.figures()
    world.edit()
    world.reconcile()
    assert world.figures()[:2] == (0, changed)
    assert world.figures()[3] is False


def test_two_edits_before_the_first_is_through_count_as_one(world: World) -> None:
    """The second says what both did, as nobody has read what the first did."""
    world.edit(**BLOCKING)
    world.reconcile(["pay"])
    world.edit(checks=[SPONSOR], sizes=[SMALL])
    world.reconcile()
    assert world.figures() == (3, 0, ("pay", "tall"), False)
    count = world.count()
    assert count is not None
    assert count.former_generation == 1


def test_an_edit_taken_back_before_it_is_through_did_nothing(world: World) -> None:
    world.edit(**SHRUNK)
    world.reconcile(["pay"])
    world.edit()
    world.reconcile()
    assert world.figures() == (0, 0, (), False)


def test_an_outcome_under_the_former_policy_that_comes_late_is_not_counted(world: World) -> None:
    late = world.outcome("pay")
    world.edit(**BLOCKING)
    world.reconcile(["shop", "tall"])
    world.changes.take("pay", late)
    world.now += 30
    count = world.count()
    assert count is not None
    assert (count.pending, count.environments_held, count.holds_every_project) == (1, 0, False)


def _edited(world: World) -> None:
    world.declare("pay", {**PROJECTS["pay"], "description": "other"}, generation=2)


def _created_again(world: World) -> None:
    world.delete("pay")
    world.declare("pay", PROJECTS["pay"], generation=7)


def _planned(world: World) -> None:
    world.declare("pay", {**PROJECTS["pay"], "mode": "Plan"}, generation=2)


NOT_COUNTED: dict[str, Callable[[World], None]] = {
    "edited": _edited,
    "created again": _created_again,
    "set to mode Plan": _planned,
    "new": lambda world: world.declare("new", PROJECTS["pay"]),
}


@pytest.mark.parametrize("change", NOT_COUNTED.values(), ids=NOT_COUNTED)
def test_a_project_that_changes_at_the_same_time_is_not_counted(world: World, change: Callable[[World], None]) -> None:
    """Nobody knows which of the two changes holds it."""
    world.edit(**BLOCKING)
    change(world)
    world.reconcile()
    count = world.count()
    assert count is not None
    assert "new" not in count.named
    assert count.not_compared == 1
    assert count.environments_held == (2 if "new" in world.declared.names() else 0)


def test_a_suspension_is_not_the_policys_doing(world: World) -> None:
    suspension = decided("Suspend")
    world.edit()
    world.decisions = (suspension,)
    world.reconcile()
    assert world.figures() == (0, 0, (), False)
    world.decisions = ()
    world.edit(**BLOCKING)
    world.reconcile()
    assert world.figures() == (0, 0, (), False)


def test_a_project_that_is_deleted_meanwhile_is_not_waited_for(world: World) -> None:
    world.edit(**BLOCKING)
    world.reconcile(["shop", "tall"])
    assert world.count() is None
    world.delete("pay")
    assert world.figures() == (0, 0, (), False)


def test_a_project_that_is_deleted_after_it_was_held_does_not_count(world: World) -> None:
    world.edit(**BLOCKING)
    world.reconcile(["pay", "shop"])
    world.delete("pay")
    world.reconcile(["tall"])
    assert world.figures() == (0, 0, (), False)


def test_a_project_that_was_held_before_is_not_held_by_the_change(world: World) -> None:
    """What is held by one change counts for it and for no later one."""
    world.edit(**BLOCKING)
    world.reconcile()
    assert world.figures() == (2, 0, ("pay",), False)
    world.edit(checks=[SPONSOR], sizes=[SMALL])
    world.reconcile()
    assert world.figures() == (1, 0, ("tall",), False)


def test_a_count_is_told_when_it_begins_and_when_it_is_final_and_every_30_seconds_between(world: World) -> None:
    world.edit(**BLOCKING)
    assert world.changes.pause is None
    assert world.count() is None
    assert (world.told, world.changes.pause) == (1, 30)
    world.reconcile(["pay"])
    world.now = 29.5
    assert (world.count(), world.told, world.changes.pause) == (None, 1, 1)
    world.now = 30
    first = world.count()
    assert first is not None
    assert (first.pending, first.environments_held, world.changes.pause) == (2, 2, 30)
    world.reconcile(["shop"])
    assert (world.count(), world.told) == (first, 1)
    world.reconcile(["tall"])
    assert world.told == 2
    assert world.figures() == (2, 0, ("pay",), False)
    assert world.changes.pause is None


def test_a_count_that_is_final_stays_whatever_comes_after(world: World) -> None:
    """A status that followed every later decision would be written without end."""
    world.edit(**BLOCKING)
    world.reconcile()
    final = world.count()
    _edited(world)
    world.decisions = (decided("Suspend"),)
    world.reconcile()
    world.delete("shop")
    assert (world.count(), world.changes.pause) == (final, None)


def test_a_policy_of_another_uid_is_counted_from_its_second_generation(world: World) -> None:
    world.edit(**BLOCKING)
    world.reconcile()
    world.edit(uid="uid-other", **SHRUNK)
    world.reconcile()
    assert world.count() is None
    world.edit(uid="uid-other", **BLOCKING)
    world.reconcile()
    # What is held keeps the quotas of the edit before.
    assert world.figures() == (2, 1, ("pay", "shop"), False)
    assert (world.changes.report() or ("",))[0] == "uid-other"


def test_a_start_knows_no_former_outcome_and_says_so(world: World) -> None:
    """It reports nothing, so that the status stays as written; what it has not seen before is not compared."""
    world.edit(**BLOCKING)
    world.restart()
    world.reconcile(["shop"])
    assert world.count() is None
    world.edit(**SHRUNK)
    world.reconcile()
    count = world.count()
    assert count is not None
    assert (count.quotas_changed, count.named, count.not_compared) == (1, ("shop",), 2)
    assert (count.former_generation, count.generation, count.holds_every_project) == (2, 3, False)


def test_the_first_ten_projects_are_named_and_all_are_counted() -> None:
    names = [f"shop-{number:02}" for number in range(12)]
    world = World(dict.fromkeys(names, PROJECTS["shop"]) | {"zoo": PROJECTS["pay"]})
    world.edit(checks=[SPONSOR], **SHRUNK)
    world.reconcile()
    count = world.count()
    assert count is not None
    assert count.named == ("zoo", *names[:9])
    assert (count.environments_held, count.quotas_changed, count.projects) == (2, 12, 13)


def test_without_projects_nothing_is_held() -> None:
    world = World({})
    world.edit(stages=[])
    assert world.figures() == (0, 0, (), False)


def test_a_project_that_waits_for_a_first_probe_is_pending(world: World) -> None:
    """It is held for a moment only, and a count that is final stays."""
    snapshot = world.snapshot("pay")
    plan = make_plan(snapshot)
    assert policy_outcome(snapshot, plan) is not None
    assert policy_outcome(snapshot, replace(plan, urgent=True)) is None
    assert policy_outcome(replace(snapshot, policy_version=None), plan) is None
    world.edit(**BLOCKING)
    world.reconcile(["shop", "tall"])
    world.changes.take("pay", None)
    world.now = 30
    count = world.count()
    assert count is not None
    assert (count.pending, count.holds_every_project) == (1, False)
