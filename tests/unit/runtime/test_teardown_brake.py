"""No project is torn down while that looks like an accident."""

from types import SimpleNamespace
from typing import Any

import pytest

from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.runtime.teardown_brake import TeardownBrake


def brake(*, deleting: int, limit: int = 2, hold: str = "") -> TeardownBrake:
    declared = ProjectCache()
    for number in range(deleting + 1):
        metadata: dict[str, Any] = {"name": f"p{number}", "uid": f"u{number}", "resourceVersion": "1", "generation": 1}
        if number < deleting:
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        declared.put_project({"metadata": metadata, "spec": {}})
    return TeardownBrake(SimpleNamespace(teardown_hold=hold), declared, limit)  # type: ignore[arg-type]


@pytest.mark.parametrize("deleting", [0, 1, 2])
def test_as_many_projects_as_the_limit_are_torn_down(deleting: int) -> None:
    assert brake(deleting=deleting).reason() == ""


def test_more_projects_at_once_look_like_an_accident() -> None:
    reason = brake(deleting=3).reason()
    assert reason.startswith("3 projects are being deleted at once")
    assert reason.endswith("set ONBOARDING_TEARDOWN_LIMIT above 2")


def test_a_definition_that_is_being_deleted_stops_the_teardown_of_a_single_project() -> None:
    assert brake(deleting=1, hold="the CRD is being deleted").reason() == "the CRD is being deleted"
