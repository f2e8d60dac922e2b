"""Twenty walks on the real server: the steps and the rules of those in memory, taken by people with the shipped roles."""

from collections.abc import Iterator
from random import Random
from typing import Final

import pytest

from tests.e2e.journey import Journey
from tests.e2e.walks import POLICY, Ground, ServerWalk, prepare
from tests.support.walk_steps import PRODUCTION, STEPS, Step, take
from tests.support.walks import Turns

ALL: Final[tuple[Step, ...]] = (("add", "dev"), ("add", "preprod"), ("add", "prod"))
AHEAD: Final[tuple[Step, ...]] = (
    *ALL,
    ("decide", None),
    ("facts", True),
    ("decide", None),
    ("facts", True),
    ("decide", None),
)
"""The way to production: the operator sees what runs in one environment before the next is approved."""
IN_PRODUCTION: Final = 8
"""The walks that begin there."""


def _drawn() -> dict[str, list[Step]]:
    """Return the walks by the names of their projects, drawn once and for all."""
    random = Random(12)
    walks = {}
    for number in range(20):
        ahead, more = (AHEAD, 8) if number < IN_PRODUCTION else (ALL, 12)
        walks[f"walk-{number:02}"] = [*ahead, *random.choices(STEPS, k=more)]
    return walks


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
            error.add_note(f"step {number} of {steps}")
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
                faults.append(f"{name}: {error}; {', '.join(error.__notes__)}")
                del going[name]
        ground.settle(walks)
    return faults


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("seldom")
def test_no_walk_opens_production_by_another_way_or_takes_anything_away(journey: Journey) -> None:
    """Of those that went the whole way all reached production, so that the rules are not true of nothing."""
    drawn = _drawn()
    ground, walks = prepare(journey, drawn)
    assert _side_by_side(ground, walks, drawn) == []
    reached = [walk.name for walk in walks if {item.environment for item in walk.admitted().values()} & PRODUCTION]
    assert set(reached) >= set(list(drawn)[:IN_PRODUCTION])
    assert len(reached) < len(drawn), "some are kept out"
