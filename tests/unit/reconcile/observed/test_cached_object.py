"""Of a live object is kept what proves whose it is and what a comparison needs, and nothing else."""

from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import APPLICATION, NAMESPACE, RESOURCE_QUOTA, ChildKind
from onboarding.build.naming import ownership_labels
from onboarding.build.revision import Owner
from onboarding.reconcile.observed.cached_object import (
    CachedObject,
    cached_object_of,
    comparable,
    is_news,
    key_of,
    own_label,
    owner_of,
    told_of,
)
from tests.unit.snapshots import OWNER, UID

OURS = {**ownership_labels(OWNER), names.LABEL_ENVIRONMENT: "dev"}


def object_of(labels: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    metadata = {
        "name": "onboarding",
        "namespace": "shop-dev",
        "uid": "u",
        "resourceVersion": "7",
        **fields.pop("metadata", {}),
    }
    return {"metadata": {**metadata, **({} if labels is None else {"labels": labels})}, **fields}


def test_all_three_labels_prove_an_owner() -> None:
    assert owner_of(OURS) == Owner("inst-1", "shop", UID)


@pytest.mark.parametrize("missing", [names.LABEL_INSTALLATION, names.LABEL_PROJECT, names.LABEL_PROJECT_UID])
@pytest.mark.parametrize("value", [None, ""])
def test_with_one_label_missing_nobody_is_the_owner(missing: str, value: str | None) -> None:
    labels = {key: text for key, text in OURS.items() if key != missing} | ({} if value is None else {missing: value})
    assert owner_of(labels) is None
    live = cached_object_of(RESOURCE_QUOTA, object_of(labels))
    assert (live.owner, live.environment, live.content) == (None, "", b"")


def test_an_object_without_labels_is_a_strangers() -> None:
    assert cached_object_of(RESOURCE_QUOTA, object_of()).owner is None
    assert (
        cached_object_of(RESOURCE_QUOTA, {"metadata": {"uid": "u", "resourceVersion": "7", "labels": None}}).owner
        is None
    )


def test_identity_and_version_are_kept() -> None:
    live = cached_object_of(RESOURCE_QUOTA, object_of(OURS))
    assert (live.uid, live.version, live.environment, live.deleting, live.cascades) == ("u", 7, "dev", False, False)
    assert cached_object_of(RESOURCE_QUOTA, object_of(OURS, metadata={"deletionTimestamp": "now"})).deleting


@pytest.mark.parametrize(
    ("finalizers", "cascades"),
    [
        (None, False),
        ([], False),
        (["example.org/other"], False),
        ([names.CASCADE_FINALIZER], True),
        ([f"{names.CASCADE_FINALIZER}/background"], True),
        (["example.org/other", f"{names.CASCADE_FINALIZER}/foreground"], True),
    ],
)
def test_argo_cds_cascade_is_seen_in_all_its_variants(finalizers: list[str] | None, cascades: bool) -> None:
    assert cached_object_of(APPLICATION, object_of(OURS, metadata={"finalizers": finalizers})).cascades is cascades


@pytest.mark.parametrize(
    ("status", "health"),
    [
        (None, ""),
        ({}, ""),
        ({"health": {}}, ""),
        ({"health": None}, ""),
        ({"health": {"status": "Degraded"}}, "Degraded"),
    ],
)
def test_the_health_that_argo_cd_reports_is_kept(status: Any, health: str) -> None:
    assert cached_object_of(APPLICATION, object_of(OURS, status=status)).application.health == health


@pytest.mark.parametrize(
    ("status", "used"),
    [
        (None, {}),
        ({"used": None}, {}),
        ({"hard": {"pods": "9"}}, {}),
        ({"used": {"pods": "3", "requests.cpu": "3500m", "secrets": "0"}}, {"pods": "3", "requests.cpu": "3500m"}),
    ],
)
def test_what_is_used_of_a_quota_is_kept(status: Any, used: dict[str, str]) -> None:
    live = cached_object_of(RESOURCE_QUOTA, object_of(OURS, status=status))
    assert (live.used, live.full) == (used, {})


@pytest.mark.parametrize("kind", [APPLICATION, RESOURCE_QUOTA, NAMESPACE])
def test_of_most_statuses_nothing_is_kept(kind: ChildKind) -> None:
    assert (
        cached_object_of(kind, object_of(OURS, status={"phase": "Active", "conditions": [{"type": "x"}]})).told == b""
    )


def test_objects_that_are_told_the_same_share_it() -> None:
    first, second = (told_of(APPLICATION, {"health": {"status": "Healthy"}}) for _ in range(2))
    assert first is second


@pytest.mark.parametrize(
    ("used", "full"),
    [
        ({"requests.cpu": "2", "requests.memory": "1Gi"}, {"requests.cpu": "2"}),
        ({"requests.cpu": "2000m", "requests.memory": "4096Mi"}, {"requests.cpu": "2", "requests.memory": "4Gi"}),
        ({"requests.cpu": "2500m"}, {"requests.cpu": "2"}),
        ({"services.loadbalancers": "0", "requests.cpu": "1999m"}, {}),
        ({"unknown": "9"}, {}),
    ],
)
def test_what_all_is_used_of_is_known(used: dict[str, str], full: dict[str, str]) -> None:
    """What nobody may have any of is not used up, but forbidden."""
    hard = {"requests.cpu": "2", "requests.memory": "4Gi", "services.loadbalancers": "0"}
    assert cached_object_of(RESOURCE_QUOTA, object_of(OURS, status={"hard": hard, "used": used})).full == full


def status_of(kind: ChildKind, version: str = "8", **status: Any) -> CachedObject:
    return cached_object_of(kind, object_of(OURS, metadata={"resourceVersion": version}, status=status))


NEWS = {
    "another version": (APPLICATION, status_of(APPLICATION, "9"), False),
    "another status of which nothing is kept": (APPLICATION, status_of(APPLICATION, reconciledAt="now"), False),
    "another health": (APPLICATION, status_of(APPLICATION, health={"status": "Healthy"}), True),
    "another use": (RESOURCE_QUOTA, status_of(RESOURCE_QUOTA, used={"pods": "3"}), False),
    "nothing left": (RESOURCE_QUOTA, status_of(RESOURCE_QUOTA, used={"pods": "3"}, hard={"pods": "3"}), True),
    "another content": (RESOURCE_QUOTA, cached_object_of(RESOURCE_QUOTA, object_of(OURS, spec={"hard": {}})), True),
    "deletion": (NAMESPACE, cached_object_of(NAMESPACE, object_of(OURS, metadata={"deletionTimestamp": "now"})), True),
}


@pytest.mark.parametrize(("kind", "after", "news"), NEWS.values(), ids=NEWS.keys())
def test_what_is_news(kind: ChildKind, after: CachedObject, news: bool) -> None:
    assert is_news(kind, cached_object_of(kind, object_of(OURS)), after) is news


def test_everything_but_metadata_status_and_operation_is_compared() -> None:
    found = object_of({**OURS, "example.org/team": "blue"}, spec={"a": 1}, other=2, status={}, operation={}, kind="x")
    assert comparable(APPLICATION, found) == {"metadata": {"labels": OURS}, "spec": {"a": 1}, "other": 2}


def test_of_a_namespace_all_labels_and_our_annotations_are_compared_but_no_spec() -> None:
    annotations = {names.ANNOTATION_ADMITTED: "{}", "example.org/note": "x"}
    labels = {**OURS, "example.org/team": "blue"}
    found = object_of(labels, metadata={"annotations": annotations}, spec={"finalizers": ["kubernetes"]})
    assert comparable(NAMESPACE, found) == {
        "metadata": {"labels": labels, "annotations": {names.ANNOTATION_ADMITTED: "{}"}}
    }


def test_the_order_of_keys_makes_no_difference() -> None:
    first = cached_object_of(RESOURCE_QUOTA, object_of(OURS, spec={"hard": {"a": "1", "b": "2"}}))
    second = cached_object_of(RESOURCE_QUOTA, object_of(OURS, spec={"hard": {"b": "2", "a": "1"}}))
    assert first.content == second.content
    assert orjson.loads(first.content)["spec"] == {"hard": {"a": "1", "b": "2"}}


@pytest.mark.parametrize(
    ("label", "ours"),
    [
        (names.LABEL_MANAGED_BY, True),
        (names.LABEL_STAGE, True),
        ("projectonboarding.io/anything", True),
        ("projectonboarding.io.example.org/x", False),
        ("app.kubernetes.io/name", False),
    ],
)
def test_our_labels_are_known_by_their_prefix(label: str, ours: bool) -> None:
    assert own_label(label) is ours


def test_a_key_names_cluster_kind_and_place() -> None:
    key = key_of("hub", RESOURCE_QUOTA, object_of())
    assert str(key) == "ResourceQuota shop-dev/onboarding"
    assert (
        str(key_of("site-b/kubeconfig", NAMESPACE, {"metadata": {"name": "x"}})) == "Namespace x on site-b/kubeconfig"
    )


HARD = {"pods": "20", "requests.cpu": "2", "requests.memory": "4Gi"}
IN_FORCE = {
    "no status yet": ({}, False),
    "no amounts yet": ({"used": {"pods": "1"}}, False),
    "all of it": ({"hard": HARD}, True),
    "written otherwise": ({"hard": {"pods": "20", "requests.cpu": "2000m", "requests.memory": "4096Mi"}}, True),
    "more than was asked": ({"hard": {**HARD, "secrets": "9"}}, True),
    "a key is missing": ({"hard": {"pods": "20", "requests.cpu": "2"}}, False),
    "a former amount": ({"hard": {**HARD, "pods": "10"}}, False),
}


@pytest.mark.parametrize(("status", "in_force"), IN_FORCE.values(), ids=IN_FORCE)
def test_a_quota_is_in_force_when_its_status_holds_what_was_asked(status: Any, in_force: bool) -> None:
    """Before that the API server enforces nothing of it (kubernetes#73698)."""
    assert cached_object_of(RESOURCE_QUOTA, object_of(OURS, spec={"hard": HARD}, status=status)).in_force is in_force


def test_of_a_quota_that_is_in_force_nothing_more_is_kept() -> None:
    assert cached_object_of(RESOURCE_QUOTA, object_of(OURS, spec={"hard": HARD}, status={"hard": HARD})).told == b""


@pytest.mark.parametrize("used", [{}, {"pods": "3"}, {"pods": "19"}])
def test_that_a_quota_comes_into_force_or_falls_out_of_it_is_news_once(used: dict[str, str]) -> None:
    fresh, confirmed, counted = (
        cached_object_of(RESOURCE_QUOTA, object_of(OURS, spec={"hard": HARD}, status=status))
        for status in ({}, {"hard": HARD}, {"hard": HARD, "used": used})
    )
    assert is_news(RESOURCE_QUOTA, fresh, confirmed)
    assert is_news(RESOURCE_QUOTA, fresh, counted)
    assert is_news(RESOURCE_QUOTA, counted, fresh)
    assert not is_news(RESOURCE_QUOTA, confirmed, counted)
