"""The preview of Apply says what exists under the names of a plan: strangers, detached objects, former selves."""

from collections import Counter
from collections.abc import Mapping

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, NAMESPACE, RESOURCE_QUOTA, ROLE_BINDING, ChildKind, Manifest, ObjectKey
from onboarding.build.wanted import build_wanted
from onboarding.errors import ApiError
from onboarding.reconcile.apply.diff import diff_objects
from onboarding.reconcile.apply.preview import Preview, Verb, preview_changes
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.fakes import FakeCluster
from tests.unit.reconcile.apply.test_way_back import detached
from tests.unit.situations import status_of
from tests.unit.snapshots import OWNER, environment, revisions, snapshot_of, spec_of

SPEC = spec_of(environment(), mode="Plan")
SNAPSHOT = snapshot_of(SPEC)
WANTED = build_wanted(OWNER, revisions(SPEC))
SPACE = ObjectKey("hub", NAMESPACE, "", "shop-dev")
PROJECT = ObjectKey("hub", APP_PROJECT, "argocd", "shop")


async def preview(cluster: FakeCluster) -> Preview:
    plan = make_plan(SNAPSHOT.as_applied())
    changes = diff_objects(WANTED, cluster.owned("shop"))
    return await preview_changes(OWNER, plan, changes, {"hub": cluster})


def verbs(found: Preview) -> Mapping[Verb, int]:
    return Counter(line.verb for line in found.lines)


def stranger(cluster: FakeCluster, key: ObjectKey, **labels: str) -> None:
    cluster.put(key, {"metadata": {"name": key.name, "namespace": key.namespace, "labels": labels}})


async def test_nothing_exists_and_all_of_it_would_be_created_without_a_look_into_new_namespaces() -> None:
    cluster = FakeCluster()
    found = await preview(cluster)
    assert verbs(found) == {Verb.CREATE: len(WANTED)}
    assert "shop-dev" not in {key.namespace for _, key in cluster.log}


async def test_a_namespace_of_somebody_else_is_a_conflict_and_blocks_what_belongs_into_it() -> None:
    cluster = FakeCluster()
    stranger(cluster, SPACE)
    stranger(cluster, ObjectKey("hub", RESOURCE_QUOTA, "shop-dev", "theirs"))
    stranger(cluster, ObjectKey("hub", ROLE_BINDING, "shop-dev", "b"))
    stranger(cluster, ObjectKey("hub", ROLE_BINDING, "shop-dev", "a"))
    found = await preview(cluster)
    inside = sum(item.key.namespace == "shop-dev" for item in WANTED)
    assert verbs(found) == {Verb.CONFLICT: 1, Verb.BLOCKED: inside, Verb.CREATE: len(WANTED) - inside - 1}
    assert found.lines[0].text.startswith("Namespace shop-dev exists and carries no label of ours")
    assert found.existing == ("Namespace shop-dev holds ResourceQuota theirs; RoleBinding a, b",)
    assert cluster.followed[SPACE] == {"shop"}


async def test_the_contents_of_another_projects_namespace_are_not_shown() -> None:
    cluster = FakeCluster()
    labels = {names.LABEL_INSTALLATION: "inst-1", names.LABEL_PROJECT: "shop-d", names.LABEL_PROJECT_UID: "other"}
    stranger(cluster, SPACE, **labels)
    stranger(cluster, ObjectKey("hub", ROLE_BINDING, "shop-dev", "secret-name"))
    found = await preview(cluster)
    assert found.lines[0].verb is Verb.CONFLICT
    assert found.existing == ()


async def test_what_was_detached_is_taken_back() -> None:
    found = await preview(detached())
    taken = Counter(line.key.kind.kind for line in found.lines if line.verb is Verb.TAKE_BACK)
    assert (taken["Namespace"], taken["ResourceQuota"], taken["RoleBinding"]) == (1, 1, 2)
    assert Verb.CONFLICT not in verbs(found)
    assert "ResourceQuota onboarding" in found.existing[0]


async def test_what_was_detached_in_another_stage_is_a_conflict() -> None:
    restaged = spec_of(environment(stage="prod"), mode="Plan")
    plan = make_plan(snapshot_of(restaged).as_applied())
    cluster = detached()
    changes = diff_objects(build_wanted(OWNER, revisions(restaged)), cluster.owned("shop"))
    found = await preview_changes(OWNER, plan, changes, {"hub": cluster})
    assert found.lines[0].verb is Verb.CONFLICT
    assert "as stage 'dev', and would come back as 'prod'" in found.lines[0].text


async def test_a_namespace_of_a_former_project_of_the_name_is_a_conflict() -> None:
    cluster = FakeCluster()
    labels = {names.LABEL_INSTALLATION: "inst-1", names.LABEL_PROJECT: "shop", names.LABEL_PROJECT_UID: "former"}
    stranger(cluster, SPACE, **labels)
    plan, changes = make_plan(SNAPSHOT.as_applied()), diff_objects(WANTED, {})
    found = await preview_changes(OWNER, plan, changes, {"hub": cluster})
    assert "former ProjectOnboarding of this name" in found.lines[0].text


async def test_a_namespace_that_is_being_deleted_is_waited_for() -> None:
    cluster = detached()
    cluster.objects[SPACE]["metadata"]["deletionTimestamp"] = "now"
    found = await preview(cluster)
    assert verbs(found) == {Verb.WAIT: 1, Verb.CREATE: len(WANTED) - 1}


async def test_a_cluster_that_cannot_be_seen_is_not_taken_for_free() -> None:
    """Nothing is known there: no object is announced as a creation."""
    found = await preview(FakeCluster(ClusterState(problem="no answer")))
    assert verbs(found) == {Verb.UNKNOWN: len(WANTED)}
    assert found.lines[0].text.endswith("shop-dev: no answer")


async def test_what_cannot_be_listed_is_not_taken_for_missing() -> None:
    class Silent(FakeCluster):
        async def list_in(self, _kind: ChildKind, _namespace: str) -> list[Manifest]:
            raise ApiError(503, "ServiceUnavailable", "it is down")

    cluster = Silent()
    cluster.objects = detached().objects
    found = await preview(cluster)
    unknown = Counter(line.key.kind.kind for line in found.lines if line.verb is Verb.UNKNOWN)
    assert (unknown["ResourceQuota"], unknown["LimitRange"], unknown["RoleBinding"]) == (1, 1, 3)
    assert "unknown: 503 ServiceUnavailable: it is down" in found.existing[0]


async def test_an_object_beside_argo_cd_is_looked_up_and_one_that_cannot_be_read_is_said() -> None:
    cluster = FakeCluster()
    stranger(cluster, PROJECT)
    cluster.broken["read", "Application"] = ApiError(503, "ServiceUnavailable", "it is down")
    found = await preview(cluster)
    assert [line.verb for line in found.lines[:2]] == [Verb.CONFLICT, Verb.UNKNOWN]
    assert "it is down" in found.lines[1].text


async def test_the_status_counts_by_action_and_kind_and_shows_conflicts_first() -> None:
    cluster = FakeCluster()
    stranger(cluster, SPACE)
    stranger(cluster, ObjectKey("hub", ROLE_BINDING, "shop-dev", "a"))
    plan = status_of(SNAPSHOT, preview=await preview(cluster))["plan"]
    assert plan["summary"].startswith("conflict 1 Namespace; blocked 1 LimitRange, ")
    assert plan["summary"].endswith("; create 1 AppProject, 1 Application, 1 ServiceAccount")
    assert plan["changes"][0].startswith("Namespace shop-dev exists")
    assert len(plan["changes"]) == 4
    assert plan["existing"] == ["Namespace shop-dev holds RoleBinding a"]


def test_the_mode_plan_is_no_failed_check() -> None:
    """The prerequisites are those of Apply: met here, and not met if a size is unknown."""
    plan = make_plan(SNAPSHOT.as_applied())
    found = status_of(SNAPSHOT, preview=Preview(plan))
    met = next(item for item in found["conditions"] if item["type"] == "PrerequisitesMet")
    assert met["status"] == "True"
    assert found["plan"]["summary"] == "Apply would change nothing"
