"""Who asks cannot answer, in whatever form their name or group is written; and a POA answers for their own project."""

from typing import Any

import pytest

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.reconcile.gates.decisions import count
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.record import Record
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import NOW, approved, decided, environment, policy_of, snapshot_of, spec_of, told

OIDC = {"usernamePrefix": "oidc:", "groupPrefix": "oidc:"}
BY_NAME = {**OIDC, "claim": "username"}
TAGGED = {**OIDC, "plusTags": True}
DEV, PROD = environment(), environment("prod", stage="prod", groups={"release": ["releasers"]})
PERSONAS = [
    {"name": "admin", "clusterRole": "onboarding:admin"},
    {"name": "poa", "clusterRole": "onboarding:viewer", "argocd": ["get"], "decides": True},
    {"name": "judge", "clusterRole": "onboarding:viewer", "decides": True},
]
BOSS = {"name": "Bo", "email": "boss@x.org", "username": "b.li"}
SPEC = spec_of(
    DEV,
    {**PROD, "owner": {"name": "Eve", "email": "eve@x.org", "username": "eve"}},
    owner=BOSS,
    sponsor={"name": "Sam", "email": "sam@x.org", "username": "sam"},
    team={
        "groups": {
            "admin": ["team-a", "oidc:team-b", "Both"],
            "poa": ["pilots", "both"],
            "judge": ["judges", "listed"],
            "unknown": ["former"],
        },
        "people": [{"name": "Kim", "email": "kim@x.org", "username": "kim", "groups": ["listed", "guests"]}],
        "poa": {"name": "Cy", "email": "cy@x.org", "username": "cy"},
    },
)


def policy(identity: dict[str, Any] | None = None, persona: str | None = None) -> OnboardingPolicySpec:
    poa = {"name": "poa", "actor": "poa", **({"persona": persona} if persona else {})}
    approvals = [poa, {"name": "visa", "actor": "security"}]
    gates = (
        {"name": "build", "opens": [{"stages": ["dev"]}]},
        {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": approvals},
    )
    return policy_of(*gates, personas=PERSONAS, **({"identity": identity} if identity else {}))


def void(by: str, groups: list[str], given: OnboardingPolicySpec, spec: Any = SPEC, **fields: Any) -> str:
    """Return why an approval of somebody is void; the empty string if it counts."""
    decisions = approved(spec, given, "live", "poa", by=by, groups=groups, **fields)
    found = count(decisions, spec, given, Digests(spec, given), NOW, Record())
    assert len(found.approvals.given) + len(found.void) == 1
    return found.void[0][1] if found.void else ""


Who = tuple[dict[str, Any] | None, str, list[str], str]
KEPT_OUT: dict[str, Who] = {
    "the owner": (None, "boss@x.org", [], "Bo, spec.owner"),
    "the owner with the usual prefix, and no identity in the policy": (None, "oidc:boss@x.org", [], "Bo, spec.owner"),
    "the owner with the prefix of the policy": (OIDC, "oidc:boss@x.org", [], "Bo, spec.owner"),
    "the owner with another prefix than the policy's": (OIDC, "ldap/boss@x.org", [], "Bo, spec.owner"),
    "the owner in capitals behind the prefix": (OIDC, "OIDC:BOSS@X.ORG", [], "Bo, spec.owner"),
    "the owner in full-width letters": (None, "\uff42\uff4f\uff53\uff53@x.org", [], "Bo, spec.owner"),
    "the owner in Cyrillic letters": (OIDC, "oidc:b\u043e\u0455\u0455@x.org", [], "Bo, spec.owner"),
    "the owner with a tag, where tags are one person's": (TAGGED, "oidc:boss+work@x.org", [], "Bo, spec.owner"),
    "the owner by user name": (BY_NAME, "oidc:b.li", [], "Bo, spec.owner"),
    "the owner by user name in capitals": (BY_NAME, "oidc:B.Li", [], "Bo, spec.owner"),
    "the owner by user name, where the claim is the mail address": (OIDC, "oidc:b.li", [], "Bo, spec.owner"),
    "the owner by mail address, where the claim is the user name": (BY_NAME, "boss@x.org", [], "Bo, spec.owner"),
    "the sponsor": (OIDC, "oidc:sam@x.org", [], "Sam, spec.sponsor"),
    "the owner of an environment": (BY_NAME, "oidc:eve", [], "Eve, spec.environments[prod].owner"),
    "somebody of the team": (BY_NAME, "oidc:kim", ["oidc:pilots"], "Kim, spec.team.people"),
    "a group": (None, "pat", ["team-a"], "in group team-a"),
    "a group in capitals": (None, "pat", ["TEAM-A"], "in group team-a"),
    "a group with the prefix of the policy": (OIDC, "pat", ["oidc:team-a"], "in group team-a"),
    "a group with the usual prefix, and no identity": (None, "pat", ["oidc:team-a"], "in group team-a"),
    "a group without the prefix": (OIDC, "pat", ["team-a"], "in group team-a"),
    "a group that is declared with the prefix": (OIDC, "pat", ["oidc:team-b"], "in group oidc:team-b"),
    "that group without it, and no identity": (None, "pat", ["team-b"], "in group oidc:team-b"),
    "a group of both kinds, in other spellings": (OIDC, "pat", ["oidc:both"], "in group Both"),
    "a group of an environment": (OIDC, "pat", ["oidc:releasers"], "in group releasers"),
    "a group of an unknown persona": (OIDC, "pat", ["oidc:former"], "in group former"),
    "a group of somebody of the team": (OIDC, "pat", ["oidc:guests"], "in group guests"),
    "a deciding group that somebody of the team is in": (OIDC, "pat", ["oidc:listed"], "in group listed"),
    "a deciding group and another": (OIDC, "pat", ["oidc:pilots", "oidc:team-a"], "in group team-a"),
}
LET_IN: dict[str, Who] = {
    "a stranger": (OIDC, "oidc:pat@x.org", ["oidc:security"], ""),
    "a deciding group": (OIDC, "oidc:pat@x.org", ["oidc:pilots"], ""),
    "the POA": (OIDC, "oidc:cy@x.org", ["oidc:judges"], ""),
    "a tag, where it is another person's": (OIDC, "oidc:boss+work@x.org", [], ""),
    "a name that ends like the owner's": (OIDC, "oidc:big-boss@x.org", [], ""),
    "a group that ends like the project's": (OIDC, "pat", ["oidc:other/team-a"], ""),
}


@pytest.mark.parametrize(("identity", "by", "groups", "who"), KEPT_OUT.values(), ids=KEPT_OUT)
def test_somebody_of_the_project_does_not_decide(
    identity: dict[str, Any] | None, by: str, groups: list[str], who: str
) -> None:
    reason = void(by, groups, policy(identity))
    assert who in reason
    assert reason.endswith(": somebody else must decide")


@pytest.mark.parametrize(("identity", "by", "groups", "_"), LET_IN.values(), ids=LET_IN)
def test_somebody_else_decides(identity: dict[str, Any] | None, by: str, groups: list[str], _: str) -> None:
    assert void(by, groups, policy(identity)) == ""


HELD = {"name": "poa", "gate": "live"}
NO_PILOT = "its author is in no group of the project's persona poa: a member of both, pilots decides"
OWN_POA: dict[str, tuple[dict[str, Any] | None, list[str], dict[str, Any], str]] = {
    "their own pilot": (None, ["pilots"], {}, ""),
    "their own pilot with the prefix of the policy": (OIDC, ["oidc:pilots"], {}, ""),
    "another project's pilot": (None, ["other-pilots"], {}, NO_PILOT),
    "a pilot of another deciding persona": (None, ["judges"], {}, NO_PILOT),
    "nobody in particular": (None, [], {}, NO_PILOT),
    "capitals": (None, ["Pilots"], {}, NO_PILOT),
    "the prefix, which the policy does not name": (None, ["oidc:pilots"], {}, NO_PILOT),
    "the bare name, where the policy names a prefix": (OIDC, ["pilots"], {}, NO_PILOT),
    "the prefix twice": (OIDC, ["oidc:oidc:pilots"], {}, NO_PILOT),
    "another approval of the gate": (None, ["security"], {"approval": "visa"}, ""),
}


@pytest.mark.parametrize(("identity", "groups", "fields", "reason"), OWN_POA.values(), ids=OWN_POA)
def test_an_approval_of_a_persona_is_given_by_the_projects_own_groups_of_it(
    identity: dict[str, Any] | None, groups: list[str], fields: dict[str, Any], reason: str
) -> None:
    told_reason = void("pat", groups, policy(identity, "poa"), **fields)
    assert (reason in told_reason) if reason else told_reason == ""


def with_groups(team: dict[str, list[str]], prod: dict[str, list[str]]) -> Any:
    return spec_of(DEV, environment("prod", stage="prod", groups=prod), team={"groups": team})


ENVIRONMENTS: dict[str, tuple[dict[str, list[str]], dict[str, list[str]], str | None, list[str], bool]] = {
    "the environment's own group": ({"poa": ["a"]}, {"poa": ["b"]}, "prod", ["b"], True),
    "the team's, where the environment has its own": ({"poa": ["a"]}, {"poa": ["b"]}, "prod", ["a"], False),
    "the team's, where it has none": ({"poa": ["a"]}, {}, "prod", ["a"], True),
    "the environment's, for the project": ({"poa": ["a"]}, {"poa": ["b"]}, None, ["b"], False),
    "the team's, for an environment that is not there": ({"poa": ["a"]}, {"poa": ["b"]}, "gone", ["a"], False),
    "nobody, where it empties the list": ({"poa": ["a"]}, {"poa": []}, "prod", ["a"], False),
}


@pytest.mark.parametrize(("team", "prod", "about", "groups", "counts"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_groups_are_those_that_count_in_the_environment(
    team: dict[str, list[str]], prod: dict[str, list[str]], about: str | None, groups: list[str], counts: bool
) -> None:
    reason = void("pat", groups, policy(None, "poa"), with_groups(team, prod), environment=about)
    assert (reason == "") is counts


@pytest.mark.parametrize("groups", [[], ["pilots"], ["poa"], ["system:authenticated"]])
def test_without_a_group_of_the_persona_nobody_approves_and_the_sentence_says_what_to_name(groups: list[str]) -> None:
    reason = void("pat", groups, policy(None, "poa"), spec_of(DEV, PROD, team={"groups": {"admin": ["a"]}}))
    assert reason == "the project names no group of persona poa: name it in spec.team.groups.poa"


def test_a_group_of_the_persona_that_also_builds_decides_nothing() -> None:
    assert "in group Both of the project" in void("pat", ["both"], policy(None, "poa"))


def test_another_projects_pilot_is_shown_at_the_gate_and_opens_nothing() -> None:
    given, spec = policy(None, "poa"), with_groups({"admin": ["team-a"], "poa": ["pilots"]}, {})

    for groups, opens in ((["other-pilots"], False), (["pilots"], True)):
        visa, poa = approved(spec, given, "live", "visa"), approved(spec, given, "live", "poa", groups=groups)
        snapshot = snapshot_of(spec, policy=given, decisions=(*visa, *poa))
        assert {item.environment for item in make_plan(snapshot).building} == ({"dev", "prod"} if opens else {"dev"})
        (gate,) = (gate for gate in told(snapshot)["gates"] if gate["name"] == "live")
        assert bool(gate.get("void")) is not opens


def test_a_rejection_counts_whoever_made_it() -> None:
    given = policy(None, "poa")
    decision = decided("Reject", "boss@x.org", groups=["team-a"], gate="live", approval="poa")
    found = count([decision], SPEC, given, Digests(SPEC, given), NOW, Record())
    assert (found.approvals.rejected, found.void) == ({("live", "poa", ""): decision}, [])
