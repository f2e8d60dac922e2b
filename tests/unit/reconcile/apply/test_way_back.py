"""What was detached is taken back by the very environment that it came from, and by nobody else."""

from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import (
    APPLICATION,
    NAMESPACE,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    ChildKind,
    Manifest,
    ObjectKey,
)
from onboarding.build.revision import Owner
from onboarding.build.wanted import build_wanted
from onboarding.errors import ApiError
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.apply.diff import Action, Change, diff_objects
from onboarding.reconcile.apply.execute import execute
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.apply.prune import prune
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.fakes import FakeCluster, merged, plainly
from tests.unit.reconcile.observed.test_origin import ORIGIN
from tests.unit.snapshots import MARK, OWNER, environment, revisions, snapshot_of, spec_of

SPEC = spec_of(environment())
WANTED = build_wanted(OWNER, revisions(SPEC))
SPACE = ObjectKey("hub", NAMESPACE, "", "shop-dev")
UNPROVEN = {"as an earlier version detached it": {}, "under another policy": {"guard": "old"}, "no mark": {"guard": ""}}


async def execute_all(cluster: FakeCluster, changes: Iterable[Change]) -> list[Outcome]:
    return await execute(
        OWNER,
        changes,
        {"hub": cluster},
        {"hub": cluster.state},
        *plainly(),
    )


async def work(cluster: FakeCluster, owner: Owner = OWNER) -> list[Outcome]:
    changes = diff_objects(build_wanted(owner, revisions(SPEC)), cluster.owned("shop"))
    return await execute(
        owner,
        changes,
        {"hub": cluster},
        {"hub": cluster.state},
        *plainly(),
    )


def detached(*without: ObjectKey) -> FakeCluster:
    """Return a cluster in which the environment was detached, as the operator itself does it."""
    cluster = FakeCluster()
    for item in WANTED:
        if item.key not in without:
            cluster.put(item.key, item.manifest)
    gone = [key for key in cluster.objects if key.kind.group == "argoproj.io"]
    for key in gone:
        del cluster.objects[key]
    snapshot = snapshot_of(spec_of(), cluster.owned("shop"))
    for change in prune(snapshot, make_plan(snapshot), cluster.owned("shop")):
        if change.action is Action.DELETE:
            del cluster.objects[change.key]
        else:
            cluster.objects[change.key] = merged(cluster.objects[change.key], change.body)
    assert cluster.owned("shop") == {}
    return cluster


def forged(kind: ChildKind, **parts: Any) -> Manifest:
    """Return a stranger's object that says that it was detached from the environment, but for these parts."""
    item = next(item for item in WANTED if item.key.kind is kind)
    annotation = orjson.dumps({**ORIGIN, **parts}).decode()
    metadata = {"name": item.key.name, "annotations": {names.ANNOTATION_DETACHED: annotation}}
    return {**item.manifest, "metadata": {**metadata, **({"namespace": "shop-dev"} if item.key.namespace else {})}}


def uids(cluster: FakeCluster) -> dict[ObjectKey, str]:
    return {key: item["metadata"]["uid"] for key, item in cluster.objects.items()}


async def test_a_detached_environment_is_taken_back_as_it_is() -> None:
    """Case 15, environment-removed-and-reverted: the revert brings it back, and nothing is made anew or deleted."""
    cluster = detached()
    before = uids(cluster)
    outcomes = await work(cluster)
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert Action.RECLAIM in {outcome.change.action for outcome in outcomes if outcome.change.key == SPACE}
    assert cluster.owned("shop").keys() == {item.key for item in WANTED}
    assert before.items() <= uids(cluster).items()
    assert not [verb for verb, _ in cluster.log if verb == "delete"]
    for item in cluster.objects.values():
        assert names.ANNOTATION_DETACHED not in item["metadata"].get("annotations", {})
    assert diff_objects(WANTED, cluster.owned("shop")) == []


async def test_an_environment_does_not_come_back_as_another_stage() -> None:
    """Removed and declared again in a stage with more rights, production would be open to those who have them there."""
    cluster = detached()
    before = dict(cluster.objects)
    restaged = build_wanted(OWNER, revisions(spec_of(environment(stage="prod"))))
    outcomes = await execute_all(cluster, diff_objects(restaged, cluster.owned("shop")))
    space = next(outcome for outcome in outcomes if outcome.change.key == SPACE)
    assert space.result is Result.CONFLICT
    assert "was detached from this environment as stage 'dev', and would come back as 'prod'" in space.message
    assert "declare it with stage 'dev'" in space.message
    assert before.items() <= cluster.objects.items()
    assert not any(key.kind in (ROLE_BINDING, RESOURCE_QUOTA) for key in cluster.owned("shop"))


async def test_what_changed_meanwhile_is_mended() -> None:
    cluster = detached()
    quota = next(key for key in cluster.objects if key.kind is RESOURCE_QUOTA)
    cluster.objects[quota] = {**cluster.objects[quota], "spec": {"hard": {"pods": "999"}}}
    cluster.objects[SPACE]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "privileged"
    await work(cluster)
    assert diff_objects(WANTED, cluster.owned("shop")) == []


@pytest.mark.parametrize("others", [None, {}], ids=["it is gone again", "it is ours no more"])
async def test_what_is_changed_while_it_is_taken_back_is_looked_at_again(others: dict[str, str] | None) -> None:
    """The write came through and somebody else's followed: nothing is made in a namespace that is not ours by now."""

    class Contested(FakeCluster):
        async def change(self, key: ObjectKey, patch: Manifest, live: CachedObject) -> None:
            await super().change(key, patch, live)
            if key == SPACE and others is None:
                del self.objects[key]
            elif key == SPACE:
                self.objects[key]["metadata"]["labels"] = others

    cluster = Contested()
    cluster.objects = detached().objects
    outcomes = {outcome.change.key: outcome for outcome in await work(cluster)}
    assert outcomes[SPACE].result is Result.STALE
    assert "was changed meanwhile" in outcomes[SPACE].message
    assert {key for verb, key in cluster.log if verb == "create" and key.namespace == "shop-dev"} == set()


async def test_a_binding_that_the_project_wants_no_more_comes_back_to_be_pruned() -> None:
    """Left behind as nobody's it would let a former group in for ever."""
    cluster = detached()
    await work(cluster)
    snapshot = snapshot_of(spec_of(environment(), team={"groups": {"admin": ["shop-admins"]}}), cluster.owned("shop"))
    pruned = [
        change for change in find_changes(snapshot, make_plan(snapshot), {}.get) if change.action is Action.DELETE
    ]
    assert [change.key.name for change in pruned] == ["viewer:onboarding:viewer"]


@pytest.mark.parametrize("after", range(7))
async def test_a_way_back_that_is_interrupted_is_begun_anew(after: int) -> None:
    cluster = detached()
    writes = 0

    class ProcessEndedError(Exception):
        """The end of the process."""

    real = cluster.change

    async def change(key: ObjectKey, patch: Manifest, live: Any) -> None:
        nonlocal writes
        if writes == after:
            raise ProcessEndedError
        writes += 1
        await real(key, patch, live)

    cluster.change = change  # type: ignore[method-assign]
    with pytest.raises(ProcessEndedError):
        await work(cluster)
    cluster.change = real  # type: ignore[method-assign]
    await work(cluster)
    assert diff_objects(WANTED, cluster.owned("shop")) == []
    kept = {"admin:onboarding:admin", "viewer:onboarding:viewer", "sync:onboarding:sync"}
    assert {key.name for key in cluster.owned("shop") if key.kind is ROLE_BINDING} == kept


async def test_a_detachment_that_did_not_come_to_its_end_leaves_nobody_with_access() -> None:
    """A webhook refused the detachment of the quota, and so of the namespace, and the revert wants fewer groups."""
    cluster = detached()
    space = next(item for item in WANTED if item.key == SPACE)
    quota = next(item for item in WANTED if item.key.kind is RESOURCE_QUOTA)
    for item in (space, quota):
        cluster.put(item.key, item.manifest)
    spec = spec_of(environment(), team={"groups": {"admin": ["shop-admins"]}})
    await execute_all(cluster, diff_objects(build_wanted(OWNER, revisions(spec)), cluster.owned("shop")))
    snapshot = snapshot_of(spec, cluster.owned("shop"))
    await execute_all(cluster, find_changes(snapshot, make_plan(snapshot), {}.get))
    bindings = {key.name for key in cluster.objects if key.kind is ROLE_BINDING}
    assert bindings == {"admin:onboarding:admin", "sync:onboarding:sync"}


async def test_a_webhook_that_refuses_one_object_holds_the_whole() -> None:
    cluster = detached()
    cluster.broken = {("change", "ResourceQuota"): ApiError(500, "InternalError", "no")}
    outcomes = await work(cluster)
    assert {o.result for o in outcomes if o.change.key == SPACE} == {Result.FAILED}
    assert SPACE not in cluster.owned("shop")
    assert APPLICATION not in {key.kind for key in cluster.objects}


OTHERS: dict[str, dict[str, Any]] = {
    "another installation": {"installation": "inst-2"},
    "another project": {"project": "other"},
    "another environment": {"environment": "prod"},
    "an older incarnation": {"uid": "old"},
    "no environment": {"environment": None},
}


@pytest.mark.parametrize("parts", OTHERS.values(), ids=OTHERS)
async def test_what_was_detached_from_elsewhere_is_left_alone(parts: dict[str, Any]) -> None:
    cluster = FakeCluster()
    before = cluster.put(SPACE, forged(NAMESPACE, **parts))
    outcomes = await work(cluster)
    (outcome,) = [outcome for outcome in outcomes if outcome.change.key == SPACE]
    assert outcome.result is (Result.FORMER if parts == {"uid": "old"} else Result.CONFLICT)
    assert "Give the environment another name" in outcome.message
    assert cluster.objects == {SPACE: before} | {
        key: item for key, item in cluster.objects.items() if key.kind.kind == "AppProject"
    }


async def test_a_claim_that_anybody_may_write_proves_nothing() -> None:
    """Without the policy on that annotation a stranger could have the project's workloads put into his namespace."""
    cluster = FakeCluster(ClusterState(guarded=False, guard_problem="a policy is missing"))
    before = cluster.put(SPACE, forged(NAMESPACE))
    outcomes = await work(cluster)
    (outcome,) = [outcome for outcome in outcomes if outcome.change.key == SPACE]
    assert (outcome.result, outcome.told) == (Result.GUARD_MISSING, True)
    assert outcome.message == "cluster hub: a policy is missing"
    assert cluster.objects[SPACE] == before


@pytest.mark.parametrize("mark", [MARK, ""], ids=["in force", "never heard of"])
@pytest.mark.parametrize("parts", UNPROVEN.values(), ids=UNPROVEN)
async def test_a_claim_from_before_the_policy_proves_nothing(parts: dict[str, str], mark: str) -> None:
    """Written before the policy came, or between an uninstall and an install, it may be anybody's."""
    cluster = FakeCluster(ClusterState(detach_mark=mark))
    before = cluster.put(SPACE, forged(NAMESPACE, **parts))
    outcomes = await work(cluster)
    (outcome,) = [outcome for outcome in outcomes if outcome.change.key == SPACE]
    assert (outcome.result, outcome.told) == (Result.CONFLICT, True)
    for words in (
        "nothing is lost",
        names.GUARD_POLICIES[-1],
        "'The way back' in docs/off-boarding.md",
        "administrator",
    ):
        assert words in outcome.message
    assert cluster.objects[SPACE] == before
    assert not [key for key in cluster.objects if key.namespace == "shop-dev"]


async def test_a_namespace_that_an_administrator_confirms_is_taken_back() -> None:
    cluster = detached()
    cluster.state = ClusterState(detach_mark="new")
    outcomes = await work(cluster)
    assert {outcome.result for outcome in outcomes if outcome.change.key == SPACE} == {Result.CONFLICT}
    annotations = cluster.objects[SPACE]["metadata"]["annotations"]
    origin = {**orjson.loads(annotations[names.ANNOTATION_DETACHED]), "guard": "new"}
    annotations[names.ANNOTATION_DETACHED] = orjson.dumps(origin).decode()
    await work(cluster)
    assert diff_objects(WANTED, cluster.owned("shop")) == []


async def test_what_was_detached_before_a_reinstallation_comes_back_in_a_namespace_that_is_ours() -> None:
    cluster = detached()
    cluster.put(SPACE, next(item.manifest for item in WANTED if item.key == SPACE))
    cluster.state = ClusterState(detach_mark="new")
    await work(cluster)
    assert diff_objects(WANTED, cluster.owned("shop")) == []
