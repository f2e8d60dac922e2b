"""Rights by stage that never count, that nobody can have or that a deciding persona must not have are found."""

from typing import Any

import pytest
from pydantic import ValidationError

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.reconcile.observed.persona_rules import role_problems, roles_of
from onboarding.reconcile.observed.policy_rules import policy_problems
from onboarding.reconcile.observed.validity import RoleState
from tests.unit.snapshots import policy_of

DEV, PROD, EVERYWHERE = {"stages": ["dev"]}, {"stages": ["prod"]}, {"argocd": ["get"]}

SYNC = "that of the account that Argo CD syncs with; give the persona another name, or another ClusterRole"


def policy(*rights: Any, **fields: Any) -> OnboardingPolicySpec:
    return policy_of(personas=[{"name": "dev", "rights": rights, **fields}])


GOOD: dict[str, OnboardingPolicySpec] = {
    "one stage, then every other": policy({**DEV, "clusterRole": "onboarding:developer"}, EVERYWHERE),
    "one stage alone": policy(DEV),
    "a stage that an entry names again": policy(DEV, {"stages": ["dev", "prod"]}),
    "a persona that decides and watches": policy({**DEV, "argocd": ["get", "logs"]}, EVERYWHERE, decides=True),
}
BAD: dict[str, tuple[OnboardingPolicySpec, str]] = {
    "an unknown stage": (
        policy({"stages": ["dev", "moon"]}),
        "spec.personas[0].rights[0].stages: there is no stage moon; choose one of: dev, prod",
    ),
    "an entry after one for every stage": (
        policy(EVERYWHERE, PROD),
        "spec.personas[0].rights[1]: it never counts: entries before it have all its stages; remove or move it",
    ),
    "an entry for every stage after one for each": (
        policy(PROD, DEV, EVERYWHERE),
        "spec.personas[0].rights[2]: it never counts: entries before it have all its stages; remove or move it",
    ),
    "a persona whose binding is that of the sync account": (
        policy_of(personas=[{"name": "sync", "rights": [{**DEV, "clusterRole": "onboarding:sync"}]}]),
        f"spec.personas[0].name: the RoleBinding sync:onboarding:sync is {SYNC}",
    ),
    "a persona that decides, and syncs in one stage": (
        policy(DEV, {"argocd": ["sync"]}, decides=True),
        "spec.personas[0].rights[1].argocd: persona dev decides, so it must not have sync; leave only get and logs",
    ),
}


@pytest.mark.parametrize("given", GOOD.values(), ids=GOOD)
def test_sound_rights_are_accepted(given: OnboardingPolicySpec) -> None:
    assert policy_problems(given) == ()


@pytest.mark.parametrize(("given", "problem"), BAD.values(), ids=BAD)
def test_a_fault_is_found_at_its_field(given: OnboardingPolicySpec, problem: str) -> None:
    assert [str(found) for found in policy_problems(given)] == [problem]


@pytest.mark.parametrize("empty", [{"rights": []}, {"rights": [{"stages": []}]}])
def test_an_empty_list_is_not_taken_for_everything(empty: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        policy_of(personas=[{"name": "dev", **empty}])


def test_the_role_of_every_right_has_to_be_bindable() -> None:
    given = policy({**DEV, "clusterRole": "team:dev"}, {**PROD, "clusterRole": "team:prod"})
    assert roles_of(given) == {"team:dev", "team:prod"}
    assert roles_of(policy(EVERYWHERE)) == set()
    (problem,) = role_problems(given, {"team:dev": RoleState.USABLE, "team:prod": RoleState.UNBINDABLE})
    assert problem.field == "spec.personas[0].rights[1].clusterRole"
