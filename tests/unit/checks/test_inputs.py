"""Each check is given the type of inputs that has the fields it may read, and no other."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any, get_type_hints

import pytest

from onboarding.checks.catalogue import (
    OF_APP_PROJECTS,
    OF_DECLARATION,
    OF_ENVIRONMENT,
    OF_PROJECT,
    OF_REVISIONS,
    OF_ROOM,
    OF_RUNNING,
)
from onboarding.checks.finding import Check
from onboarding.checks.inputs import (
    AppProjectInputs,
    CapacityInputs,
    EnvironmentDeclaration,
    ProjectInputs,
    RevisionInputs,
    RunningInputs,
)
from onboarding.checks.probe import Answers

GIVEN: dict[type[Any], tuple[Check[Any], ...]] = {
    EnvironmentDeclaration: (*OF_DECLARATION, *OF_ENVIRONMENT),
    RevisionInputs: OF_REVISIONS,
    AppProjectInputs: OF_APP_PROJECTS,
    CapacityInputs: OF_ROOM,
    ProjectInputs: OF_PROJECT,
    RunningInputs: OF_RUNNING,
}


@pytest.mark.parametrize(("inputs", "checks"), GIVEN.items(), ids=lambda item: getattr(item, "__name__", ""))
def test_every_check_declares_the_inputs_that_it_is_given(inputs: type[Any], checks: tuple[Check[Any], ...]) -> None:
    for check in checks:
        first, *_ = get_type_hints(check.run).values()
        assert first is inputs, check.id


def test_a_declaration_holds_no_answer_no_attestation_no_room_and_no_time_of_day() -> None:
    """Else a declaration check could read what is empty while declarations are resolved, and would never pass."""
    reachable = dict(_fields(EnvironmentDeclaration))
    assert {"answers", "attested", "now", "room"}.isdisjoint(reachable)
    assert not {datetime, Answers}.intersection(reachable.values())
    assert reachable["today"] is date
    assert {"answers", "attested", "now"} <= dict(_fields(ProjectInputs)).keys()


def _fields(inputs: type[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a dataclass and of those in it, with their types."""
    hints = get_type_hints(inputs)
    for field in fields(inputs):
        kind = hints[field.name]
        yield field.name, kind
        if is_dataclass(kind):
            yield from _fields(kind)
