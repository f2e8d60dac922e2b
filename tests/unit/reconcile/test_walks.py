"""Whatever a project writes and whoever decides, in any order: production opens by its gate, and nothing is lost.

Hypothesis walks the shipped profiles. What must not pass is judged by hand-written rules, not by the policy.
"""

import contextlib
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.walk_steps import STEPS, Step
from tests.support.walks import unmet
from tests.unit.walks import MemoryWalk

ALL: Final[tuple[Step, ...]] = (("add", "dev"), ("add", "preprod"), ("add", "prod"))


def _walk() -> MemoryWalk:
    walk = MemoryWalk("cloud-pi-native")
    walk.declare()
    walk.settle()
    return walk


WALKS = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


@WALKS
@given(st.lists(st.sampled_from(STEPS), min_size=3, max_size=14))
def test_no_walk_opens_production_by_another_way_or_takes_anything_away(steps: list[Step]) -> None:
    walk = _walk()
    walk.take(("add", "dev"), ("add", "preprod"), *steps)


HELD_FOR_GOOD: Final = ("ends at gate", "odd", "trust", "takes", "nowhere", "enormous", "real data", "journey")
"""Parts of the sentences about an environment that no decision can help."""


@settings(WALKS, max_examples=40)
@given(st.lists(st.sampled_from([step for step in STEPS if step[0] not in ("suspend", "facts")]), max_size=8))
def test_nothing_waits_for_itself(steps: list[Step]) -> None:
    """Once everybody has decided, all is in place, or the declaration of an environment says why it cannot be.

    Others may wait for that one: a gate asks what runs before it.
    """
    walk = _walk()
    walk.take(*ALL, *steps, ("decide", None))
    there = {revision.environment for revision in walk.admitted().values()}
    waiting = [item for item in walk.status["environments"] if item["name"] not in there]
    assert all(item["held"] for item in waiting)
    assert not waiting or any(part in str(item) for item in waiting for part in HELD_FOR_GOOD), waiting


def test_the_rules_of_the_test_let_a_good_project_through() -> None:
    """The walk that everybody should take ends in production: the properties above are not true of nothing."""
    walk = _walk()
    walk.take(*ALL, ("decide", None))
    assert {revision.environment for revision in walk.admitted().values()} == {"dev", "preprod", "prod"}
    assert unmet(walk) == []


@pytest.mark.parametrize("step", [("journey", "hackathon"), ("classify", {"zone": "DR"}), ("facts", False)])
def test_the_rules_of_the_test_see_what_is_missing(step: Step) -> None:
    walk = _walk()
    walk.take(*ALL, ("decide", None))
    with contextlib.suppress(AssertionError):
        walk.take(step)
    assert unmet(walk) != []
