"""What goes, goes in order: Applications first, their project last, and by policy detached or deleted."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE, ROLE_BINDING, SERVICE_ACCOUNT, ObjectKey
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.apply.diff import Action, Change, Rank
from onboarding.reconcile.apply.prune import in_use
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    CLUSTERS,
    GIT,
    MARK,
    NOW,
    POLICY,
    confirm_delete,
    environment,
    live_of_spec,
    snapshot_of,
    spec_of,
    unannotated,
)

DEV, PROD = environment(), environment("prod", stage="prod")
DOWN = {**CLUSTERS, "site-b/kubeconfig": ClusterState(problem="no answer")}
Filter = Callable[[ObjectKey], bool]


def changes_of(snapshot: Snapshot) -> list[Change]:
    return find_changes(snapshot, make_plan(snapshot), {}.get)


def lives(*environments: Any, without: Filter = lambda _key: False) -> dict[ObjectKey, CachedObject]:
    """Return what these environments led to, some of it gone by now."""
    return {key: item for key, item in live_of_spec(spec_of(*environments)).items() if not without(key)}


def argo(key: ObjectKey) -> bool:
    return key.kind in (APPLICATION, APP_PROJECT)


def application(key: ObjectKey) -> bool:
    return key.kind is APPLICATION


def summary(changes: Iterable[Change]) -> set[tuple[str, str, str]]:
    return {(change.action.value, change.key.kind.kind, change.key.name) for change in changes}


def test_nothing_is_removed_that_is_wanted() -> None:
    assert changes_of(snapshot_of(spec_of(DEV, PROD), lives(DEV, PROD))) == []


def test_the_applications_of_a_leaving_environment_go_first_and_alone() -> None:
    changes = changes_of(snapshot_of(spec_of(PROD), lives(DEV, PROD)))
    assert summary(changes) == {("delete", "Application", "shop-dev-app")}
    assert (changes[0].rank, changes[0].cascade) == (Rank.REMOVALS, False)


def test_an_application_on_its_way_out_still_blocks_the_rest() -> None:
    live = {key: item._replace(deleting=application(key)) for key, item in lives(DEV).items()}
    assert [change for change in changes_of(snapshot_of(spec_of(), live)) if change.key.kind is not APP_PROJECT] == []


def test_a_project_keeps_room_for_an_application_that_lives() -> None:
    """The AppProject is the union of what is admitted and what is in use: narrowed only afterwards."""
    snapshot = snapshot_of(spec_of(PROD), lives(DEV, PROD))
    assert APP_PROJECT not in {change.key.kind for change in changes_of(snapshot)}
    assert {use.namespace for use in in_use(snapshot.live).values()} == {"shop-dev", "shop-prod"}
    narrowed = changes_of(snapshot_of(spec_of(PROD), lives(DEV, PROD, without=lambda key: key.name == "shop-dev-app")))
    (change,) = [change for change in narrowed if change.key.kind is APP_PROJECT]
    assert change.body is not None
    assert [place["namespace"] for place in change.body["spec"]["destinations"]] == ["shop-prod"]


def test_the_last_application_takes_the_project_with_it() -> None:
    assert ("delete", "AppProject", "shop") not in summary(changes_of(snapshot_of(spec_of(), lives(DEV))))
    assert ("delete", "AppProject", "shop") in summary(
        changes_of(snapshot_of(spec_of(), lives(DEV, without=application)))
    )


def test_a_project_stays_while_a_cluster_cannot_be_asked() -> None:
    changes = changes_of(snapshot_of(spec_of(), lives(DEV, without=application), clusters=DOWN))
    assert APP_PROJECT not in {change.key.kind for change in changes}


def test_retain_detaches_what_a_project_leaves_behind() -> None:
    changes = changes_of(snapshot_of(spec_of(), lives(DEV, without=argo)))
    by_action = {action: {c.key.kind for c in changes if c.action is action} for action in Action}
    assert by_action[Action.DELETE] == {SERVICE_ACCOUNT, ROLE_BINDING}
    assert {c.key.name for c in changes if c.action is Action.DELETE and c.key.kind is ROLE_BINDING} == {
        "sync:onboarding:sync"
    }
    ranks = {change.rank for change in changes if change.action is Action.DETACH and change.key.kind is not NAMESPACE}
    assert ranks == {Rank.DETACHMENTS}
    (namespace,) = [change for change in changes if change.key.kind is NAMESPACE]
    assert (namespace.action, namespace.rank) == (Action.DETACH, Rank.LAST)


def test_a_detachment_takes_our_labels_off_and_leaves_word() -> None:
    labelled = environment(labels={"example.org/tier": "web"})
    changes = changes_of(snapshot_of(spec_of(), lives(labelled, without=argo)))
    (namespace,) = [change for change in changes if change.key.kind is NAMESPACE]
    assert namespace.body is not None
    metadata = namespace.body["metadata"]
    assert set(metadata["labels"].values()) == {None}
    assert names.LABEL_INSTALLATION in metadata["labels"]
    assert names.LABEL_MANAGED_BY in metadata["labels"]
    assert "example.org/tier" not in metadata["labels"]
    assert not [label for label in metadata["labels"] if label.startswith(names.POD_SECURITY_PREFIX)]
    assert metadata["annotations"][names.ANNOTATION_ADMITTED] is None
    origin = orjson.loads(metadata["annotations"][names.ANNOTATION_DETACHED])
    assert origin == {
        "project": "shop",
        "uid": snapshot_of(spec_of()).project.uid,
        "environment": "dev",
        "installation": "inst-1",
        "at": NOW.isoformat(timespec="seconds"),
        "guard": MARK,
        "stage": "dev",
    }


def test_a_namespace_is_marked_as_its_own_cluster_is_and_what_lies_in_it_not_at_all() -> None:
    twin = environment(target="twin")
    marks = {"hub": "mark-a", "site-b/kubeconfig": "mark-b"}
    clusters = {cluster: ClusterState(detach_mark=mark) for cluster, mark in marks.items()}
    changes = changes_of(snapshot_of(spec_of(), lives(twin, without=argo), clusters=clusters))
    detached = [change for change in changes if change.action is Action.DETACH and change.body is not None]
    told = {
        (change.key.cluster, change.key.kind is NAMESPACE): orjson.loads(
            change.body["metadata"]["annotations"][names.ANNOTATION_DETACHED]
        ).get("guard")
        for change in detached
        if change.body
    }
    assert told == {(cluster, own): mark if own else None for cluster, mark in marks.items() for own in (True, False)}


ACCESS: dict[str, tuple[dict[str, str], Action]] = {
    "nothing": ({}, Action.DETACH),
    "keep": ({"detachedAccess": "Keep"}, Action.DETACH),
    "revoke": ({"detachedAccess": "Revoke"}, Action.DELETE),
    "keep by the former name": ({"releasedAccess": "Keep"}, Action.DETACH),
    "revoke by the former name": ({"releasedAccess": "Revoke"}, Action.DELETE),
    # The API server has written the former default into every policy that is stored.
    "revoke beside the former default": ({"detachedAccess": "Revoke", "releasedAccess": "Keep"}, Action.DELETE),
    "keep beside the former name": ({"detachedAccess": "Keep", "releasedAccess": "Revoke"}, Action.DETACH),
}


@pytest.mark.parametrize(("access", "action"), ACCESS.values(), ids=ACCESS)
def test_the_policy_decides_what_becomes_of_the_teams_access(access: dict[str, str], action: Action) -> None:
    policy = POLICY.model_validate({**POLICY.model_dump(by_alias=True, exclude_none=True), **access})
    changes = changes_of(snapshot_of(spec_of(), lives(DEV, without=argo), policy=policy))
    bindings = {change.action for change in changes if change.key.name == "admin:onboarding:admin"}
    assert bindings == {action}


def test_delete_removes_the_namespace_and_the_sync_account_and_nothing_by_hand() -> None:
    snapshot = snapshot_of(spec_of(deletionPolicy="Delete"), lives(DEV, without=argo), decisions=(confirm_delete(),))
    changes = changes_of(snapshot)
    assert summary(changes) == {("delete", "Namespace", "shop-dev"), ("delete", "ServiceAccount", "shop-dev")}
    assert [change.rank for change in changes if change.key.kind is NAMESPACE] == [Rank.LAST]


def test_what_lies_in_a_namespace_that_is_ours_no_more_is_detached() -> None:
    """Nothing will take it along: it would keep the project for ever."""
    live = lives(DEV, without=lambda key: argo(key) or key.kind is NAMESPACE)
    snapshot = snapshot_of(spec_of(deletionPolicy="Delete"), live, decisions=(confirm_delete(),))
    by_action = {action: {c.key.kind for c in changes_of(snapshot) if c.action is action} for action in Action}
    assert by_action[Action.DELETE] == {SERVICE_ACCOUNT, ROLE_BINDING}
    assert by_action[Action.DETACH] == {key.kind for key in live} - {SERVICE_ACCOUNT}


def test_a_stranger_who_rewrites_an_application_opens_nothing() -> None:
    """What is written into an Application that stays never widens its project."""
    live = {
        key: item._replace(content=item.content.replace(b"shop.git", b"evil.git")) if application(key) else item
        for key, item in lives(DEV).items()
    }
    changes = changes_of(snapshot_of(spec_of(DEV), live))
    assert [change.key.kind for change in changes] == [APPLICATION]


def test_delete_takes_the_workload_with_the_application() -> None:
    snapshot = snapshot_of(spec_of(deletionPolicy="Delete"), lives(DEV), decisions=(confirm_delete(),))
    (change,) = [change for change in changes_of(snapshot) if change.action is Action.DELETE]
    assert (change.key.kind, change.cascade) == (APPLICATION, True)


def test_an_unconfirmed_deletion_removes_nothing() -> None:
    assert changes_of(snapshot_of(spec_of(deletionPolicy="Delete"), lives(DEV))) == []


def test_a_repository_that_is_removed_takes_its_application_without_its_workload() -> None:
    after = spec_of(DEV, repositories=[])
    assert summary(changes_of(snapshot_of(after, lives(DEV)))) >= {("delete", "Application", "shop-dev-app")}


HELD = environment(size="vast")


@pytest.mark.parametrize(("repositories", "pruned"), [([{"name": "app", "url": GIT}], False), ([], True)])
def test_an_application_of_a_held_environment_goes_only_with_its_repository(
    repositories: list[dict[str, str]], pruned: bool
) -> None:
    """Its admitted revision is unreadable, so that nobody knows the full list of what it wants."""
    live = {key: unannotated(item) if key.kind is NAMESPACE else item for key, item in lives(DEV).items()}
    changes = summary(changes_of(snapshot_of(spec_of(HELD, repositories=repositories), live)))
    assert (("delete", "Application", "shop-dev-app") in changes) is pruned
    assert {kind for action, kind, _ in changes if action != "change"} <= {"Application"}


def test_a_repository_that_is_renamed_takes_its_application_though_its_url_is_still_there() -> None:
    renamed = spec_of(HELD, repositories=[{"name": "web", "url": GIT}])
    deleted = [
        change.key.name for change in changes_of(snapshot_of(renamed, lives(DEV))) if change.key.kind is APPLICATION
    ]
    assert deleted == ["shop-dev-app"]


def test_an_application_keeps_running_while_its_new_url_waits() -> None:
    moved = spec_of(HELD, repositories=[{"name": "app", "url": f"{GIT}/elsewhere"}])
    assert changes_of(snapshot_of(moved, lives(DEV))) == []


def test_nothing_of_a_broken_policy_is_removed() -> None:
    assert changes_of(snapshot_of(spec_of(), lives(DEV), policy=None, policy_problem="none")) == []


def test_a_binding_without_groups_is_pruned() -> None:
    after = spec_of(DEV, team={"groups": {"admin": ["shop-admins"]}})
    changes = [change for change in changes_of(snapshot_of(after, lives(DEV))) if change.action is Action.DELETE]
    assert summary(changes) == {("delete", "RoleBinding", "viewer:onboarding:viewer")}


def test_a_site_that_is_left_is_detached_and_the_other_stays() -> None:
    twin = environment(target="twin")
    after = spec_of(environment(target="twin", sites=["a"]))
    first = changes_of(snapshot_of(after, lives(twin)))
    assert [change.key.name for change in first if change.action is Action.DELETE] == ["shop-dev-b-app"]
    assert Action.DETACH not in {change.action for change in first}
    then = changes_of(snapshot_of(after, lives(twin, without=lambda key: key.name == "shop-dev-b-app")))
    removed = {change.key.cluster for change in then if change.action in (Action.DELETE, Action.DETACH)}
    assert removed == {"site-b/kubeconfig"}


def test_what_is_being_deleted_is_left_to_it() -> None:
    live = {key: item._replace(deleting=True) for key, item in lives(DEV, without=argo).items()}
    assert changes_of(snapshot_of(spec_of(), live)) == []
