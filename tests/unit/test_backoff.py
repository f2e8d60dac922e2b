"""Pauses double up to a bound, differ by a fifth at most, and begin anew after a success."""

import pytest

from onboarding.backoff import Backoff, jittered, uniform


def _middle(low: float, high: float) -> float:
    return (low + high) / 2


def test_pauses_double_up_to_the_bound() -> None:
    backoff = Backoff(0.5, 5, uniform=_middle)
    assert [backoff.next() for _ in range(6)] == pytest.approx([0.5, 1, 2, 4, 5, 5])


def test_a_success_begins_anew() -> None:
    backoff = Backoff(0.5, 5, uniform=_middle)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert [backoff.next(), backoff.next()] == pytest.approx([0.5, 1])


def test_a_bound_that_moves_counts_at_once() -> None:
    backoff = Backoff(5, 10, uniform=_middle)
    assert [backoff.next(), backoff.next(), backoff.next()] == pytest.approx([5, 10, 10])
    backoff.last = 60
    assert [backoff.next(), backoff.next()] == pytest.approx([20, 40])
    backoff.last = 1
    assert backoff.next() == pytest.approx(1)


def test_a_long_outage_does_not_overflow() -> None:
    backoff = Backoff(0.1, 60, uniform=_middle)
    assert [backoff.next() for _ in range(5_000)][-1] == pytest.approx(60)


@pytest.mark.parametrize(("draw", "pause"), [(min, 0.8), (max, 1.2)])
def test_the_jitter_is_a_fifth_at_most(draw: object, pause: float) -> None:
    assert callable(draw)
    assert Backoff(1, 10, uniform=draw).next() == pytest.approx(pause)


def test_the_jitter_is_not_always_the_same() -> None:
    assert len({jittered(1.0) for _ in range(20)}) > 1
    assert all(300 <= uniform(300, 600) <= 600 for _ in range(100))
