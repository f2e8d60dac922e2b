"""What the platform offers: only what can be used is, the rest is told, and the old stays until the new is known."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.api.conditions import PolicyChange
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.target import HostingTargetSpec
from onboarding.reconcile.observed.platform import POLICIES, TARGETS, Due, PlatformCatalog
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.observed.validity import RoleState
from tests.unit.snapshots import NOW, POLICY, offer
from tests.unit.snapshots import TARGETS as SPECS
from tests.unit.spec_generator import any_spec

GOOD = POLICY.model_dump(mode="json", by_alias=True)
MAIN, TWIN = (SPECS[name].model_dump(mode="json", by_alias=True) for name in ("main", "twin"))
USABLE = {"onboarding:admin": RoleState.USABLE, "onboarding:viewer": RoleState.USABLE}
CLUSTERS = {"hub": ClusterState(), "site-b/kubeconfig": ClusterState()}


def ready(due: Due) -> tuple[str, str, str]:
    """Return status and reason of a due condition, and its message."""
    condition = next(item for item in due.status["conditions"] if item["type"] == "Ready")
    return due.head.name, f"{condition['status']} {condition['reason']}", condition["message"]


def written(offered: PlatformCatalog, due: Due, version: int) -> dict[str, Any]:
    """Return the object as it is after a status was written."""
    head = due.head
    metadata = {"uid": head.uid, "generation": head.generation, "creationTimestamp": head.created}
    spec = GOOD if head.plural == POLICIES else TWIN
    return {**offer(head.name, spec, version, **metadata), "status": due.status}


@pytest.fixture
def offered() -> PlatformCatalog:
    """Return a policy in force, and a target of two sites."""
    offered = PlatformCatalog()
    offered.put(POLICIES, offer("default", GOOD))
    offered.know_roles(USABLE)
    offered.put(TARGETS, offer("twin", TWIN))
    return offered


def test_a_policy_is_in_force_once_its_roles_are_known() -> None:
    offered = PlatformCatalog()
    assert "OnboardingPolicy default does not exist" in offered.policy("default")[1]
    offered.put(POLICIES, offer("default", GOOD))
    assert offered.policy("default") == (None, "OnboardingPolicy default: its ClusterRoles are being looked up")
    assert offered.unasked_roles() == set(USABLE)
    assert offered.due({}, NOW) == []
    assert offered.know_roles(USABLE)
    assert offered.policy("default") == (POLICY, "")
    assert [ready(due) for due in offered.due({}, NOW)] == [("default", "True Accepted", "it can be used")]


def test_a_changed_policy_is_not_used_before_its_roles_are_known(offered: PlatformCatalog) -> None:
    """Nothing is admitted by a policy whose ClusterRoles cannot be bound, not even for a moment."""
    personas = [{"name": "admin", "clusterRole": "team:admin"}]
    assert not offered.put(POLICIES, offer("default", {**GOOD, "personas": personas}, 2))
    assert offered.policy("default") == (POLICY, "")
    assert offered.unasked_roles() == {"team:admin"}
    assert offered.know_roles({"team:admin": RoleState.UNBINDABLE})
    none, words = offered.policy("default")
    assert none is None
    assert words.startswith("OnboardingPolicy default: spec.personas[0].clusterRole: ")
    assert ready(offered.due(CLUSTERS, NOW)[0])[:2] == ("default", "False Invalid")


def test_a_role_that_could_not_be_given_is_asked_about_again_and_holds_meanwhile(offered: PlatformCatalog) -> None:
    offered.know_roles({"onboarding:admin": RoleState.MISSING})
    offered.doubt_roles()
    assert offered.unasked_roles() == {"onboarding:admin"}
    assert "does not exist" in offered.policy("default")[1]
    assert offered.know_roles(USABLE)
    assert offered.policy("default") == (POLICY, "")


def test_a_policy_that_is_wrong_is_told_at_once_and_asks_for_no_roles(offered: PlatformCatalog) -> None:
    wrong = {**GOOD, "objectCounts": {"resourcequotas": 0}}
    assert offered.put(POLICIES, offer("default", wrong, 2))
    assert offered.policy("default")[1].startswith("OnboardingPolicy default: spec.objectCounts[resourcequotas]: ")
    assert offered.unasked_roles() == set()
    assert offered.put(POLICIES, offer("default", {**GOOD, "stages": []}, 3))
    assert offered.policy("default")[1].startswith("OnboardingPolicy default: spec.stages: ")


def test_a_draft_has_a_status_and_changes_nothing(offered: PlatformCatalog) -> None:
    offered.put(POLICIES, offer("draft", {**GOOD, "sizes": GOOD["sizes"][:1]}))
    offered.know_roles(USABLE)
    assert offered.policy("default") == (POLICY, "")
    assert [ready(due)[:2] for due in offered.due({}, NOW)] == [
        ("default", "True Accepted"),
        ("draft", "True Accepted"),
    ]


def test_a_target_that_is_wrong_is_no_target_and_its_clusters_stay(offered: PlatformCatalog) -> None:
    """What runs there is kept true, so the connection has to stay."""
    assert set(offered.targets) == {"twin"}
    assert offered.put(TARGETS, offer("twin", {**TWIN, "stages": ["qualif"]}, 2))
    assert (offered.targets, offered.sites.clusters()) == ({}, set(CLUSTERS))
    assert offered.target_problems == {"twin": "spec.stages[0]: no policy has a stage qualif; choose one of: dev, prod"}
    offered.put(TARGETS, offer("twin", {"sites": []}, 3))
    assert offered.target_problems["twin"].startswith("spec.sites: ")
    assert offered.sites.clusters() == set(CLUSTERS)
    assert offered.drop(TARGETS, "twin")
    assert (offered.target_problems, offered.sites.clusters()) == ({}, set())


def test_stages_are_compared_with_what_any_policy_has_once_there_is_one() -> None:
    offered = PlatformCatalog()
    offered.put(TARGETS, offer("main", {**MAIN, "stages": ["dev", "qualif"]}))
    assert set(offered.targets) == {"main"}
    qualif = {**GOOD["stages"][0], "name": "qualif"}
    offered.put(POLICIES, offer("draft", {**GOOD, "stages": [*GOOD["stages"], qualif]}))
    offered.put(POLICIES, offer("default", GOOD))
    assert set(offered.targets) == {"main"}
    offered.drop(POLICIES, "draft")
    assert set(offered.target_problems) == {"main"}


def test_of_two_targets_that_clash_the_later_one_is_refused(offered: PlatformCatalog) -> None:
    site = {**TWIN["sites"][1], "kubeconfigSecret": {"name": "other"}}
    earlier, later = "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z"
    offered.put(TARGETS, offer("a", {"sites": [site]}, 1, creationTimestamp=later))
    assert set(offered.target_problems) == {"a"}
    offered.put(TARGETS, offer("z", {"sites": [site]}, 1, creationTimestamp=earlier))
    assert "site s" not in offered.target_problems["twin"]
    assert "site b of target z" in offered.target_problems["twin"]
    assert set(offered.targets) == {"a", "z"}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ClusterState(), "True Accepted"),
        (ClusterState("no answer"), "False TargetUnreachable"),
        (ClusterState(guarded=False), "False GuardMissing"),
        (ClusterState(guarded=False, guard_unknown=True), "False TargetUnreachable"),
        (ClusterState(argocd=False), "True Accepted"),
        (ClusterState("not listed", starting=True), None),
        (None, None),
    ],
)
def test_a_target_tells_of_its_clusters(
    offered: PlatformCatalog, state: ClusterState | None, expected: str | None
) -> None:
    """While a cluster is being connected to nothing is said of it; what was said stays."""
    clusters = {"hub": ClusterState()} | ({"site-b/kubeconfig": state} if state else {})
    found = {name: (told, words) for name, told, words in map(ready, offered.due(clusters, NOW))}
    assert found.get("twin", (None, ""))[0] == expected
    if expected and expected.startswith("False"):
        assert found["twin"][1].startswith("site b")
    assert set(offered.targets) == {"twin"}


def test_a_status_that_is_written_is_not_due_again_and_changes_nothing(offered: PlatformCatalog) -> None:
    for number, due in enumerate(offered.due(CLUSTERS, NOW)):
        answer = written(offered, due, 10 + number)
        assert not offered.put(due.head.plural, answer, is_answer=True)
        assert not offered.put(due.head.plural, answer)
    assert offered.due(CLUSTERS, NOW) == []
    assert offered.policy("default") == (POLICY, "")


def test_a_foreign_hand_on_a_status_makes_it_due_again(offered: PlatformCatalog) -> None:
    (due,) = [due for due in offered.due(CLUSTERS, NOW) if due.head.name == "default"]
    offered.put(POLICIES, written(offered, due, 10), is_answer=True)
    forged = written(offered, due, 11)
    forged["status"] = {**due.status, "conditions": [{**due.status["conditions"][0], "status": "False"}]}
    assert not offered.put(POLICIES, forged)
    assert "default" in [due.head.name for due in offered.due(CLUSTERS, NOW)]


def test_older_news_and_the_answer_of_what_is_gone_are_ignored(offered: PlatformCatalog) -> None:
    offered.put(POLICIES, offer("default", {**GOOD, "stages": []}, 5))
    assert not offered.put(POLICIES, offer("default", GOOD, 4))
    assert offered.policy("default")[0] is None
    assert offered.drop(POLICIES, "default")
    assert not offered.put(POLICIES, offer("default", GOOD, 6), is_answer=True)
    assert "does not exist" in offered.policy("default")[1]


def test_an_object_of_the_same_name_made_anew_is_read_anew(offered: PlatformCatalog) -> None:
    assert offered.put(TARGETS, offer("twin", MAIN, 9, generation=1, uid="another"))
    assert offered.targets == {"twin": SPECS["main"]}


@given(any_spec(OnboardingPolicySpec), any_spec(HostingTargetSpec), st.sampled_from(RoleState))
def test_nothing_that_the_api_server_accepts_breaks_the_operator(policy: Any, target: Any, role: RoleState) -> None:
    """Whatever has the form of its kind is judged, and what cannot be used has a reason."""
    offered = PlatformCatalog()
    offered.put(POLICIES, offer("policy", policy))
    offered.put(TARGETS, offer("target", target))
    offered.know_roles(dict.fromkeys(offered.unasked_roles(), role))
    states = {cluster: ClusterState("x" * 600) for cluster in offered.sites.clusters()}
    due = [ready(item) for item in offered.due(states, NOW)]
    assert len(due) == 2
    assert all(words and len(words) <= 512 for _, _, words in due)
    assert {*offered.targets, *offered.target_problems} == {"target"}


def test_a_site_without_the_role_of_a_persona_is_told_on_its_target(offered: PlatformCatalog) -> None:
    clusters = {
        **CLUSTERS,
        "site-b/kubeconfig": ClusterState(role_problem="ClusterRole team:admin does not exist there"),
    }
    found = [ready(due) for due in offered.due(clusters, NOW) if due.head.plural == TARGETS]
    assert found == [("twin", "False Invalid", "site b: ClusterRole team:admin does not exist there")]
    assert set(offered.targets) == {"twin"}, "what is admitted stays, and other environments open"


CHANGE = PolicyChange(
    generation=2,
    former_generation=1,
    environments_held=1,
    quotas_changed=0,
    projects=1,
    named=("shop",),
    pending=0,
    not_compared=0,
    holds_every_project=True,
)


def policy_with(status: dict[str, Any], version: int) -> dict[str, Any]:
    """Return the policy with this status, its spec as at first."""
    return {**offer("default", GOOD, version, generation=1), "status": status}


def test_the_effect_of_a_change_is_on_its_policy_alone_and_stays_after_a_start(
    offered: PlatformCatalog,
) -> None:
    offered.put(POLICIES, offer("draft", GOOD))
    offered.know_roles(USABLE)
    due = {item.head.name: item for item in offered.due(CLUSTERS, NOW, ("uid-default", CHANGE))}
    assert {name for name, item in due.items() if "lastChange" in item.status} == {"default"}
    status = due["default"].status
    assert status["lastChange"]["named"] == ["shop"]
    offered.put(POLICIES, policy_with(status, 10))
    for change in (("uid-default", CHANGE), ("uid-of-another", CHANGE), None):
        assert "default" not in {item.head.name for item in offered.due(CLUSTERS, NOW, change)}
    # A condition that changes takes nothing away from it.
    offered.doubt_roles()
    offered.know_roles({"onboarding:admin": RoleState.MISSING})
    (written_again,) = [item for item in offered.due(CLUSTERS, NOW) if item.head.name == "default"]
    assert written_again.status["lastChange"] == status["lastChange"]


@pytest.mark.parametrize("forged", [{"lastChange": {"generation": 9}}, {"lastChange": "none"}])
def test_the_effect_of_a_change_that_is_unreadable_is_removed(offered: PlatformCatalog, forged: dict[str, Any]) -> None:
    good = next(item.status for item in offered.due(CLUSTERS, NOW) if item.head.name == "default")
    offered.put(POLICIES, policy_with({**good, **forged}, 10))
    (due,) = [item for item in offered.due(CLUSTERS, NOW) if item.head.name == "default"]
    assert due.status == good


def test_every_generation_of_a_policy_reaches_every_project(offered: PlatformCatalog) -> None:
    """Also one that means the same as the former, or is wrong in the same way: the count of its effect waits for it."""
    offered.put(POLICIES, offer("default", GOOD, 2))
    assert offered.policy_version("default") == ("uid-default", 1, True)
    assert offered.know_roles(USABLE)
    assert offered.policy_version("default") == ("uid-default", 2, True)
    for version in (3, 4):
        assert offered.put(POLICIES, offer("default", {**GOOD, "stages": []}, version))
        assert offered.policy_version("default") == ("uid-default", version, False)
    offered.drop(POLICIES, "default")
    assert offered.policy_version("default") is None
