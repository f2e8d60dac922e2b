"""What a former version detached is taken back by its binding, and no binding proves more than it guarded."""

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import NAMESPACE
from onboarding.reconcile.apply.diff import diff_objects
from onboarding.reconcile.apply.outcome import Result
from onboarding.reconcile.observed.snapshot import ClusterState
from tests.unit.fakes import FakeCluster
from tests.unit.reconcile.apply.test_way_back import SPACE, WANTED, detached, forged, uids, work
from tests.unit.snapshots import FORMER_MARK, MARK

PRESENT, FORMER = names.ANNOTATION_DETACHED, names.ANNOTATION_RELEASED


def detached_by_a_former_version() -> FakeCluster:
    """Return a cluster in which the environment was detached under the former annotation and binding."""
    cluster = detached()
    for item in cluster.objects.values():
        annotations = item["metadata"]["annotations"]
        origin = orjson.loads(annotations.pop(PRESENT))
        if "guard" in origin:
            origin["guard"] = FORMER_MARK
        annotations[FORMER] = orjson.dumps(origin).decode()
    return cluster


@pytest.mark.parametrize("both", [False, True], ids=["the former", "both"])
async def test_what_a_former_version_detached_is_taken_back_as_it_is(*, both: bool) -> None:
    cluster = detached_by_a_former_version()
    for item in cluster.objects.values() if both else ():
        annotations = item["metadata"]["annotations"]
        annotations[PRESENT] = annotations[FORMER].replace(FORMER_MARK, MARK)
    before = uids(cluster)
    outcomes = await work(cluster)
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert before.items() <= uids(cluster).items()
    assert diff_objects(WANTED, cluster.owned("shop")) == []
    for item in cluster.objects.values():
        assert not {PRESENT, FORMER} & {*item["metadata"].get("annotations", {})}


PROOFS = {
    "under the present binding": (PRESENT, MARK, True),
    "by a former version under its binding": (FORMER, FORMER_MARK, True),
    "by a former version, confirmed by an administrator": (FORMER, MARK, True),
    # Its UID could be read on every namespace that was detached, before anything guarded the present annotation.
    "under the former binding by whoever foresaw the annotation": (PRESENT, FORMER_MARK, False),
    "by a former version under another binding": (FORMER, "other", False),
    "by a former version that wrote none": (FORMER, "", False),
}


@pytest.mark.parametrize(("annotation", "mark", "proven"), PROOFS.values(), ids=PROOFS)
async def test_each_binding_proves_the_annotation_that_it_guarded_from_the_first(
    annotation: str, mark: str, *, proven: bool
) -> None:
    await _meet(FakeCluster(), annotation, mark, proven=proven)


@pytest.mark.parametrize("mark", [FORMER_MARK, ""], ids=["its UID", "none"])
async def test_without_the_former_binding_the_former_annotation_proves_nothing(mark: str) -> None:
    await _meet(FakeCluster(ClusterState(detach_mark=MARK)), FORMER, mark, proven=False)


async def _meet(cluster: FakeCluster, annotation: str, mark: str, *, proven: bool) -> None:
    manifest = forged(NAMESPACE, guard=mark)
    annotations = manifest["metadata"]["annotations"]
    annotations[annotation] = annotations.pop(PRESENT)
    before = cluster.put(SPACE, manifest)
    outcomes = await work(cluster)
    assert (Result.CONFLICT in {outcome.result for outcome in outcomes}) is not proven
    assert (cluster.objects[SPACE] == before) is not proven
    assert (SPACE in cluster.owned("shop")) is proven
