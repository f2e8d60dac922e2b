"""One declared group has access in a namespace and in Argo CD, each in the form of that place."""

from typing import Any

import pytest

from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import APP_PROJECT, ROLE_BINDING
from onboarding.build.revision import Revision
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.admission.application_names import ApplicationNames
from onboarding.reconcile.admission.resolve import resolve, resolve_revisions
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.observed.target_rules import target_problems
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    OWNER,
    POLICY,
    TARGETS,
    environment,
    inputs_of,
    live_from,
    policy_of,
    snapshot_of,
    spec_of,
)

OIDC = {"groupPrefix": "oidc:"}
CASE_24 = spec_of(environment(), team={"groups": {"admin": ["oidc:team-a"]}})
"""Case 24: the API server has --oidc-groups-prefix=oidc:, and Argo CD sees the bare group."""
Places = tuple[set[str], set[str]]
"""The subjects of RoleBindings, and the groups of roles in AppProjects."""


def target(site: dict[str, Any] | None, argocd: dict[str, Any] | None) -> HostingTargetSpec:
    given = {"name": "a", **({"identity": site} if site else {}), "argocd": {"identity": argocd} if argocd else {}}
    return HostingTargetSpec.model_validate({"sites": [given]})


def resolved(
    groups: list[str],
    identity: dict[str, Any] | None,
    site: dict[str, Any] | None = None,
    argocd: dict[str, Any] | None = None,
) -> list[Revision]:
    spec = spec_of(environment(), team={"groups": {"admin": groups}})
    policy = policy_of(**({"identity": identity} if identity else {}))
    return resolve_revisions(inputs_of(spec, policy=policy, targets={"main": target(site, argocd)}))


def access(revisions: list[Revision]) -> Places:
    bound: list[str] = []
    named: list[str] = []
    for item in build_wanted(OWNER, revisions):
        if item.key.kind is ROLE_BINDING:
            bound += [subject["name"] for subject in item.manifest["subjects"] if subject["kind"] == "Group"]
        if item.key.kind is APP_PROJECT:
            named += [group for role in item.manifest["spec"]["roles"] for group in role["groups"]]
    assert (len(bound), len(named)) == (len(set(bound)), len(set(named)))
    return set(bound), set(named)


@pytest.mark.parametrize("declared", ["oidc:team-a", "team-a"])
def test_case_24_one_declared_group_has_access_to_the_api_server_and_in_argo_cd(declared: str) -> None:
    assert access(resolved([declared], OIDC)) == ({"oidc:team-a"}, {"team-a"})


FORMS: dict[str, tuple[list[str], Any, Any, Any, Places]] = {
    "without an identity, as declared": (["oidc:a", "b"], None, None, None, ({"oidc:a", "b"}, {"oidc:a", "b"})),
    "an identity without a prefix": (["oidc:a"], {"claim": "email"}, None, None, ({"oidc:a"}, {"oidc:a"})),
    "both spellings of one group": (["a", "oidc:a"], OIDC, None, None, ({"oidc:a"}, {"a"})),
    "a site without prefix": (["a", "oidc:b"], OIDC, {"groupPrefix": ""}, None, ({"a", "b"}, {"a", "b"})),
    "a site with another": (["a", "oidc:b"], OIDC, {"groupPrefix": "s:"}, None, ({"s:a", "s:b"}, {"a", "b"})),
    "a site that says nothing": (["a"], OIDC, {}, None, ({"oidc:a"}, {"a"})),
    "a site alone": (["a", "s:b"], None, {"groupPrefix": "s:"}, None, ({"s:a", "s:b"}, {"a", "b"})),
    "an Argo CD with a prefix": (["a", "oidc:b"], OIDC, None, OIDC, ({"oidc:a", "oidc:b"}, {"oidc:a", "oidc:b"})),
    "an Argo CD alone": (["a", "c:b"], None, None, {"groupPrefix": "c:"}, ({"a", "b"}, {"c:a", "c:b"})),
    "every place another": (
        ["x:a"],
        {"groupPrefix": "x:"},
        {"groupPrefix": "s:"},
        {"groupPrefix": "c:"},
        ({"s:a"}, {"c:a"}),
    ),
    "a group of Kubernetes behind the prefix": (
        ["oidc:system:authenticated"],
        OIDC,
        {"groupPrefix": ""},
        None,
        ({"oidc:system:authenticated"}, {"oidc:system:authenticated"}),
    ),
    "a group of Kubernetes made of both parts": (
        ["tem:masters"],
        {"groupPrefix": "sys"},
        None,
        None,
        ({"tem:masters"}, {"tem:masters"}),
    ),
}


@pytest.mark.parametrize(("groups", "identity", "site", "argocd", "expected"), FORMS.values(), ids=FORMS)
def test_a_group_has_the_form_of_each_place(
    groups: list[str], identity: Any, site: Any, argocd: Any, expected: Places
) -> None:
    assert access(resolved(groups, identity, site, argocd)) == expected
    assert target_problems(target(site, argocd)) == ()


def test_without_an_identity_a_revision_is_what_it_was() -> None:
    (revision,) = resolve_revisions(inputs_of(CASE_24))
    assert b"oidc:team-a" in revision.canonical
    assert not [word for word in (b"groupPrefix", b"identity") if word in revision.canonical]
    assert Revision.parse(revision.canonical.decode()) == revision
    (other,) = resolved(["team-a"], OIDC, argocd={"groupPrefix": "c:"})
    assert Revision.parse(other.canonical.decode()) == other


def test_an_environment_gets_the_forms_of_a_policy_as_soon_as_it_is_admitted_and_nothing_in_between() -> None:
    (before,) = resolve_revisions(inputs_of(CASE_24))
    policy = policy_of(identity=OIDC)
    kept = revoke(before, CASE_24, policy)
    assert kept is before
    live = live_from(build_wanted(OWNER, [before]))
    plan = make_plan(snapshot_of(CASE_24, live, policy=policy))
    assert access(list(plan.building)) == ({"oidc:team-a"}, {"team-a"})
    gate = {"name": "start", "opens": [{"stages": ["dev"]}]}
    closed = policy_of(gate, checks=[{"id": "SponsorNamed", "gate": "start"}], identity=OIDC)
    plan = make_plan(snapshot_of(CASE_24, live, policy=closed))
    assert plan.held
    assert access(list(plan.building)) == ({"oidc:team-a"}, {"oidc:team-a"})


SPELT: dict[str, tuple[str, str, Any, bool]] = {
    "the prefix left out": ("oidc:team-a", "team-a", OIDC, True),
    "the prefix added": ("team-a", "oidc:team-a", OIDC, True),
    "the prefix left out, and the policy names none": ("oidc:team-a", "team-a", None, False),
    "another prefix": ("oidc:team-a", "corp:team-a", OIDC, False),
    "capitals": ("team-a", "Team-A", OIDC, False),
    "another group": ("team-a", "team-b", OIDC, False),
}


@pytest.mark.parametrize(("before", "after", "identity", "stays"), SPELT.values(), ids=SPELT)
@pytest.mark.parametrize("then", [OIDC, None], ids=["admitted with the identity", "admitted before it"])
def test_a_group_that_is_spelt_with_or_without_the_prefix_is_not_taken_away(
    before: str, after: str, identity: Any, stays: bool, then: Any
) -> None:
    (admitted,) = resolved([before], then if identity else None)
    spec = spec_of(environment(), team={"groups": {"admin": [after]}})
    policy = policy_of(**({"identity": identity} if identity else {}))
    left = revoke(admitted, spec, policy)
    assert bool(left.bindings) is stays


def test_a_candidate_without_identity_is_the_admitted_object() -> None:
    (admitted,) = resolve_revisions(inputs_of(CASE_24))
    found = resolve(inputs_of(CASE_24, policy=POLICY, targets=TARGETS), {}, ApplicationNames("shop", {}))
    assert [item.canonical for item in found.revisions] == [admitted.canonical]
