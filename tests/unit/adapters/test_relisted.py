"""Projects out of a list: of the version that is known they may say something else, and what is missing is gone."""

from copy import deepcopy
from typing import Any

from onboarding.reconcile.observed.projects import ProjectCache
from tests.unit.snapshots import UID, environment, spec_of

SPEC = spec_of(environment(), environment("qa", stage="dev"))


def body(version: int = 5, spec: Any = None) -> dict[str, Any]:
    own = {"name": "shop", "uid": UID, "generation": 2, "resourceVersion": str(version)}
    return {"metadata": own, "spec": spec or SPEC.model_dump(mode="json", by_alias=True), "status": {}}


def test_the_same_version_may_say_something_else_under_another_definition() -> None:
    """A list after the definition was mended: the objects are as old as before, and whole."""
    declared = ProjectCache()
    whole = body()
    part = deepcopy(whole)
    del part["spec"]["environments"][1]
    declared.put_project(part)
    before = dict(declared.reads)
    assert declared.list_project(whole)
    project = declared.project("shop")
    assert project is not None
    assert project.spec == SPEC
    assert declared.reads != before
    assert not declared.list_project(whole)
    assert not declared.list_project(body(4, spec=part["spec"]))
    assert declared.list_project(body(6))


def test_what_a_complete_list_does_not_hold_is_gone_unless_it_is_newer() -> None:
    declared = ProjectCache()
    declared.put_project(body(5))
    assert declared.projects_listed({"shop"}, 9) == []
    assert declared.projects_listed(set(), 4) == []
    assert declared.projects_listed(set(), 5) == ["shop"]
    assert declared.project("shop") is None


def test_the_end_of_a_former_project_does_not_touch_the_one_that_was_listed_since() -> None:
    declared = ProjectCache()
    declared.put_project(body(9))
    declared.lose_project(body(8))
    assert declared.project("shop") is not None
    declared.lose_project(body(10))
    assert declared.project("shop") is None
