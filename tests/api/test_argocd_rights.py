"""Argo CD's own enforcer gives each group the rights of the shipped policies by stage, and no other."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.judgement import Request, enforce_project
from onboarding.api.personas import ArgoAction
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.argocd_roles import Governed, build_roles
from onboarding.build.kinds import APP_PROJECT, Manifest
from onboarding.build.revision import Binding
from onboarding.build.wanted import build_wanted
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.reconcile.admission.resolve import resolve_revisions
from tests.unit.snapshots import OWNER, declaration_of, environment, spec_of
from tests.unit.snapshots import TARGETS as SOME_TARGETS

# The first of them may find the binary not built yet.
pytestmark = pytest.mark.timeout(1200)

PROFILES = Path(__file__).parents[2] / "manifests" / "profiles"
TARGET = SOME_TARGETS["main"]
GROUPS = {"admin": ["shop-admins"], "developer": ["shop-devs"], "viewer": ["shop-readers"]}
VERBS = {"get": ("applications", "get"), "sync": ("applications", "sync"), "logs": ("logs", "get")}
VERBS |= {"restart": ("applications", "action/apps/Deployment/restart"), "exec": ("exec", "create")}
VERBS |= {"delete": ("applications", "delete"), "override": ("applications", "override")}


def app_project(profile: str) -> Manifest:
    """Return the AppProject of a project with an environment in dev and one in prod, by a shipped policy."""
    text = (PROFILES / profile / "policy.yaml").read_text(encoding="utf-8")
    policy = OnboardingPolicySpec.model_validate(yaml.safe_load(text)["spec"])
    spec = spec_of(
        environment("dev", target="main"),
        environment("dev-eu", stage="prod", target="main"),
        environment("prod", stage="prod", target="main"),
        team={"groups": GROUPS},
    )
    declared = declaration_of(spec, policy, {"main": TARGET})
    found = [
        revision for item in spec.environments for revision in resolve_revisions(EnvironmentDeclaration(declared, item))
    ]
    (project,) = [item.manifest for item in build_wanted(OWNER, found) if item.key.kind is APP_PROJECT]
    return project


def may(project: Manifest, *groups: str) -> dict[str, set[str]]:
    """Return what the members of groups may do with each Application, by Argo CD."""
    names = ("shop-dev-app", "shop-dev-eu-app", "shop-prod-app")
    asked = [(name, verb) for name in names for verb in VERBS]
    requests = [Request(groups, *VERBS[verb], f"shop/{name}") for name, verb in asked]
    answers = enforce_project(project, requests)
    found: dict[str, set[str]] = {name: set() for name in names}
    for (name, verb), allowed in zip(asked, answers, strict=True):
        if allowed:
            found[name].add(verb)
    return found


EVERYTHING, READS, SEES = {"get", "sync", "logs", "restart"}, {"get", "logs"}, {"get"}
EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "shop-admins": (EVERYTHING, EVERYTHING),
    "shop-devs": ({"get", "sync", "logs"}, READS),
    "shop-readers": (SEES, SEES),
    "strangers": (set(), set()),
}
"""By group: what it may do in dev, and in production."""


@pytest.mark.parametrize("profile", ["default", "cloud-pi-native"])
@pytest.mark.parametrize("group", EXPECTED)
def test_developers_sync_in_dev_and_administrators_in_production_too(profile: str, group: str) -> None:
    """An environment whose name begins like that of dev is in production all the same."""
    dev, production = EXPECTED[group]
    expected = {"shop-dev-app": dev, "shop-dev-eu-app": production, "shop-prod-app": production}
    assert may(app_project(profile), group) == expected


def test_who_is_in_two_groups_has_the_rights_of_both() -> None:
    found = may(app_project("default"), "shop-readers", "shop-devs")
    assert (found["shop-dev-app"], found["shop-prod-app"]) == ({"get", "sync", "logs"}, READS)


def governed(environment: str, *bindings: dict[str, Any], sites: tuple[str, ...] = ("",)) -> list[Governed]:
    names = [["a", environment, *([site] if site else []), "app"] for site in sites]
    given = tuple(Binding.model_validate(item) for item in bindings)
    return [Governed(environment, given, frozenset({"-".join(parts)})) for parts in names]


def test_argo_cd_reads_the_globs_as_we_do() -> None:
    """Names that begin alike, sites, several sets of groups of a persona, and a group in two personas."""
    runs = {"persona": "dev", "groups": ["devs"], "argocd": ["get", "sync"]}
    reads, duty = {**runs, "argocd": ["get"]}, {**runs, "groups": ["devs-on-duty"]}
    admin = {"persona": "dev-b", "groups": ["ops", "devs"], "argocd": ["logs", "action/*"]}
    places = [
        *governed("a", runs, admin),
        *governed("a-b", reads, sites=("app", "b")),
        *governed("a-b-c", duty),
        *governed("b", duty, admin),
        *governed("b-c", runs),
    ]
    project = {"metadata": {"name": "a", "namespace": "argocd"}, "spec": {"roles": build_roles("a", places)}}
    groups = {group for place in places for item in place.bindings for group in item.groups}
    names = sorted(name for place in places for name in place.applications)
    asked = [(group, action, name) for group in sorted(groups) for action in ArgoAction for name in names]
    verbs = {ArgoAction.ACTION: VERBS["restart"], ArgoAction.LOGS: VERBS["logs"]}
    requests = [
        Request((group,), *verbs.get(action, ("applications", action.value)), f"a/{name}")
        for group, action, name in asked
    ]
    expected = [
        any(
            name in place.applications and group in item.groups and action in item.argocd
            for place in places
            for item in place.bindings
        )
        for group, action, name in asked
    ]
    assert enforce_project(project, requests) == expected
    assert 0 < sum(expected) < len(expected) / 2
