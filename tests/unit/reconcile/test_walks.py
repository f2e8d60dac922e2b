"""Whatever a project writes and whoever decides, in any order: production opens by its gate, and nothing is lost.

Hypothesis walks the shipped profiles. What must not pass is judged by hand-written rules, not by the policy.
"""

import contextlib
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.walk_steps import CHOICES, Step
from tests.support.walks import unmet
from tests.unit.walks import MemoryWalk

ALL: Final[tuple[Step, ...]] = (("add", "dev"), ("add", "preprod"), ("add", "prod"))


def _walk() -> MemoryWalk:
    walk = MemoryWalk("cloud-pi-native")
    walk.declare()
    walk.settle()
    return walk


OFTEN: Final = ("journey", "add production") * 3
"""Kinds of steps that more ways to production begin with."""
BEGIN: Final[tuple[tuple[Step, ...], ...]] = (
    (("add", "dev"), ("add", "preprod")),
    (("add", "dev"), ("add", "preprod"), ("decide", None)),
    (("journey", "hackathon"), ("add", "dev"), ("size", ("dev", "small")), ("decide", None)),
    (("add", "dev"), ("add", "preprod"), ("add", "prod"), ("decide", None)),
)
"""Ways to begin: nothing is decided, everything before production is, a short journey ends, production runs."""


def steps_of(*, but: tuple[str, ...] = ()) -> st.SearchStrategy[list[Step]]:
    """Draw steps: first the kind of each, then what it is about, and whether everybody decides after it."""
    kinds = [kind for kind in (*CHOICES, *OFTEN) if kind not in but]
    step = st.sampled_from(kinds).flatmap(lambda kind: st.tuples(st.just(kind), st.sampled_from(CHOICES[kind])))
    pairs = st.lists(st.tuples(step, st.booleans()), max_size=10)
    return pairs.map(lambda drawn: [one for taken, then in drawn for one in (taken, *([("decide", None)] * then))])


WALKS = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))


@WALKS
@given(st.sampled_from(BEGIN), steps_of())
def test_no_walk_opens_production_by_another_way_or_takes_anything_away(
    begin: tuple[Step, ...], steps: list[Step]
) -> None:
    _walk().take(*begin, *steps)


HELD_FOR_GOOD: Final = ("ends at gate", "odd", "trust", "takes", "nowhere", "enormous", "real data", "journey")
"""Parts of the sentences about an environment that no decision can help."""


@settings(WALKS, max_examples=40)
@given(steps_of(but=("suspend", "facts", "withdraw")))
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
    assert unmet(walk, "prod") == []


@pytest.mark.parametrize("step", [("journey", "hackathon"), ("classify", {"zone": "DR"}), ("facts", False)])
def test_the_rules_of_the_test_see_what_is_missing(step: Step) -> None:
    walk = _walk()
    walk.take(*ALL, ("decide", None))
    with contextlib.suppress(AssertionError):
        walk.take(step)
    assert unmet(walk, "prod") != []
