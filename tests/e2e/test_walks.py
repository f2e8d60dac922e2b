"""Twenty walks on the real server: the steps and the rules of those in memory, by people with the shipped roles."""

from collections.abc import Iterator
from random import Random
from typing import Final

import pytest

from tests.e2e.journey import Journey
from tests.e2e.walks import POLICY, Ground, ServerWalk, prepare
from tests.support.walk_steps import PRODUCTION, STEPS, Step, take
from tests.support.walks import Turns

ALL: Final[tuple[Step, ...]] = (("add", "dev"), ("add", "preprod"), ("add", "prod"))
SEEN: Final[tuple[Step, ...]] = (("facts", True), ("decide", None))
"""The operator sees what runs, and those who decide open what comes next."""
ON_CLOUD: Final = (*ALL, ("decide", None), *SEEN)
IN_PRODUCTION: Final = (*ON_CLOUD, *SEEN)
BEGINNINGS: Final = (*[IN_PRODUCTION] * 8, *[ON_CLOUD] * 8, *[ALL] * 4)


def _drawn() -> dict[str, list[Step]]:
    """Return the walks by the names of their projects, drawn once and for all; every fourth step decides."""
    random = Random(12)
    steps = (*STEPS, *[("decide", None)] * (len(STEPS) // 4))
    return {
        f"walk-{number:02}": [*beginning, *random.choices(steps, k=len(IN_PRODUCTION) + 6 - len(beginning))]
        for number, beginning in enumerate(BEGINNINGS)
    }


@pytest.fixture
def seldom(journey: Journey) -> Iterator[None]:
    """Probes that no time repeats in the middle of a step."""
    former = journey.hub.api.request("GET", POLICY)["spec"]["probes"]["minutes"]
    journey.hub.api.patch(POLICY, {"spec": {"probes": {"minutes": 1440}}})
    yield
    journey.hub.api.patch(POLICY, {"spec": {"probes": {"minutes": former}}})


def _walk(walk: ServerWalk, steps: list[Step]) -> Turns:
    for number, step in enumerate(steps):
        try:
            yield from take(walk, step)
        except AssertionError as error:
            error.add_note(f"after {steps[:number]}")
            raise


def _side_by_side(ground: Ground, walks: list[ServerWalk], drawn: dict[str, list[Step]]) -> list[str]:
    """Take all walks to their end, or to their first fault; return the faults."""
    faults = []
    ground.settle(walks)
    going = {walk.name: _walk(walk, drawn[walk.name]) for walk in walks}
    while going:
        for name, turns in tuple(going.items()):
            try:
                next(turns)
            except StopIteration:
                del going[name]
            except AssertionError as error:
                faults.append(f"{name}: {error}, {error.__notes__[0]}")
                del going[name]
        ground.settle(walks)
    return faults


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("seldom")
def test_no_walk_opens_production_by_another_way_or_takes_anything_away(journey: Journey) -> None:
    """Of those that went the whole way all reached production, so that the rules are not true of nothing."""
    drawn = _drawn()
    ground, walks = prepare(journey, drawn)
    faults = _side_by_side(ground, walks, drawn)
    assert not faults, "\n".join(faults)
    reached = {walk.name for walk in walks if PRODUCTION & {item.environment for item in walk.admitted().values()}}
    there = {name for name, beginning in zip(drawn, BEGINNINGS, strict=True) if beginning is IN_PRODUCTION}
    assert there <= reached < drawn.keys(), "some reach production, and some are kept out"
