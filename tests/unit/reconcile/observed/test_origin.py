"""Where an object says that it was detached from is read only as a detachment writes it."""

import json
from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import (
    CHILD_KINDS,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    ChildKind,
)
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.prune import prune
from onboarding.reconcile.observed.cached_object import Origin, cached_object_of, origin_of
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.fakes import FakeCluster
from tests.unit.snapshots import MARK, OWNER, environment, live_of_spec, revisions, snapshot_of, spec_of

SPEC = spec_of(environment())
WANTED = build_wanted(OWNER, revisions(SPEC))
DETACHED = (RESOURCE_QUOTA, LIMIT_RANGE, NETWORK_POLICY, ROLE_BINDING)
ORIGIN = {"installation": "inst-1", "project": "shop", "uid": OWNER.uid, "environment": "dev"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "{}",
        "null",
        orjson.dumps({**ORIGIN, "uid": 7}).decode(),
        orjson.dumps({**ORIGIN, "x": "y" * 2000}).decode(),
        orjson.dumps({**ORIGIN, "project": "x: run kubectl delete namespace y"}).decode(),
        orjson.dumps({**ORIGIN, "environment": "\n"}).decode(),
        json.dumps(ORIGIN),
        orjson.dumps({**ORIGIN, "guard": None}).decode(),
        f'{orjson.dumps(ORIGIN).decode()[:-1]},"x":{"[" * 300}{"]" * 300}}}',
        f'{{"project":"x",{orjson.dumps(ORIGIN).decode()[1:]}',
    ],
)
def test_what_is_not_written_as_we_write_it_is_no_origin(text: str) -> None:
    assert origin_of({names.ANNOTATION_DETACHED: text}) is None


def test_the_former_annotation_is_read_where_the_present_one_is_absent() -> None:
    text, other = orjson.dumps(ORIGIN).decode(), orjson.dumps({**ORIGIN, "environment": "test"}).decode()
    assert origin_of({names.ANNOTATION_RELEASED: text}) == Origin(OWNER, "dev", former=True)
    both = {names.ANNOTATION_DETACHED: text, names.ANNOTATION_RELEASED: other}
    assert origin_of(both) == Origin(OWNER, "dev")
    assert origin_of({**both, names.ANNOTATION_DETACHED: "x"}) is None


@pytest.mark.parametrize("guard", [{}, {"guard": ""}, {"guard": "x y"}], ids=str)
def test_an_origin_without_a_mark_that_can_be_read_has_none(guard: dict[str, Any]) -> None:
    text = orjson.dumps({**ORIGIN, **guard}).decode()
    assert origin_of({names.ANNOTATION_DETACHED: text}) == Origin(OWNER, "dev", "")


def test_the_origin_that_a_detachment_leaves_is_read_back() -> None:
    kinds = (*DETACHED, NAMESPACE)
    snapshot = snapshot_of(spec_of(), {key: item for key, item in live_of_spec(SPEC).items() if key.kind in kinds})
    changes = prune(snapshot, make_plan(snapshot), snapshot.live)
    texts = {change.body["metadata"]["annotations"][names.ANNOTATION_DETACHED] for change in changes if change.body}
    assert {origin_of({names.ANNOTATION_DETACHED: text}) for text in texts} == {
        Origin(OWNER, "dev"),
        Origin(OWNER, "dev", MARK, stage="dev"),
    }
    assert orjson.loads(texts.pop())["at"]


@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.kind)
def test_an_object_that_somebody_owns_has_no_origin(kind: ChildKind) -> None:
    item = next(item for item in WANTED if item.key.kind is kind)
    manifest = FakeCluster().put(item.key, item.manifest)
    metadata = {**manifest["metadata"], "annotations": {names.ANNOTATION_DETACHED: orjson.dumps(ORIGIN).decode()}}
    assert cached_object_of(kind, {**manifest, "metadata": metadata}).origin is None
    assert cached_object_of(kind, {**manifest, "metadata": {**metadata, "labels": {}}}).origin == Origin(OWNER, "dev")
