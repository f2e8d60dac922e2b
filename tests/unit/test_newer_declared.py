"""What is declared in a newer form, or under another definition, is kept for what it is."""

from copy import deepcopy
from typing import Any

import orjson
import yaml

from onboarding.build.revision import Revision
from onboarding.reconcile.declared import Declared
from onboarding.reconcile.journey.unread import Unread
from onboarding.reconcile.offer.offered import POLICIES, TARGETS
from tests.unit.newer import ADMITTED, ROOT, SPEC, UNKNOWN, unread
from tests.unit.worlds import NOW, POLICY, UID, decided, offer


def body(version: int = 5, spec: Any = None) -> dict[str, Any]:
    own = {"name": "shop", "uid": UID, "generation": 2, "resourceVersion": str(version)}
    return {"metadata": own, "spec": spec or SPEC.model_dump(mode="json", by_alias=True), "status": {}}


def test_the_world_of_a_project_tells_what_is_newer() -> None:
    declared = Declared()
    everything = yaml.safe_load((ROOT / "examples/everything.yaml").read_text())["spec"]
    declared.put_project(body(spec={**everything, UNKNOWN: 1}))
    project = declared.project("shop")
    assert project is not None
    assert (project.spec, project.newer) == (None, True)
    good = POLICY.model_dump(mode="json", by_alias=True)
    declared.offered.put(POLICIES, offer("default", {**good, UNKNOWN: 1}))
    declared.offered.put(TARGETS, offer("main", {"sites": [{"name": "a", UNKNOWN: 1}]}))
    assert declared.offered.policy_newer("default")
    assert declared.offered.newer_targets == {"main"}
    reasons = {due.head.name: due.status["conditions"][0]["reason"] for due in declared.offered.due({}, NOW)}
    assert reasons == {"default": "NewerThanOperator", "main": "NewerThanOperator"}


def test_a_decision_that_cannot_be_read_is_about_its_project_or_else_about_all() -> None:
    declared = Declared()
    for name in ("shop", "other"):
        found = body()
        found["metadata"]["name"] = name
        declared.put_project(found)
    assert declared.put_decision("one", unread("Suspend")) == {"shop"}
    assert declared.put_decision("two", Unread.of("two", {"decision": "Suspend", "project": ["shop"]}, "p")) == {
        "shop",
        "other",
    }
    assert [item.name for item in declared.unread("shop", UID)] == ["d-1", "two"]
    assert [item.name for item in declared.unread("shop", "another")] == ["two"]
    assert declared.put_decision("two", None) == {"shop", "other"}
    assert declared.unread("other", UID) == ()
    assert declared.put_decision("one", decided("Suspend")) == {"shop"}
    assert declared.unread("shop", UID) == ()
    assert declared.put_decision("one", decided("Suspend")) == set()


def test_the_same_version_may_say_something_else_under_another_definition() -> None:
    """A list after the definition was mended: the objects are as old as before, and whole."""
    declared = Declared()
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
    declared = Declared()
    declared.put_project(body(5))
    assert declared.projects_listed({"shop"}, 9) == []
    assert declared.projects_listed(set(), 4) == []
    assert declared.projects_listed(set(), 5) == ["shop"]
    assert declared.project("shop") is None


def test_the_end_of_a_former_project_does_not_touch_the_one_that_was_listed_since() -> None:
    declared = Declared()
    declared.put_project(body(9))
    declared.lose_project(body(8))
    assert declared.project("shop") is not None
    declared.lose_project(body(10))
    assert declared.project("shop") is None


def test_a_revision_is_read_as_it_was_written() -> None:
    assert Revision.parse(orjson.dumps(ADMITTED).decode()).canonical == orjson.dumps(
        ADMITTED, option=orjson.OPT_SORT_KEYS
    )
