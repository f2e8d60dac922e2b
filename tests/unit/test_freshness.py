"""An older state never takes the place of a newer one, and an answer brings nothing back that is gone."""

import pytest

from onboarding.freshness import Freshness, freshness, outlives

NEWER, SAME, OLDER = Freshness.NEWER, Freshness.SAME, Freshness.OLDER


@pytest.mark.parametrize(
    ("version", "known", "arrives", "is_answered"),
    [
        (5, None, NEWER, OLDER),
        (5, 4, NEWER, NEWER),
        (5, 5, SAME, SAME),
        (5, 6, OLDER, OLDER),
        (10, 9, NEWER, NEWER),
    ],
    ids=["not known", "newer", "the same", "older", "as numbers, not as text"],
)
def test_a_state_that_arrives_is_compared_with_the_known_one(
    version: int, known: int | None, arrives: Freshness, is_answered: Freshness
) -> None:
    assert freshness(version, known) is arrives
    assert freshness(version, known, must_be_known=True) is is_answered


@pytest.mark.parametrize(("ended_at", "known", "stays"), [(6, 5, False), (5, 5, False), (5, 6, True)])
def test_an_object_that_is_newer_than_the_end_of_another_stays(ended_at: int, known: int, stays: bool) -> None:
    assert outlives(ended_at, known) is stays
