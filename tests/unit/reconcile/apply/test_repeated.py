"""Writes that do not last are slowed down and told, and it ends by itself; time is given, not waited for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from onboarding.build.kinds import LIMIT_RANGE, NETWORK_POLICY, ROLE_BINDING, ObjectKey
from onboarding.reconcile.apply.repeated import MOST_REPAIRS, SLOW, WINDOW
from tests.unit.reconcile.apply.test_stored import Mutating
from tests.unit.snapshots import environment, snapshot_of, spec_of
from tests.unit.stage import Stage

DENY = ObjectKey("hub", NETWORK_POLICY, "shop-dev", "default-deny")
LIMITS = ObjectKey("hub", LIMIT_RANGE, "shop-dev", "onboarding")


@pytest.fixture
def stage() -> Stage:
    """A project that has just been declared."""
    return Stage(snapshot_of(spec_of(environment())))


async def at(stage: Stage, moment: datetime) -> datetime | None:
    """Reconcile at a moment, and return when the next reconcile is due without an event."""
    stage.snapshot = replace(stage.snapshot, now=moment)
    return (await stage.reconciler.reconcile("shop")).again_at


def writes(stage: Stage, key: ObjectKey) -> int:
    return sum(verb in ("create", "change") and key == written for verb, written in stage.cluster.log)


def undo(stage: Stage, key: ObjectKey = LIMITS) -> None:
    """Play a controller that has another opinion of an object."""
    stage.cluster.put(key, {**stage.cluster.objects[key], "spec": {"limits": []}})


async def fight(stage: Stage, rounds: int) -> datetime:
    """Let somebody undo an object every second; return the moment of the last reconcile."""
    moment = stage.snapshot.now
    await at(stage, moment)
    for _ in range(rounds):
        moment += timedelta(seconds=1)
        undo(stage)
        await at(stage, moment)
    return moment


async def test_a_write_that_a_policy_changes_is_repeated_by_the_back_off_alone(stage: Stage) -> None:
    """Case 14: whatever happens to the project in between, nothing is written before it is due, and it heals."""
    cluster = stage.cluster = mutated(stage)
    due = await at(stage, stage.snapshot.now)
    assert stage.ready() == ("False", "Drifted")
    assert stage.condition("Drifted")["message"] == stage.condition("Ready")["message"]
    assert stage.condition("Stalled")["reason"] == "Drifted"
    assert stage.status["nextActions"][0]["actor"] == "platform"
    pauses = []
    for count in range(1, 9):
        assert due is not None
        pauses.append((due - stage.snapshot.now).total_seconds())
        assert await at(stage, stage.snapshot.now + (due - stage.snapshot.now) / 2) == due
        assert writes(stage, DENY) == count, "no write before it is due"
        due = await at(stage, due)
    assert all(0.7 * wanted <= 2 * pause <= 2.5 * wanted for pause, wanted in zip(pauses, (1, 2, 4, 8), strict=False))
    assert pauses[-1] <= 60 * 1.2
    statuses = stage.statuses
    assert due is not None
    cluster.mutating = False
    await at(stage, due)
    await stage.settle()
    assert stage.ready() == ("True", "Ready")
    assert stage.statuses == statuses + 1
    assert not any(condition["type"] == "Drifted" for condition in stage.status["conditions"])
    assert await at(stage, due + timedelta(seconds=1)) is None


def mutated(stage: Stage) -> Mutating:
    """Put a mutating policy in force on the stage's cluster."""
    cluster = Mutating(NETWORK_POLICY, {"spec": {"egress": [{}]}}, DENY.name)
    stage.reconciler._clusters = {"hub": cluster}
    return cluster


async def test_another_spec_is_written_at_once(stage: Stage) -> None:
    cluster = stage.cluster = mutated(stage)
    binding = ObjectKey("hub", ROLE_BINDING, "shop-dev", "admin:onboarding:admin")
    cluster.kind, cluster.name, cluster.patch = ROLE_BINDING, binding.name, {"subjects": []}
    await at(stage, stage.snapshot.now)
    before = writes(stage, binding)
    assert before == 1
    other = spec_of(environment(), team={"groups": {"admin": ["others"]}})
    stage.snapshot = replace(stage.snapshot, project=replace(stage.snapshot.project, spec=other))
    await at(stage, stage.snapshot.now)
    assert writes(stage, binding) > before


async def test_a_few_repairs_are_nothing_to_tell(stage: Stage) -> None:
    await fight(stage, MOST_REPAIRS)
    assert stage.ready() == ("True", "Ready")


async def test_an_object_that_somebody_undoes_again_and_again_is_told_and_slowed_down(stage: Stage) -> None:
    moment = await fight(stage, MOST_REPAIRS + 1)
    assert stage.ready() == ("False", "Drifted")
    message = stage.condition("Drifted")["message"]
    assert message.startswith("LimitRange shop-dev/onboarding (spec.limits) was repaired more than 10 times in 10 min")
    action = stage.status["nextActions"][0]
    assert (action["actor"], action["action"]) == ("platform", message)
    before, statuses = writes(stage, LIMITS), stage.statuses
    for second in range(1, int(SLOW.total_seconds())):
        undo(stage)
        assert await at(stage, moment + timedelta(seconds=second)) == moment + SLOW
    assert writes(stage, LIMITS) == before
    await at(stage, moment + SLOW)
    assert writes(stage, LIMITS) == before + 1
    assert stage.condition("Drifted")["message"] == message, "one repair does not end it"
    assert stage.statuses == statuses, "it is the same all the time"


async def test_a_fight_is_over_once_nobody_undoes_the_object(stage: Stage) -> None:
    moment = await fight(stage, MOST_REPAIRS + 1)
    assert await at(stage, moment) == moment + SLOW
    over = await at(stage, moment + SLOW)
    assert over == moment + 2 * SLOW
    assert stage.ready() == ("False", "Drifted")
    assert await at(stage, over) is None
    assert stage.ready() == ("True", "Ready")


async def test_a_change_of_the_declaration_ends_a_fight(stage: Stage) -> None:
    """Also if the object stays as it is: whoever changes the declaration wants the object at once."""
    moment = await fight(stage, MOST_REPAIRS + 1)
    undo(stage)
    before = writes(stage, LIMITS)
    other = spec_of(environment(), description="another text")
    stage.snapshot = replace(stage.snapshot, project=replace(stage.snapshot.project, spec=other))
    await at(stage, moment)
    assert writes(stage, LIMITS) == before + 1
    assert stage.ready() == ("True", "Ready")


async def test_repairs_of_long_ago_do_not_count(stage: Stage) -> None:
    moment = stage.snapshot.now
    await at(stage, moment)
    for _ in range(3 * MOST_REPAIRS):
        moment += WINDOW / MOST_REPAIRS
        undo(stage)
        await at(stage, moment)
    assert stage.ready() == ("True", "Ready")


CHANGED: dict[str, Callable[[int], dict[str, object]]] = {
    "the spec": lambda number: {"description": f"the {number}. text"},
    "the policy or the target": lambda number: {"labels": {"shop.projects/team": f"number-{number}"}},
}


@pytest.mark.parametrize("changed", CHANGED.values(), ids=CHANGED)
async def test_changes_that_follow_from_a_change_of_the_declaration_are_no_fight(
    stage: Stage, changed: Callable[[int], dict[str, object]]
) -> None:
    moment = stage.snapshot.now
    for number in range(3 * MOST_REPAIRS):
        moment += timedelta(seconds=1)
        given = changed(number)
        spec = spec_of(environment(**given)) if "labels" in given else spec_of(environment(), **given)
        stage.snapshot = replace(stage.snapshot, project=replace(stage.snapshot.project, spec=spec))
        await at(stage, moment)
    assert stage.ready() == ("True", "Ready")


async def test_nothing_is_remembered_of_a_project_that_is_gone(stage: Stage) -> None:
    await fight(stage, MOST_REPAIRS + 1)
    stage.reconciler._forget("shop")
    undo(stage)
    await at(stage, stage.snapshot.now)
    assert stage.ready() == ("True", "Ready")
