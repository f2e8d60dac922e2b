"""What is declared is kept as last seen; what cannot be read is a problem with a name, never a default."""

from typing import Any

import pytest

from onboarding import names
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.platform import TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from tests.unit.snapshots import UID, environment, spec_of

SPEC = spec_of(environment()).model_dump(mode="json", by_alias=True)
DECISION = DatedDecision.model_validate(
    {
        "decision": "ConfirmDelete",
        "project": {"name": "shop", "uid": UID},
        "by": {"username": "pat"},
        "reason": "It has ended.",
        "created": "2026-01-01T00:00:00Z",
    }
)


def body(version: int = 5, spec: Any = SPEC, uid: str = UID, **metadata: Any) -> dict[str, Any]:
    own = {"name": "shop", "uid": uid, "generation": 2, "resourceVersion": str(version), **metadata}
    return {"metadata": own, "spec": spec, "status": {"observedGeneration": version}}


@pytest.fixture
def declared() -> ProjectCache:
    return ProjectCache()


def test_a_project_is_read_as_it_was_declared(declared: ProjectCache) -> None:
    declared.put_project(body(finalizers=[names.FINALIZER], managedFields=[{}], annotations={"a": "b"}))
    project = declared.project("shop")
    assert project is not None
    assert project.spec == spec_of(environment())
    assert (project.uid, project.generation, project.resource_version) == (UID, 2, "5")
    assert (project.deleting, project.finalizers, project.problem) == (False, (names.FINALIZER,), "")
    assert project.status == {"observedGeneration": 5}
    assert list(declared.names()) == ["shop"]


def test_an_unknown_project_is_none(declared: ProjectCache) -> None:
    assert declared.project("shop") is None


def test_older_news_of_a_project_is_ignored(declared: ProjectCache) -> None:
    declared.put_project(body(6))
    declared.put_project(body(5, deletionTimestamp="now"))
    project = declared.project("shop")
    assert project is not None
    assert (project.resource_version, project.deleting, declared.deleting()) == ("6", False, 0)


def test_a_dropped_project_is_forgotten_and_may_come_back(declared: ProjectCache) -> None:
    declared.put_project(body(deletionTimestamp="now"))
    assert declared.deleting() == 1
    declared.drop_project("shop")
    declared.drop_project("shop")
    assert (declared.project("shop"), list(declared.names()), declared.deleting()) == (None, [], 0)
    declared.put_project(body(9, uid="new"))
    project = declared.project("shop")
    assert project is not None
    assert project.uid == "new"


def test_a_spec_that_cannot_be_read_is_named_without_its_value(declared: ProjectCache) -> None:
    declared.put_project(body(spec={"owner": {"name": "Ada", "email": "s3cret"}}))
    project = declared.project("shop")
    assert project is not None
    assert project.spec is None
    assert project.problem.startswith("spec.owner.email: ")
    assert "s3cret" not in project.problem


def test_the_answer_to_our_own_write_is_known_at_once_and_its_event_is_an_echo(declared: ProjectCache) -> None:
    declared.put_project(body(5))
    assert not declared.take_answer(body(7))
    assert not declared.put_project(body(7))
    assert not declared.put_project(body(6))
    project = declared.project("shop")
    assert project is not None
    assert project.resource_version == "7"
    assert declared.put_project(body(8))


@pytest.mark.parametrize(
    "metadata", [{"generation": 3}, {"uid": "new"}, {"deletionTimestamp": "now"}], ids=["spec", "object", "deletion"]
)
def test_an_answer_that_shows_somebody_elses_change_asks_for_a_pass(declared: ProjectCache, metadata: Any) -> None:
    declared.put_project(body(5))
    assert declared.take_answer({**body(7), "metadata": {**body(7)["metadata"], **metadata}})


def test_an_answer_that_lacks_our_finalizer_asks_for_a_pass(declared: ProjectCache) -> None:
    declared.put_project(body(5, finalizers=[names.FINALIZER]))
    assert declared.take_answer(body(7))


def test_the_answer_to_the_last_finalizer_tells_that_the_project_is_gone(declared: ProjectCache) -> None:
    """The server answers with the version that was there before, so that it looks like old news."""
    declared.put_project(body(5, deletionTimestamp="now", finalizers=[names.FINALIZER]))
    assert declared.take_answer(body(5, deletionTimestamp="now"))
    assert (declared.project("shop"), declared.deleting()) == (None, 0)


def test_the_end_of_a_project_does_not_touch_its_successor(declared: ProjectCache) -> None:
    declared.put_project(body(5, deletionTimestamp="now", finalizers=[names.FINALIZER]))
    declared.put_project(body(8, uid="new"))
    declared.take_answer(body(5, deletionTimestamp="now"))
    project = declared.project("shop")
    assert project is not None
    assert project.uid == "new"


def test_the_answer_of_an_object_that_went_meanwhile_does_not_bring_it_back(declared: ProjectCache) -> None:
    """The event of the deletion may come before the answer to the write that took the last finalizer off."""
    declared.put_project(body(5, deletionTimestamp="now", finalizers=[names.FINALIZER]))
    declared.drop_project("shop")
    declared.take_answer(body(6, deletionTimestamp="now"))
    assert (list(declared.names()), declared.deleting()) == ([], 0)


def test_what_the_platform_offers_is_part_of_what_is_declared(declared: ProjectCache) -> None:
    """Policies and targets have tests of their own, in test_offered.py."""
    assert declared.policy("default")[1] == "OnboardingPolicy default does not exist: the platform team applies it"
    metadata = {"name": "main", "uid": UID, "generation": 1, "resourceVersion": "1", "creationTimestamp": "now"}
    declared.offered.put(TARGETS, {"metadata": metadata, "spec": {"sites": [{"name": "a"}]}})
    declared.offered.put(TARGETS, {"metadata": {**metadata, "name": "broken"}, "spec": {"sites": []}})
    assert set(declared.targets) == {"main"}
    assert set(declared.target_problems) == {"broken"}


def test_a_decision_counts_for_one_incarnation_of_its_project(declared: ProjectCache) -> None:
    assert declared.put_decision("one", DECISION) == {"shop"}
    (found,) = declared.decisions("shop", UID)
    assert found.by.username == "pat"
    assert declared.decisions("shop", "another") == ()
    assert declared.decisions("other", UID) == ()


def test_a_decision_that_goes_names_the_project_that_it_was_about(declared: ProjectCache) -> None:
    declared.put_decision("one", DECISION)
    assert declared.put_decision("one", None) == {"shop"}
    assert declared.decisions("shop", UID) == ()
    assert declared.put_decision("one", None) == set()
