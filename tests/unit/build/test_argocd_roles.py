"""The roles of an AppProject say exactly who may do what with which Application, in few policies."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onboarding.api.personas import ArgoAction
from onboarding.build.argocd_roles import Governed, build_roles, count_policies, whole_policies
from onboarding.build.kinds import Manifest
from onboarding.build.revision import Binding
from tests.support import argocd_rules

PROJECT = "a"
GROUPS = ("ops", "devs", "oidc:ops")
PERSONAS = ("a", "a-b", "admin", "admin-prod")
ENVIRONMENTS = ("a", "a-b", "a-b-c", "b", "prod", "prod-eu", "a1b")
REPOSITORIES = ("b", "b-c", "c", "eu")
SITES = ("", "b", "eu")
GET, SYNC, ACTION, LOGS = ArgoAction.GET, ArgoAction.SYNC, ArgoAction.ACTION, ArgoAction.LOGS

Allowed = set[tuple[str, ArgoAction, str]]
"""Group, action and Application."""


def place(environment: str, *bindings: Binding, repositories: Sequence[str] = ("app",), site: str = "") -> Governed:
    """Return an environment, with an Application for each repository."""
    parts = (PROJECT, environment, *((site,) if site else ()))
    return Governed(environment, bindings, frozenset("-".join((*parts, name)) for name in repositories))


def binding(persona: str, *groups: str, argocd: Sequence[ArgoAction] = (GET,)) -> Binding:
    return Binding(persona=persona, groups=groups, argocd=tuple(argocd))


def wanted(places: Sequence[Governed]) -> Allowed:
    """Return what the bindings give, Application by Application."""
    return {
        (group, action, name)
        for item in places
        for given in item.bindings
        for group, action, name in product(given.groups, given.argocd, item.applications)
    }


def allowed(roles: Sequence[Manifest], applications: set[str]) -> Allowed:
    """Return what the policies give, read as Argo CD reads them."""
    return {
        (group, action, name)
        for role in roles
        for policy in role["policies"]
        for group, action, name in product(role["groups"], ArgoAction, applications)
        if meets(policy, action, f"{PROJECT}/{name}")
    }


def meets(policy: str, action: ArgoAction, thing: str) -> bool:
    kind, _, resource, verb, pattern, effect = policy.split(", ")
    assert (kind, effect) == ("p", "allow")
    about = ("logs", "get") if action is LOGS else ("applications", action.value)
    return (resource, verb) == about and matches(pattern, thing)


def matches(pattern: str, text: str) -> bool:
    """Match a glob whose only wildcard stands at its end and takes every character."""
    assert "*" not in pattern[:-1]
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def names(places: Sequence[Governed]) -> list[str]:
    return [name for item in places for name in item.applications]


@st.composite
def situations(draw: st.DrawFn) -> list[Governed]:
    """Draw environments whose names begin alike, on some sites, each with its own bindings."""
    groups = st.lists(st.sampled_from(GROUPS), unique=True, min_size=1).map(tuple)
    actions = st.lists(st.sampled_from(list(ArgoAction)), unique=True).map(tuple)
    keys = st.tuples(st.sampled_from(ENVIRONMENTS), st.sampled_from(SITES))
    found = []
    for environment, site in draw(st.lists(keys, unique=True, min_size=1, max_size=6)):
        personas = draw(st.lists(st.sampled_from(PERSONAS), unique=True))
        bindings = [binding(persona, *draw(groups), argocd=draw(actions)) for persona in personas]
        repositories = draw(st.lists(st.sampled_from(REPOSITORIES), unique=True, min_size=1))
        found.append(place(environment, *bindings, repositories=repositories, site=site))
    return found


@given(situations(), st.sets(st.sampled_from(("a-b-old", "a-prod-b", "a-gone-app"))))
def test_groups_get_the_rights_of_their_environments_and_no_other(places: list[Governed], leaving: set[str]) -> None:
    """An Application that belongs to no environment any more is nobody's."""
    assume(len(set(names(places))) == len(names(places)))
    others = leaving.difference(names(places))
    roles = build_roles(PROJECT, places, others)
    assert allowed(roles, {*names(places), *leaving}) == wanted(places)


@given(situations())
def test_a_name_that_two_environments_share_gets_the_rights_that_both_give(places: list[Governed]) -> None:
    found = allowed(build_roles(PROJECT, places), set(names(places)))
    for item in places:
        given_here = {right[:2] for right in wanted([item])}
        assert {right[:2] for right in found if right[2] in item.applications} <= given_here


@given(situations())
def test_argo_cd_takes_the_roles(places: list[Governed]) -> None:
    """Their names are valid and unique, and each policy is about the role that has it."""
    metadata, spec = {"name": PROJECT}, {"roles": build_roles(PROJECT, places)}
    assert argocd_rules.refusals({"metadata": metadata, "spec": spec}) == []


@given(situations())
def test_there_is_a_role_for_each_set_of_groups(places: list[Governed]) -> None:
    assume(len(set(names(places))) == len(names(places)))
    sets = {(b.persona, tuple(sorted(b.groups))) for item in places for b in item.bindings if b.argocd}
    roles = build_roles(PROJECT, places)
    assert sorted((role["name"].split("_")[0], tuple(role["groups"])) for role in roles) == sorted(sets)


@given(situations())
def test_no_policy_says_what_another_one_says(places: list[Governed]) -> None:
    """Without any of them a right is missing."""
    for role in build_roles(PROJECT, places):
        policies = role["policies"]
        for number in range(len(policies)):
            fewer = {**role, "policies": policies[:number] + policies[number + 1 :]}
            assert allowed([fewer], set(names(places))) < allowed([role], set(names(places)))


def policies(*places: Governed, **more: frozenset[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield role, verb and object of each policy."""
    for role in build_roles(PROJECT, places, **more):
        for policy in role["policies"]:
            _, subject, _, verb, pattern, _ = policy.split(", ")
            yield subject.removeprefix(f"proj:{PROJECT}:"), verb, pattern


READS, RUNS = binding("dev", "devs"), binding("dev", "devs", argocd=[GET, SYNC])
BEFORE = {"roles": build_roles(PROJECT, [place("dev", RUNS), place("prod", READS)])}
"""An AppProject in which only one of the rights is about every Application."""
FORMS: dict[str, tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]] = {
    "the same rights everywhere": (
        list(policies(place("dev", READS), place("prod", READS))),
        [("dev", "get", "a/*")],
    ),
    "a right in one environment": (
        list(policies(place("dev", RUNS), place("prod", READS))),
        [("dev", "get", "a/*"), ("dev", "sync", "a/a-dev-*")],
    ),
    "an environment whose name goes on in another": (
        list(policies(place("a", RUNS, repositories=["x", "y"]), place("a-b", READS))),
        [("dev", "get", "a/*"), ("dev", "sync", "a/a-a-x"), ("dev", "sync", "a/a-a-y")],
    ),
    "both of these": (
        list(policies(place("a", RUNS), place("a-b", RUNS), place("prod", READS))),
        [("dev", "get", "a/*"), ("dev", "sync", "a/a-a-*")],
    ),
    "one of two sites": (
        list(policies(place("a", RUNS, site="n"), place("a", READS, site="s"))),
        [("dev", "get", "a/*"), ("dev", "sync", "a/a-a-n-app")],
    ),
    "an Application of an environment that is gone": (
        list(policies(place("dev", RUNS), others=frozenset({"a-prod-app"}))),
        [("dev", "get", "a/a-dev-*"), ("dev", "sync", "a/a-dev-*")],
    ),
    "the same while a right was about every Application": (
        list(policies(place("dev", RUNS), others=frozenset({"a-prod-app"}), standing=whole_policies(BEFORE))),
        [("dev", "get", "a/*"), ("dev", "sync", "a/a-dev-*")],
    ),
    "other groups that take the name of a role": (
        list(
            policies(
                place("dev", binding("dev", "others", argocd=[GET, SYNC])),
                others=frozenset({"a-prod-app"}),
                standing=whole_policies(BEFORE),
            )
        ),
        [("dev", "get", "a/a-dev-*"), ("dev", "sync", "a/a-dev-*")],
    ),
    "other groups in one environment": (
        list(policies(place("dev", READS), place("qa", READS), place("prod", binding("dev", "ops")))),
        [("dev", "get", "a/a-dev-*"), ("dev", "get", "a/a-qa-*"), ("dev_prod", "get", "a/a-prod-*")],
    ),
    "no rights in Argo CD": (list(policies(place("dev", binding("dev", "devs", argocd=[])))), []),
}


@pytest.mark.parametrize(("found", "expected"), FORMS.values(), ids=FORMS)
def test_policies_have_their_shortest_form(
    found: list[tuple[str, str, str]], expected: list[tuple[str, str, str]]
) -> None:
    assert found == expected


def test_policies_are_counted() -> None:
    roles = build_roles(PROJECT, [place("dev", RUNS), place("prod", READS, binding("admin", "ops"))])
    assert count_policies(roles) == sum(len(role["policies"]) for role in roles) == 3
