"""A repeated warning is said once per state, and then hourly."""

from onboarding.repeats import Repeats


def test_a_warning_is_said_once_per_state_and_then_hourly() -> None:
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    said = []
    for second in range(0, 2 * 3600, 13):
        now[0] = second
        if repeats.due("site", "no answer"):
            said.append(second)
    assert said == [0, 3601]


def test_another_text_and_another_subject_are_said_at_once_and_alternating_ones_hourly_too() -> None:
    repeats = Repeats(lambda: 0.0)
    assert repeats.due("site", "no answer")
    assert repeats.due("site", "login refused")
    assert repeats.due("other", "no answer")
    assert not repeats.due("site", "no answer")
    assert not repeats.due("site", "login refused")


def test_a_state_that_ended_is_said_at_once_when_it_begins_again() -> None:
    repeats = Repeats(lambda: 0.0)
    assert repeats.due("site", "no answer")
    repeats.end("site")
    assert repeats.due("site", "no answer")
