"""Attacks on the approval of production by what is lost in between: a namespace, a group, an owner."""

from collections.abc import Callable
from typing import Final

import pytest

from tests.attack.production import Production
from tests.attack.test_approval_sequences import held
from tests.attack.test_approvals import TWO, by, deploys, prod, project, team

LOSSES: Final[dict[str, Callable[[Production], None]]] = {
    "the namespace is deleted": Production.lose_namespace,
    "what was admitted cannot be read": lambda walk: walk.annotate_namespace("{"),
    "nothing was admitted": lambda walk: walk.annotate_namespace(""),
}


@pytest.mark.parametrize("first", ["loss", "change"])
@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_a_change_waits_when_what_was_admitted_is_lost(lose: Callable[[Production], None], first: str) -> None:
    walk = Production(approved=True)
    edits = (prod(size="xlarge"), deploys(revision=TWO))
    if first == "loss":
        lose(walk)
        walk.change(*edits)
    else:
        walk.change(*edits)
        lose(walk)
        walk.settle()
    assert walk.production is None or (walk.production.resources.cpu, walk.production.repositories[0].revision) == (
        "4",
        "a" * 40,
    )
    assert "approval poa of gate production" in walk.told or "cannot be read" in walk.told, walk.told


def test_a_group_leaves_for_the_approval_and_comes_back() -> None:
    """Whoever looked on without the group approved production without it."""
    walk = Production(team(developer=["devs"]), approved=True)
    walk.change(lambda spec: spec["team"]["groups"].pop("developer"), prod(size="xlarge"))
    walk.approve(**by("dana", "poas", "devs"))
    before = walk.production
    walk.change(team(developer=["devs"]))
    assert "its author is in group devs of the project" in walk.told
    assert walk.production is not None
    assert "devs" not in {group for item in walk.production.bindings for group in item.groups}
    assert walk.production == before


def test_the_owner_steps_down_and_approves() -> None:
    walk = Production()
    walk.record = ["person:claire@example.org "]
    walk.change(project(owner={"name": "New", "email": "new@example.org"}))
    walk.approve(**by("claire@example.org", "poas"))
    held(walk, None, "its author was named by the project (claire@example.org)")
