"""Argo CD's validation of projects, ported: each rule on what it takes and what it refuses, and what lies beyond it."""

from typing import Any

import pytest

from onboarding.build.permitted import kind_problem
from tests.support import argocd_rules
from tests.support.argocd_lints import lints, project_problems
from tests.unit.argocd_cases import PLACE, REFUSED, TAKEN, WINDOW, Manifest, account, mutations, project

BAD = [(rule, what, manifest) for rule, cases in REFUSED.items() for what, manifest in cases.items()]
KINDS = [{"group": "apps", "kind": "Deployment"}]


def listed(field: str, group: str, kind: str) -> Manifest:
    return project(**{"namespaceResourceWhitelist": KINDS, field: [{"group": group, "kind": kind}]})


def sound(**spec: Any) -> Manifest:
    return project(namespaceResourceWhitelist=KINDS, **spec)


LINTS: dict[str, tuple[Manifest, str]] = {
    "the core group as v1": (listed("namespaceResourceBlacklist", "v1", "Secret"), "written '', not 'v1'"),
    "the core group as core": (listed("namespaceResourceWhitelist", "core", "Secret"), "written '', not 'core'"),
    "the core group of a cluster": (listed("clusterResourceWhitelist", "v1", "Namespace"), "written '', not 'v1'"),
    "a kind of namespaces": (
        listed("clusterResourceWhitelist", "apps", "Deployment"),
        "Deployment lives in namespaces",
    ),
    "a core kind of namespaces": (listed("clusterResourceBlacklist", "", "Secret"), "Secret lives in namespaces"),
    "a kind of clusters": (listed("namespaceResourceWhitelist", "", "Namespace"), "Namespace has no namespace"),
    "no whitelist": (project(), "is absent: every kind is allowed"),
    "an empty whitelist": (project(namespaceResourceWhitelist=[]), "is empty: no kind is allowed"),
    "any source": (sound(sourceRepos=["*"]), "name each repository in full"),
    "a source that is denied": (sound(sourceRepos=["!https://git.example.org/a"]), "name each repository in full"),
    "a destination by name": (sound(destinations=[{"name": "a", "namespace": "a"}]), "by its server alone"),
    "a destination by both": (sound(destinations=[{**PLACE, "name": "a"}]), "by its server alone"),
    "a destination with a star": (sound(destinations=[{**PLACE, "namespace": "a-*"}]), "name each place in full"),
    "a destination that is denied": (sound(destinations=[{**PLACE, "namespace": "!a"}]), "name each place in full"),
    "a role without groups": (sound(roles=[{"name": "dev"}]), "role 'dev' has no groups"),
    "a time zone that is none": (sound(syncWindows=[{**WINDOW, "timeZone": "Paris"}]), "'Paris' is taken for UTC"),
    "a former time zone": (sound(syncWindows=[{**WINDOW, "timeZone": "US/Pacific"}]), "is taken for UTC"),
    "a window that never begins": (sound(syncWindows=[{**WINDOW, "schedule": "0 0 30 2 *"}]), "open at all times"),
    "a window of no minute": (sound(syncWindows=[{**WINDOW, "schedule": ", 0 * * *"}]), "open at all times"),
}


@pytest.mark.parametrize(("rule", "what", "manifest"), BAD, ids=[f"{rule}: {what}" for rule, what, _ in BAD])
def test_a_rule_refuses_what_breaks_it_and_no_other_rule_does(rule: str, what: str, manifest: Manifest) -> None:
    broken = {function.__name__ for function in argocd_rules.RULES if list(function(manifest))}
    assert broken == {rule}


@pytest.mark.parametrize("what", TAKEN)
def test_what_argo_cd_takes_is_taken(what: str) -> None:
    assert argocd_rules.refusals(TAKEN[what]) == []


@pytest.mark.parametrize("namespace", ["[ab]", "{a,b}", "a\\*"])
def test_a_place_of_an_account_is_exact_where_argo_cd_takes_patterns(namespace: str) -> None:
    assert argocd_rules.refusals(account(namespace=namespace)) != []


def test_every_rule_has_a_case() -> None:
    assert {rule.__name__ for rule in argocd_rules.RULES} == REFUSED.keys()


def test_mutations_are_of_both_sorts() -> None:
    verdicts = [not argocd_rules.refusals(manifest) for manifest in mutations(300)]
    assert 100 < sum(verdicts) < 250


@pytest.mark.parametrize("what", LINTS)
def test_what_argo_cd_passes_over_is_found(what: str) -> None:
    manifest, words = LINTS[what]
    found = lints(manifest)
    assert len(found) == 1
    assert words in found[0]
    assert project_problems(manifest) == found


def test_a_destination_that_no_environment_has_is_found() -> None:
    manifest = sound(destinations=[PLACE])
    assert project_problems(manifest, {"a"}) == project_problems(manifest) == []
    assert project_problems(manifest, {"b"}) == ["destination namespace 'a' is none of an environment"]


@pytest.mark.parametrize(("group", "kind"), [("", "Secret"), ("apps", "Deployment"), ("example.org", "Anything")])
def test_a_kind_of_namespaces_passes(group: str, kind: str) -> None:
    assert kind_problem(group, kind) == ""
