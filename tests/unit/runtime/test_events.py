"""Every event about a project leads to a pass, but for those that tell what the answer to our own write has told."""

from typing import Any

import pytest

from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.runtime.events import Events
from tests.unit.snapshots import UID


def body(version: int, generation: int = 1, **metadata: Any) -> dict[str, Any]:
    own = {"name": "shop", "uid": UID, "generation": generation, "resourceVersion": str(version), **metadata}
    return {"metadata": own, "spec": {"owner": {"name": "Ada", "email": "ada@example.org"}}, "status": {}}


class Stage:
    """Events as Kopf gives them: to the index first, and a little later to the handler."""

    def __init__(self) -> None:
        self.declared, self.asked, self.listed = ProjectCache(), list[str](), list[None]()
        self.events = Events(
            self.declared,
            changed=self.asked.append,
            listed=lambda: self.listed.append(None),
            nothing_declared=False,
        )

    def hear(self, kind: str | None, item: dict[str, Any], *, answer: dict[str, Any] | None = None) -> list[str]:
        """Take in an event, and perhaps an answer in the midst of it; return the projects that were asked for."""
        self.asked.clear()
        if kind != "DELETED":
            self.events.keep(item)
        if answer:
            self.declared.take_answer(answer)
        self.events.tell(kind, item)
        return self.asked


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.hear(None, body(5))
    return stage


def test_the_first_event_tells_that_everything_is_listed() -> None:
    stage = Stage()
    assert stage.hear(None, body(5)) == ["shop"]
    assert stage.events.synced
    stage.hear("MODIFIED", body(6))
    assert len(stage.listed) == 1


def test_a_change_is_looked_at_also_when_our_own_answer_comes_in_between(stage: Stage) -> None:
    """Kopf calls the handler some turns of the loop after the index: a newer answer must not make it an echo."""
    assert stage.hear("MODIFIED", body(6, generation=2), answer=body(7, generation=2)) == ["shop"]


def test_the_event_of_our_own_write_is_no_news(stage: Stage) -> None:
    stage.declared.take_answer(body(7))
    assert stage.hear("MODIFIED", body(7)) == []
    assert stage.hear("MODIFIED", body(8)) == ["shop"]


def test_a_list_after_a_gap_asks_only_for_what_has_changed(stage: Stage) -> None:
    assert stage.hear(None, body(5)) == []
    assert stage.hear(None, body(6)) == ["shop"]


def test_a_project_that_is_gone_is_forgotten_and_looked_at_once_more(stage: Stage) -> None:
    assert stage.hear("DELETED", body(9)) == ["shop"]
    assert stage.declared.project("shop") is None


def test_the_end_of_a_former_project_takes_its_successor_away_from_nobody(stage: Stage) -> None:
    """Kopf tells of two objects apart, so that the end of the one may come after the beginning of the other."""
    former, successor = body(9), body(12)
    former["metadata"]["uid"] = "former"
    stage.hear("ADDED", successor)
    stage.hear("DELETED", former)
    found = stage.declared.project("shop")
    assert found is not None
    assert found.uid == successor["metadata"]["uid"]
