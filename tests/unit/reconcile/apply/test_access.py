"""Groups that get access exist, or it is said which do not."""

from typing import Any

from onboarding.api.gates import Actor
from onboarding.api.status import CheckResult
from onboarding.checks import access
from onboarding.checks.inputs import ProjectInputs
from onboarding.checks.probe import GroupFacts, GroupRequest
from tests.unit.running import answered
from tests.unit.snapshots import policy_of, project_inputs, spec_of

FOUND, NONE = answered(GroupFacts(found=True)), answered(GroupFacts(found=False))


def project(answers: dict[str, Any], **groups: list[str]) -> ProjectInputs:
    known = {GroupRequest(group): answer for group, answer in answers.items()}
    return project_inputs(spec_of(team={"groups": groups}), known)


def test_every_group_is_asked_once() -> None:
    inputs = project({}, admin=["b", "a"], viewer=["c", "a"])
    assert list(access.groups_exist.requests_of(inputs)) == [GroupRequest(group) for group in "abc"]


def test_the_identity_provider_is_asked_for_its_own_names() -> None:
    spec = spec_of(team={"groups": {"admin": ["oidc:b", "a"], "viewer": ["b", "corp:a"]}})
    inputs = project_inputs(spec, policy=policy_of(identity={"groupPrefix": "oidc:"}))
    assert list(access.groups_exist.requests_of(inputs)) == [GroupRequest(group) for group in ("a", "b", "corp:a")]
    inputs = project_inputs(spec)
    assert {request.group for request in access.groups_exist.requests_of(inputs)} == {"oidc:b", "a", "b", "corp:a"}


def test_groups_that_exist_pass_and_so_does_a_team_without_any() -> None:
    assert access.groups_exist.run(project({"a": FOUND, "b": FOUND}, admin=["a"], viewer=["b"])) is None
    assert access.groups_exist.run(project({})) is None


def test_groups_that_do_not_exist_are_named_in_order_and_no_more_than_three() -> None:
    groups = ["e", "c", "b", "a", "d", "f"]
    finding = access.groups_exist.run(project({**dict.fromkeys(groups, NONE), "b": FOUND}, admin=groups))
    assert finding is not None
    named = "; ".join(f"group {group} does not exist" for group in "acd")
    assert (finding.message, finding.result) == (f"{named}; and 2 more", CheckResult.FAIL)
    assert access.groups_exist.actor is Actor.PROJECT


def test_a_provider_that_does_not_answer_is_unknown_and_the_platforms() -> None:
    silent = answered(None, "the policy names no identity provider")
    finding = access.groups_exist.run(project({"a": silent}, admin=["a"]))
    assert finding is not None
    assert finding.message == "group a: the policy names no identity provider"
    assert (finding.result, finding.actor) == (CheckResult.UNKNOWN, Actor.PLATFORM)
    assert "probes.identityProvider" in finding.remedy


def test_a_group_that_does_not_exist_comes_before_what_is_not_known() -> None:
    finding = access.groups_exist.run(project({"b": NONE}, admin=["a", "b"]))
    assert finding is not None
    assert finding.message == "group b does not exist"
    finding = access.groups_exist.run(project({"b": FOUND}, admin=["a", "b"]))
    assert finding is not None
    assert (finding.message, finding.result) == ("group a is being asked", CheckResult.PENDING)
