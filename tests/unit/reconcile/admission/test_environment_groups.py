"""Groups of an environment count there instead of the team's, everywhere that groups are read."""

from collections.abc import Mapping
from typing import Any

import pytest

from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.kinds import APP_PROJECT
from onboarding.build.revision import Revision
from onboarding.build.wanted import build_wanted
from onboarding.checks import access, people
from onboarding.checks.probe import GroupRequest
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.gates.decisions import count
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.record import Record
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    NOW,
    OWNER,
    approved,
    built,
    environment,
    inputs_of,
    policy_of,
    project_inputs,
    revisions,
    snapshot_of,
    spec_of,
)

GATES = [{"name": name, "opens": [{"stages": [name]}]} for name in ("dev", "prod")]
POA = {"name": "poa", "actor": "poa", "covers": ["Admission", "Configuration"]}
HELD = policy_of(GATES[0], {**GATES[1], "approvals": [POA]})
Held = dict[str, tuple[str, ...]]


def spec(groups: Mapping[str, Any] | None = None, **fields: Any) -> ProjectOnboardingSpec:
    """Return a project whose production has these groups, or none of its own."""
    own = {} if groups is None else {"groups": groups}
    return spec_of(environment(), environment("prod", stage="prod", **own), **fields)


def held(*found: Revision, name: str = "prod") -> Held:
    return {b.persona: b.groups for item in found if item.environment == name for b in item.bindings}


RESOLVED: dict[str, tuple[Mapping[str, Any] | None, Held]] = {
    "none of its own": (None, {"admin": ("shop-admins",), "viewer": ("support",)}),
    "an empty map": ({}, {"admin": ("shop-admins",), "viewer": ("support",)}),
    "a persona": ({"admin": ["live"]}, {"admin": ("live",), "viewer": ("support",)}),
    "a persona without groups": ({"admin": []}, {"viewer": ("support",)}),
    "each persona": ({"admin": ["b", "a"], "viewer": ["c"]}, {"admin": ("a", "b"), "viewer": ("c",)}),
}


@pytest.mark.parametrize(("groups", "expected"), RESOLVED.values(), ids=RESOLVED)
def test_an_environment_has_its_own_groups_and_else_those_of_the_team(
    groups: Mapping[str, Any] | None, expected: Held
) -> None:
    found = revisions(spec(groups))
    assert held(*found) == expected
    assert held(*found, name="dev") == RESOLVED["none of its own"][1]


def test_without_groups_of_its_own_a_revision_is_what_it_was() -> None:
    """So an upgrade changes no admitted revision."""
    assert b'"own"' not in b"".join(revision.canonical for revision in revisions(spec()))


def test_argo_cd_gets_a_role_for_the_team_and_one_for_production() -> None:
    wanted = build_wanted(OWNER, revisions(spec({"admin": ["live"]})))
    (project,) = [item.manifest for item in wanted if item.key.kind is APP_PROJECT]
    roles = {role["name"]: (role["groups"], role["policies"]) for role in project["spec"]["roles"]}
    assert roles.keys() == {"admin", "admin_prod"}
    assert roles["admin"][0] == ["shop-admins"]
    assert roles["admin_prod"] == (
        ["live"],
        [f"p, proj:shop:admin_prod, applications, {verb}, shop/shop-prod-*, allow" for verb in ("get", "sync")],
    )


def test_the_role_of_the_team_has_the_name_of_the_persona_even_if_production_comes_first() -> None:
    first = spec({"admin": ["live"]})
    turned = first.model_copy(update={"environments": first.environments[::-1]})
    wanted = build_wanted(OWNER, revisions(turned))
    (project,) = [item.manifest for item in wanted if item.key.kind is APP_PROJECT]
    assert {role["name"]: role["groups"] for role in project["spec"]["roles"]} == {
        "admin": ["shop-admins"],
        "admin_prod": ["live"],
    }


EDITS: dict[str, tuple[Mapping[str, Any] | None, Mapping[str, Any] | None, Held, bool]] = {
    "a group taken away": ({"admin": ["a", "b"]}, {"admin": ["a"]}, {"admin": ("a",), "viewer": ("support",)}, False),
    "a group added": ({"admin": ["a"]}, {"admin": ["a", "b"]}, {"admin": ("a",), "viewer": ("support",)}, True),
    "another group": ({"admin": ["a"]}, {"admin": ["b"]}, {"viewer": ("support",)}, True),
    "groups of its own": (None, {"admin": ["a"]}, {"viewer": ("support",)}, True),
    "the team's groups as its own": (
        None,
        {"admin": ["shop-admins"]},
        {"admin": ("shop-admins",), "viewer": ("support",)},
        False,
    ),
    "none of its own any more": ({"admin": ["a"]}, None, {"viewer": ("support",)}, True),
    "nobody": (None, {"admin": []}, {"viewer": ("support",)}, False),
}


@pytest.mark.parametrize(("before", "after", "left", "waits"), EDITS.values(), ids=EDITS)
def test_what_an_edit_takes_away_goes_at_once_and_what_it_gives_waits(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, left: Held, *, waits: bool
) -> None:
    live = built(snapshot_of(spec(before), policy=policy_of(*GATES)))
    plan = make_plan(snapshot_of(spec(after), live, policy=HELD))
    assert held(*plan.building) == left
    assert ("prod" in plan.held) == waits


def test_a_removed_environment_keeps_its_groups_until_it_leaves_and_loses_those_that_the_team_removes() -> None:
    before = spec({"admin": ["live"]})
    after = before.model_copy(update={"environments": before.environments[:1]})
    (prod,) = [item for item in revisions(before) if item.environment == "prod"]
    assert held(revoke(prod, after, None)) == {"admin": ("live",), "viewer": ("support",)}
    without = spec_of(environment(), team={"groups": {"admin": ["shop-admins"]}})
    assert held(revoke(prod, without, None)) == {"admin": ("live",)}


def test_a_persona_that_the_policy_lacks_is_found_in_its_environment_alone() -> None:
    given = spec({"pilot": ["p"]})
    assert access.personas_are_known.run(inputs_of(given)) is None
    finding = access.personas_are_known.run(inputs_of(given, 1))
    assert finding is not None
    assert finding.message == "spec.environments[prod].groups names pilot, which the policy does not have"


def test_every_group_has_to_exist() -> None:
    inputs = project_inputs(spec({"admin": ["live"], "viewer": []}))
    assert set(access.groups_exist.requests_of(inputs)) == {
        GroupRequest(name) for name in ("live", "shop-admins", "support")
    }


def test_the_groups_and_the_owner_of_an_environment_do_not_decide_about_the_project() -> None:
    owner = {"name": "Eve", "email": "eve@example.org"}
    prod = environment("prod", stage="prod", groups={"admin": ["live"]}, owner=owner)
    given = spec_of(environment(), prod)
    digests = Digests(given, HELD)
    for by in ({"by": "pat", "groups": ["live"]}, {"by": "EVE@example.org"}, {"by": "\uff45ve@example.org"}):
        found = count(approved(given, HELD, "prod", "poa", **by), given, HELD, digests, NOW, Record())
        assert found.approvals.given == {}
        assert len(found.void) == 1
    assert count(approved(given, HELD, "prod", "poa"), given, HELD, digests, NOW, Record()).void == []


def test_the_poa_owns_no_environment() -> None:
    cy = {"name": "Cy", "email": "cy@example.org"}
    given = spec_of(environment(owner={**cy, "email": "CY@example.org"}), team={"poa": cy})
    finding = people.poa_is_separate.run(project_inputs(given))
    assert finding is not None
    assert finding.message == "the mail address of Cy (spec.team.poa) is also that of spec.environments[dev].owner"
