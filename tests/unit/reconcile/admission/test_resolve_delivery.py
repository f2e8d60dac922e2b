"""What an environment deploys is resolved for it, remembered while it is declared, and in use until it goes."""

from typing import Any

import orjson
import pytest

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.kinds import APP_PROJECT, APPLICATION, ROLE_BINDING, SERVICE_ACCOUNT, ObjectKey
from onboarding.build.revision import Revision
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.admission.resolve import resolve_revisions
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.apply.diff import Action, diff_object
from onboarding.reconcile.apply.prune import in_use
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    GIT,
    OWNER,
    environment,
    inputs_of,
    live_from,
    live_of_spec,
    policy_of,
    revisions,
    snapshot_of,
    spec_of,
)

SETTINGS = "https://git.example.org/settings.git"
CHARTS = "https://charts.example.org/stable"
APP = {"name": "app", "url": GIT}
CHART = {
    "name": "db",
    "url": CHARTS,
    "chart": "postgres",
    "revision": "1.2.3",
    "helm": {"valueFiles": ["all.yaml", "<env>/db-<env>.yaml"], "valuesRepository": "settings"},
}
VALUES = {"name": "settings", "url": SETTINGS, "revision": "main", "path": "somewhere", "deploys": False}
BOTH = [CHART, VALUES]


def only(spec: ProjectOnboardingSpec) -> Revision:
    (revision,) = revisions(spec)
    return revision


def of(*repositories: dict[str, Any], **fields: Any) -> Revision:
    return only(spec_of(environment(**fields), repositories=list(repositories)))


def under(policy: OnboardingPolicySpec, spec: ProjectOnboardingSpec) -> list[Revision]:
    return [
        revision
        for index in range(len(spec.environments))
        for revision in resolve_revisions(inputs_of(spec, index, policy))
    ]


def built(revision: Revision, kind: Any) -> list[dict[str, Any]]:
    return [item.manifest for item in build_wanted(OWNER, [revision]) if item.key.kind is kind]


def sources(revision: Revision) -> list[dict[str, Any]]:
    found = []
    for manifest in built(revision, APPLICATION):
        spec = manifest["spec"]
        assert ("source" in spec) != ("sources" in spec)
        found.append(spec.get("sources") or [spec["source"]])
    (one,) = found
    return list(one)


def test_what_a_project_does_not_use_is_not_remembered() -> None:
    used = orjson.loads(of(APP).canonical)
    assert used["repositories"] == [{"name": "app", "url": GIT}]
    assert not {"valueRepositories", "windows", "impersonation", "allowedKinds", "additionalKinds"} & used.keys()
    assert of(APP).canonical == of({**APP, "helm": {}, "revision": "HEAD", "path": "."}).canonical


def test_a_repository_that_holds_only_values_gets_no_application() -> None:
    assert [item["metadata"]["name"] for item in built(of(*BOTH), APPLICATION)] == ["shop-dev-db"]
    assert of(VALUES).repositories == of(VALUES).value_repositories == ()
    assert built(of(VALUES), APP_PROJECT) == []


def test_values_of_another_repository_make_it_a_source() -> None:
    assert sources(of(*BOTH)) == [
        {
            "repoURL": CHARTS,
            "targetRevision": "1.2.3",
            "chart": "postgres",
            "helm": {"valueFiles": ["$values/all.yaml", "$values/dev/db-dev.yaml"]},
        },
        {"repoURL": SETTINGS, "targetRevision": "main", "ref": "values"},
    ]
    (project,) = built(of(*BOTH), APP_PROJECT)
    assert project["spec"]["sourceRepos"] == [CHARTS, SETTINGS]


def test_a_repository_may_be_deployed_and_hold_values() -> None:
    revision = of({**CHART, "helm": {"valueFiles": ["a.yaml"], "valuesRepository": "app"}}, APP)
    assert [item.name for item in revision.repositories] == ["app", "db"]
    assert [item.url for item in revision.value_repositories] == [GIT]


def test_without_value_files_no_other_repository_is_needed() -> None:
    revision = of({**CHART, "helm": {"releaseName": "db", "valuesRepository": "settings"}}, VALUES)
    assert revision.value_repositories == ()
    assert sources(revision) == [
        {"repoURL": CHARTS, "targetRevision": "1.2.3", "chart": "postgres", "helm": {"releaseName": "db"}}
    ]


@pytest.mark.parametrize(
    ("repository", "deployment", "source"),
    [
        (APP, {"revision": "v2"}, {"targetRevision": "v2", "path": "."}),
        (APP, {"path": "overlays/dev"}, {"targetRevision": "HEAD", "path": "overlays/dev"}),
        (
            {**APP, "path": "chart", "helm": {"valueFiles": ["a.yaml"]}},
            {"valueFiles": ["<env>.yaml"]},
            {"targetRevision": "HEAD", "path": "chart", "helm": {"valueFiles": ["dev.yaml"]}},
        ),
        (
            APP,
            {"valueFiles": ["dev.yaml"]},
            {"targetRevision": "HEAD", "path": ".", "helm": {"valueFiles": ["dev.yaml"]}},
        ),
        ({**APP, "recurse": True}, {}, {"targetRevision": "HEAD", "path": ".", "directory": {"recurse": True}}),
    ],
    ids=["revision", "folder", "value files", "value files where there were none", "folders below"],
)
def test_an_environment_deploys_what_it_says(
    repository: dict[str, Any], deployment: dict[str, Any], source: dict[str, Any]
) -> None:
    revision = of(repository, deployments=[{"repository": "app", **deployment}])
    assert sources(revision) == [{"repoURL": GIT, **source}]


def test_values_are_promoted_like_everything_else() -> None:
    revision = of(*BOTH, deployments=[{"repository": "settings", "revision": "v7"}])
    assert sources(revision)[1]["targetRevision"] == "v7"


@pytest.mark.parametrize(
    ("left", "names"),
    [
        ([APP, CHART, VALUES], ["app", "db"]),
        ([APP, CHART], ["app"]),
        ([APP, CHART, {**VALUES, "url": f"{SETTINGS}2"}], ["app", "db"]),
        ([CHART, VALUES], ["db"]),
        ([APP, VALUES], ["app"]),
    ],
    ids=["all", "no values", "other values", "no other repository", "no chart"],
)
def test_a_repository_goes_with_the_one_that_holds_its_values(left: list[dict[str, Any]], names: list[str]) -> None:
    kept = revoke(of(APP, *BOTH), spec_of(environment(), repositories=left), None)
    assert [item.name for item in kept.repositories] == names
    assert [item.name for item in kept.value_repositories] == (["settings"] if "db" in names else [])


def test_a_leaving_application_keeps_all_its_sources_and_kinds() -> None:
    kinds = policy_of(delivery={"additionalKinds": [{"group": "keda.sh", "kind": "ScaledObject"}]})
    before = under(kinds, spec_of(environment(), repositories=BOTH))
    snapshot = snapshot_of(spec_of(), live_from(build_wanted(OWNER, before)))
    (use,) = in_use(snapshot.live).values()
    assert (use.repositories, use.namespace) == ((CHARTS, SETTINGS), "shop-dev")
    assert ("keda.sh", "ScaledObject") in use.kinds
    project, application = find_changes(snapshot, make_plan(snapshot), {}.get)
    assert (application.action, application.key.kind) == (Action.DELETE, APPLICATION)
    assert project.fields == ("spec.orphanedResources.ignore", "spec.roles")


def test_where_nothing_is_known_of_a_leaving_application_the_usual_kinds_are_permitted() -> None:
    live = {key: item for key, item in live_of_spec(spec_of(environment())).items() if key.kind is not APP_PROJECT}
    wanted = build_wanted(OWNER, [], in_use(live))
    (project,) = [item.manifest for item in wanted if item.key.kind is APP_PROJECT]
    assert {"group": "apps", "kind": "Deployment"} in project["spec"]["namespaceResourceWhitelist"]


def test_a_held_application_goes_when_one_of_its_sources_is_no_longer_declared() -> None:
    live = live_from(build_wanted(OWNER, [of(*BOTH)]))
    after = spec_of(environment(size="vast"), repositories=[CHART])
    snapshot = snapshot_of(after, live)
    deleted = {
        item.key.name for item in find_changes(snapshot, make_plan(snapshot), {}.get) if item.action is Action.DELETE
    }
    assert "shop-dev-db" in deleted


def test_a_second_source_takes_the_place_of_the_first() -> None:
    bare = {key: value for key, value in CHART.items() if key != "helm"}
    before = live_from(build_wanted(OWNER, [of(bare)]))
    (item,) = [item for item in build_wanted(OWNER, [of(*BOTH)]) if item.key.kind is APPLICATION]
    change = diff_object(item, before[item.key])
    assert change is not None
    assert change.body is not None
    assert change.body["spec"]["source"] is None
    assert len(change.body["spec"]["sources"]) == 2


def test_without_impersonation_there_is_no_account_and_nothing_to_give_away() -> None:
    (revision,) = under(policy_of(delivery={"impersonation": False}), spec_of(environment()))
    assert built(revision, SERVICE_ACCOUNT) == []
    assert [item["metadata"]["name"] for item in built(revision, ROLE_BINDING)] == [
        "admin:onboarding:admin",
        "viewer:onboarding:viewer",
    ]
    (project,) = built(revision, APP_PROJECT)
    assert "destinationServiceAccounts" not in project["spec"]
    kinds = {item["kind"] for item in project["spec"]["namespaceResourceWhitelist"]}
    assert not {"Role", "RoleBinding"} & kinds
    assert {"Role", "RoleBinding"} <= {item["kind"] for item in project["spec"]["namespaceResourceBlacklist"]}


def test_while_one_environment_syncs_without_its_account_no_rights_are_given_away() -> None:
    first = of(APP)
    second = first.with_values(environment="old", namespace="shop-old", impersonation=False)
    (project,) = [item.manifest for item in build_wanted(OWNER, [first, second]) if item.key.kind is APP_PROJECT]
    accounts = project["spec"]["destinationServiceAccounts"]
    assert [item["namespace"] for item in accounts] == ["shop-dev"]
    assert "Role" not in {item["kind"] for item in project["spec"]["namespaceResourceWhitelist"]}


def test_guard_rails_are_never_permitted_whatever_a_revision_says() -> None:
    guards = [("", "ResourceQuota"), ("networking.k8s.io", "NetworkPolicy"), ("argoproj.io", "Application")]
    kinds = [{"group": group, "kind": kind} for group, kind in guards]
    given = {**orjson.loads(of(APP).canonical), "allowedKinds": [*kinds, {"group": "apps", "kind": "Deployment"}]}
    (project,) = built(Revision.model_validate(given), APP_PROJECT)
    assert project["spec"]["namespaceResourceWhitelist"] == [{"group": "apps", "kind": "Deployment"}]
    assert all(item in project["spec"]["namespaceResourceBlacklist"] for item in kinds)


def test_an_application_that_somebody_gave_no_source_is_in_nobodys_use() -> None:
    live = live_of_spec(spec_of(environment()))
    stripped: dict[ObjectKey, Any] = {
        key: item._replace(content=b'{"spec":{"destination":{"server":"s","namespace":"n"}}}')
        if key.kind is APPLICATION
        else item
        for key, item in live.items()
    }
    assert in_use(stripped) == {}
