"""Figures of the platform for metrics: as the caches are now, so that nothing stays of what is gone."""

from datetime import timedelta
from typing import Any

import pytest

from onboarding.api.lifetimes import DecisionLimits
from onboarding.api.text import time
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.figures import PlatformFigures, platform_figures
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.observed.validity import RoleState
from tests.unit.snapshots import NOW, POLICY, UID, offer
from tests.unit.snapshots import TARGETS as SPECS

GOOD = POLICY.model_dump(mode="json", by_alias=True)
TWIN = SPECS["twin"].model_dump(mode="json", by_alias=True)
ROLES = {"onboarding:admin": RoleState.USABLE, "onboarding:viewer": RoleState.USABLE}
SHOP = {"metadata": {"name": "shop", "uid": UID, "resourceVersion": "1", "generation": 1}, "spec": {}}


def figures(
    declared: ProjectCache, *, listed: bool = True, limits: DecisionLimits | None = None, **states: ClusterState
) -> PlatformFigures:
    clusters = {
        name.replace("_", "-") + ("" if name == "hub" else "/kubeconfig"): item for name, item in states.items()
    }
    return platform_figures(declared, clusters, NOW, listed=listed, limits=limits)


def waiver(days: float, uid: str = UID) -> DatedDecision:
    return DatedDecision.model_validate(
        {
            "decision": "Waive",
            "project": {"name": "shop", "uid": uid},
            "check": "DomainAllowed",
            "expires": time(NOW + timedelta(days=days)),
            "by": {"username": "pat"},
            "reason": "It is late.",
            "created": time(NOW),
        }
    )


@pytest.fixture
def declared() -> ProjectCache:
    declared = ProjectCache()
    declared.put_project(SHOP)
    return declared


def test_policies_and_targets_are_counted_by_validity(declared: ProjectCache) -> None:
    offered = declared.offered
    offered.put(POLICIES, offer("default", GOOD))
    assert figures(declared).policies == {"Unknown": 1}
    offered.know_roles(ROLES)
    offered.put(POLICIES, offer("broken", {"stages": 1}))
    offered.put(TARGETS, offer("twin", TWIN))
    offered.put(TARGETS, offer("broken", {"sites": []}))
    found = figures(declared, hub=ClusterState(), site_b=ClusterState(problem="away"))
    assert found.policies == {"Accepted": 1, "Invalid": 1}
    assert found.targets == {"TargetUnreachable": 1, "Invalid": 1}
    offered.drop(POLICIES, "broken")
    assert figures(declared).policies == {"Accepted": 1}


STATES: dict[str, ClusterState] = {
    "Ready": ClusterState(),
    "Starting": ClusterState(problem="first list", starting=True),
    "Unreachable": ClusterState(problem="away"),
    "GuardMissing": ClusterState(guarded=False),
}


@pytest.mark.parametrize("state", STATES)
def test_a_site_is_named_by_target_and_site(declared: ProjectCache, state: str) -> None:
    declared.offered.put(TARGETS, offer("twin", TWIN))
    first, second = (site["name"] for site in TWIN["sites"])
    found = figures(declared, hub=ClusterState(), site_b=STATES[state]).sites
    assert found == {("twin", first): "Ready", ("twin", second): state}


def test_a_site_whose_guard_rails_give_no_answer_is_unreachable(declared: ProjectCache) -> None:
    declared.offered.put(TARGETS, offer("twin", TWIN))
    found = figures(declared, hub=ClusterState(guarded=False, guard_unknown=True)).sites
    assert set(found.values()) == {"Unreachable", "Starting"}


def test_decisions_that_expire_soon_are_counted_while_they_count(declared: ProjectCache) -> None:
    ages: dict[str, Any] = {"past": -1, "soon": 3, "later": 20, "far": 90}
    for name, days in ages.items():
        declared.put_decision(name, waiver(days))
    assert figures(declared).expiring == {7: 1, 30: 2}
    assert figures(declared, limits=DecisionLimits(maximum_waiver_days=6)).expiring == {7: 3, 30: 3}
    declared.drop_project("shop")
    assert figures(declared).expiring == {7: 0, 30: 0}


def test_decisions_of_projects_that_are_gone_are_counted_and_named(declared: ProjectCache) -> None:
    declared.put_decision("mine", waiver(3))
    declared.put_decision("former", waiver(3, UID.replace("1", "2")))
    assert (figures(declared).orphans, list(declared.orphans("shop"))) == (1, ["former"])
    declared.drop_project("shop")
    assert (figures(declared).orphans, list(declared.orphans())) == (2, ["former", "mine"])
    assert figures(declared, listed=False).orphans == 0, "projects have not been listed yet"
