"""Guard rails of others are told, except those that the policy expects."""

import pytest

from onboarding.api.guards import ForeignGuards
from onboarding.checks.guards import Guard, GuardInputs, only_our_guards

OPENSHIFT = [Guard("RoleBinding", f"system:{name}", 1) for name in ("deployers", "image-builders", "image-pullers")]
OLD = Guard("LimitRange", "old-limits", 0xA1)


def message(*found: Guard, expected: list[dict[str, str]] | None = None) -> str:
    rules = ForeignGuards.model_validate({} if expected is None else {"expected": expected})
    finding = only_our_guards.run(GuardInputs("shop-dev", "a", found, rules))
    return finding.message if finding else ""


def test_what_openshift_makes_is_expected_by_default() -> None:
    assert message(*OPENSHIFT) == ""
    assert "RoleBinding shop-dev/system:deployers" in message(*OPENSHIFT, expected=[])


def test_an_object_is_told_with_a_digest_of_its_content() -> None:
    assert message(*OPENSHIFT, OLD) == "made by others: LimitRange shop-dev/old-limits (000000a1)"
    assert message(OLD._replace(digest=0xA2)) != message(OLD)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("old-limits", True), ("old-*", True), ("*", True), ("old", False), ("OLD-*", False), ("o.d-limits", False)],
)
def test_the_policy_lists_by_kind_and_name(name: str, expected: bool) -> None:
    assert (message(OLD, expected=[{"kind": "LimitRange", "name": name}]) == "") is expected
    assert message(OLD, expected=[{"kind": "ResourceQuota", "name": name}]) != ""


def test_several_are_told_in_one_finding() -> None:
    found = [Guard("RoleBinding", f"team-{letter}", 1) for letter in "abcde"]
    assert message(*found).endswith("and 2 more")
