"""The groups of a persona have its rights in the stage of each environment, in the namespace and in Argo CD."""

from collections.abc import Mapping
from typing import Any

import pytest

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.argocd_roles import count_policies
from onboarding.build.kinds import APP_PROJECT, ROLE_BINDING
from onboarding.build.revision import Binding
from onboarding.build.wanted import build_wanted
from onboarding.checks.continuity import MAX_POLICIES
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import GIT, OWNER, built, environment, policy_of, revisions, snapshot_of, spec_of

PROD = environment("prod", stage="prod")
READS: Mapping[str, Any] = {"clusterRole": "onboarding:viewer", "argocd": ["get"]}
RUNS: Mapping[str, Any] = {"clusterRole": "onboarding:admin", "argocd": ["get", "sync"]}
GATES = [{"name": name, "opens": [{"stages": [name]}]} for name in ("dev", "prod")]
UNMET = [{"id": "SponsorNamed", "gate": "prod"}]


def with_rights(*rights: Mapping[str, Any], **fields: Any) -> OnboardingPolicySpec:
    """Return the policy with these rights of the administrators."""
    viewer = {"name": "viewer", "clusterRole": "onboarding:viewer"}
    return policy_of(*GATES, personas=[{"name": "admin", "rights": rights}, viewer], **fields)


def admins(policy: OnboardingPolicySpec) -> dict[str, tuple[str, list[str]]]:
    """Return the ClusterRole and the actions of the administrators in each environment where they have any."""
    plan = make_plan(snapshot_of(spec_of(environment(), PROD), policy=policy))
    return {
        revision.environment: (binding.cluster_role, [action.value for action in binding.argocd])
        for revision in plan.building
        for binding in revision.bindings
        if binding.persona == "admin"
    }


RIGHTS: dict[str, tuple[list[Mapping[str, Any]], dict[str, tuple[str, list[str]]]]] = {
    "everywhere": ([RUNS], {name: ("onboarding:admin", ["get", "sync"]) for name in ("dev", "prod")}),
    "the first that names the stage": (
        [{"stages": ["dev"], **RUNS}, READS],
        {"dev": ("onboarding:admin", ["get", "sync"]), "prod": ("onboarding:viewer", ["get"])},
    ),
    "none in a stage that no entry names": (
        [{"stages": ["dev"], **RUNS}],
        {"dev": ("onboarding:admin", ["get", "sync"])},
    ),
    "in Argo CD alone": ([{"argocd": ["sync"]}], {name: ("", ["sync"]) for name in ("dev", "prod")}),
    "in the namespace alone": (
        [{"clusterRole": "onboarding:viewer"}],
        {name: ("onboarding:viewer", []) for name in ("dev", "prod")},
    ),
    "an entry that gives nothing": ([{"stages": ["prod"]}, RUNS], {"dev": ("onboarding:admin", ["get", "sync"])}),
}


@pytest.mark.parametrize(("rights", "expected"), RIGHTS.values(), ids=RIGHTS)
def test_an_environment_has_the_rights_of_its_stage(
    rights: list[Mapping[str, Any]], expected: dict[str, tuple[str, list[str]]]
) -> None:
    assert admins(with_rights(*rights)) == expected


def test_without_a_cluster_role_there_is_no_role_binding() -> None:
    plan = make_plan(snapshot_of(spec_of(environment()), policy=with_rights({"argocd": ["sync"]})))
    wanted = build_wanted(OWNER, plan.building)
    names = {item.key.name for item in wanted if item.key.kind is ROLE_BINDING}
    assert names == {"viewer:onboarding:viewer", "sync:onboarding:sync"}
    (project,) = [item.manifest for item in wanted if item.key.kind is APP_PROJECT]
    assert [role["name"] for role in project["spec"]["roles"]] == ["admin"]


def test_a_persona_that_does_not_tell_stages_apart_is_resolved_as_ever() -> None:
    """So an upgrade changes no admitted revision."""
    expected = Binding.model_validate(
        {"persona": "admin", "clusterRole": "onboarding:admin", "groups": ["shop-admins"], "argocd": ["get", "sync"]}
    )
    for revision in revisions(spec_of(environment(), PROD)):
        assert revision.bindings[0] == expected


def test_rights_that_the_policy_takes_away_stay_where_the_environment_is_held() -> None:
    """As with every change of the policy: it reaches an environment when that is admitted again."""
    spec = spec_of(environment(), PROD)
    before = snapshot_of(spec, policy=policy_of(*GATES))
    after = snapshot_of(spec, built(before), policy=with_rights({"stages": ["dev"], **READS}, checks=UNMET))
    found = {(item.environment, b.persona): b.cluster_role for item in make_plan(after).building for b in item.bindings}
    assert found["dev", "admin"] == "onboarding:viewer"
    assert found["prod", "admin"] == "onboarding:admin"


def many(number: int) -> tuple[Any, OnboardingPolicySpec]:
    """Return a project whose names leave Argo CD no globs, with a policy of eight personas."""
    names = [name for index in range(number) for name in (f"a{index}", f"a{index}-p")]
    environments = [environment(name, stage="prod" if name.endswith("-p") else "dev") for name in names]
    personas = [{"name": f"p{index}", "rights": [{"stages": ["dev"], **RUNS}, READS]} for index in range(8)]
    groups = {persona["name"]: ["somebody"] for persona in personas}
    repositories = [{"name": f"r{index}", "url": GIT} for index in range(10)]
    spec = spec_of(*environments, team={"groups": groups}, repositories=repositories)
    return spec, policy_of(personas=personas)


@pytest.mark.parametrize(("number", "fits"), [(6, True), (7, False)])
def test_an_app_project_with_too_many_policies_is_found_before_anything_is_written(number: int, *, fits: bool) -> None:
    spec, policy = many(number)
    plan = make_plan(snapshot_of(spec, policy=policy))
    found = {item.environment: item for item in plan.findings if item.check.id == "AppProjectTooLarge"}
    if fits:
        (project,) = [item.manifest for item in build_wanted(OWNER, plan.building) if item.key.kind is APP_PROJECT]
        assert 400 < count_policies(project["spec"]["roles"]) <= MAX_POLICIES
        assert found == {}
    else:
        assert plan.building == ()
        assert found.keys() == {item.name for item in spec.environments}
        assert "would have 568 policies of at most 500" in found["a0"].finding.message


def test_what_is_admitted_stays_if_one_more_environment_would_be_too_much() -> None:
    spec, policy = many(7)
    before = spec.model_copy(update={"environments": spec.environments[:12]})
    live = built(snapshot_of(before, policy=policy))
    plan = make_plan(snapshot_of(spec, live, policy=policy))
    assert {item.environment for item in plan.building} == {item.name for item in before.environments}
    assert {item.environment for item in plan.findings if item.check.id == "AppProjectTooLarge"} == {"a6", "a6-p"}
