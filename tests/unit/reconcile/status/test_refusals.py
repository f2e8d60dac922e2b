"""A status that cannot be written is told by an Event, once for every object and cause, and counted by itself."""

from typing import Any

import pytest

from onboarding.errors import ApiError, StatusError
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.status.refusals import Refusals, refuses_status
from tests.unit.snapshots import environment, snapshot_of, spec_of
from tests.unit.stage import Stage

INVALID = ApiError(422, "Invalid", ".status.stage: field not declared in schema")


class Refused(Stage):
    """A server that refuses the status."""

    def __init__(self) -> None:
        super().__init__(snapshot_of(spec_of(environment())))
        self.error: ApiError | None = INVALID
        self.told: list[Event] = []

    async def write_status(self, _name: str, status: dict[str, Any]) -> None:
        """Refuse it."""
        if self.error:
            raise self.error
        self.status = status

    async def post_events(self, _project: Any, events: Any) -> None:
        """Keep what is told."""
        self.told += [item for item in events if item.warning]

    async def fail(self, error: ApiError | None, times: int = 1) -> None:
        """Make passes of which each ends with an error."""
        self.error = error
        for _ in range(times):
            with pytest.raises(StatusError, match="the status cannot be written") as caught:
                await self.reconciler.reconcile("shop")
            assert caught.value.outcome == "StatusNotWritten"


async def test_a_refusal_is_told_once_per_cause() -> None:
    stage = Refused()
    await stage.fail(INVALID)
    assert stage.told == []
    await stage.fail(INVALID, 5)
    (told,) = stage.told
    assert (told.reason, told.warning) == ("StatusNotWritten", True)
    assert "422 Invalid: .status.stage: field not declared in schema" in told.note
    await stage.fail(ApiError(413, "RequestEntityTooLarge", "too large"), 3)
    assert len(stage.told) == 2
    stage.error = None
    await stage.reconciler.reconcile("shop")
    assert stage.status
    stage.snapshot = snapshot_of(spec_of(environment(), description="another"))
    await stage.fail(INVALID, 3)
    assert len(stage.told) == 3


@pytest.mark.parametrize("status", [404, 409, 429, 500, 503])
async def test_what_may_pass_by_itself_is_no_refusal(status: int) -> None:
    error = ApiError(status, "Any", "no")
    assert not refuses_status(error)
    stage = Refused()
    stage.error = error
    for _ in range(3):
        with pytest.raises(ApiError):
            await stage.reconciler.reconcile("shop")
    assert stage.told == []


def test_each_object_is_told_of_by_itself() -> None:
    refusals = Refusals()
    assert [len(refusals.take(name, INVALID)) for name in ("a", "b", "a", "b", "a")] == [0, 0, 1, 1, 0]
