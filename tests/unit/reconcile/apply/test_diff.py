"""What is wanted and what is live differ in exactly the named fields, and the patch mends exactly these."""

from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import CHILD_KINDS, NAMESPACE, RESOURCE_QUOTA, ROLE_BINDING, ChildKind, Wanted
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.diff import Action, Change, Rank, diff_object, diff_objects, merge_patch, paths, rank_of
from onboarding.reconcile.observed.cached_object import cached_object_of
from tests.unit.fakes import merged
from tests.unit.snapshots import OWNER, environment, live_from, revisions, spec_of, stored

LABEL = "app.example.org/tier"
WANTED = build_wanted(OWNER, revisions(spec_of(environment(labels={LABEL: "web"}))))


def one(kind: ChildKind) -> Wanted:
    return next(item for item in WANTED if item.key.kind is kind)


def mended(item: Wanted, former: frozenset[str] = frozenset(), **changes: Any) -> Change | None:
    """Return what mends an object after somebody merged changes into it."""
    return diff_object(item, cached_object_of(item.key.kind, merged(stored(item.manifest), changes)), former)


PATCHES = {
    "equal": ({"a": {"b": 1}}, {"a": {"b": 1}}, {}),
    "a value changed": ({"a": 1}, {"a": 2}, {"a": 2}),
    "a key added": ({}, {"a": 1}, {"a": 1}),
    "a key removed": ({"a": 1}, {}, {"a": None}),
    "a deep key removed": ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, {"a": {"b": None}}),
    "a list is replaced": ({"a": [1, 2]}, {"a": [2]}, {"a": [2]}),
    "an object for a value": ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    "a value for an object": ({"a": {"b": 1}}, {"a": 1}, {"a": 1}),
    "an empty object for nothing": ({}, {"a": {}}, {"a": {}}),
    "an empty object for a full one": ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
    "false is not absent": ({}, {"a": False}, {"a": False}),
    "zero is not absent": ({"a": None}, {"a": 0}, {"a": 0}),
}


@pytest.mark.parametrize(("have", "want", "patch"), PATCHES.values(), ids=PATCHES)
def test_a_merge_patch_says_the_difference_and_brings_it_about(have: Any, want: Any, patch: Any) -> None:
    assert merge_patch(have, want) == patch
    assert merged(have, patch) == want


def test_paths_are_sorted_and_end_at_values() -> None:
    patch = {"spec": {"b": {"d": None, "c": [1]}, "a": {}}, "metadata": {"labels": {"x": "1"}}}
    assert paths(patch) == ["metadata.labels.x", "spec.a", "spec.b.c", "spec.b.d"]


def test_what_is_in_place_needs_nothing() -> None:
    assert diff_objects(WANTED, live_from(WANTED)) == []


def test_what_is_not_there_is_created_in_the_order_of_its_rank() -> None:
    changes = diff_objects(WANTED, {})
    assert [change.action for change in changes] == [Action.CREATE] * len(WANTED)
    assert [change.body for change in changes] == [item.manifest for item in WANTED]
    assert {change.key.kind: change.rank for change in changes} == {kind: rank_of(kind) for kind in CHILD_KINDS}


def test_what_is_being_deleted_is_asked_for_again() -> None:
    item = one(RESOURCE_QUOTA)
    live = {item.key: cached_object_of(item.key.kind, stored(item.manifest, deletionTimestamp="now"))}
    assert [change.action for change in diff_objects([item], live)] == [Action.CREATE]


@pytest.mark.parametrize("kind", set(CHILD_KINDS) - {NAMESPACE}, ids=lambda kind: kind.kind)
def test_a_field_that_somebody_added_is_taken_away(kind: ChildKind) -> None:
    change = mended(one(kind), spec={"foreign": [{}]}, foreign=True)
    assert change is not None
    assert {"foreign"} < set(change.fields)
    assert merged({"spec": {"foreign": [{}]}, "foreign": True}, change.body).get("foreign") is None


@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.kind)
def test_metadata_and_status_of_others_are_left_alone(kind: ChildKind) -> None:
    foreign = {"annotations": {"example.org/note": "x"}, "labels": {"example.org/team": "blue"}, "finalizers": ["a/b"]}
    assert mended(one(kind), metadata=foreign, status={"x": 1}) is None


@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.kind)
def test_our_labels_are_put_right(kind: ChildKind) -> None:
    labels = {names.LABEL_MANAGED_BY: "somebody", f"{names.GROUP}/extra": "x"}
    change = mended(one(kind), metadata={"labels": labels})
    assert change is not None
    assert set(change.fields) == {f"metadata.labels.{key}" for key in labels}
    assert change.body == {
        "metadata": {"labels": {names.LABEL_MANAGED_BY: names.MANAGER, f"{names.GROUP}/extra": None}}
    }


def test_pod_security_labels_of_others_are_taken_off_a_namespace() -> None:
    level = f"{names.POD_SECURITY_PREFIX}enforce"
    change = mended(one(NAMESPACE), metadata={"labels": {level: "privileged", f"{level}-other": "x"}})
    assert change is not None
    assert change.body == {"metadata": {"labels": {level: "restricted", f"{level}-other": None}}}


def test_a_label_that_the_project_drops_is_taken_off() -> None:
    item = build_wanted(OWNER, revisions(spec_of(environment())))[0]
    labels = {LABEL: "web", "example.org/team": "blue"}
    assert mended(item, metadata={"labels": labels}) is None
    change = mended(item, frozenset({LABEL}), metadata={"labels": labels})
    assert change is not None
    assert change.body == {"metadata": {"labels": {LABEL: None}}}


def test_the_admitted_revision_is_put_right_and_other_annotations_of_ours_go() -> None:
    annotations = {names.ANNOTATION_ADMITTED: "{}", f"{names.GROUP}/extra": "x", "example.org/note": "y"}
    change = mended(one(NAMESPACE), metadata={"annotations": annotations})
    assert change is not None
    assert change.body is not None
    assert change.body["metadata"]["annotations"].keys() == {names.ANNOTATION_ADMITTED, f"{names.GROUP}/extra"}
    assert orjson.loads(change.body["metadata"]["annotations"][names.ANNOTATION_ADMITTED])["environment"] == "dev"


def test_another_role_needs_another_binding() -> None:
    item = one(ROLE_BINDING)
    change = mended(item, roleRef={"name": "cluster-admin"})
    assert change is not None
    assert (change.action, change.body, change.fields) == (Action.REPLACE, item.manifest, ("roleRef.name",))


def test_other_subjects_are_changed_in_place() -> None:
    change = mended(one(ROLE_BINDING), subjects=[])
    assert change is not None
    assert (change.action, change.rank, change.environment) == (Action.CHANGE, Rank.ACCESS, "dev")


def test_a_change_reads_as_a_line_of_a_plan() -> None:
    change = mended(one(RESOURCE_QUOTA), spec={"hard": {"pods": "1"}})
    assert str(change) == "change ResourceQuota shop-dev/onboarding (spec.hard.pods)"
