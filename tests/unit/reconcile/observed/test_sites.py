"""The connections to follow: those of targets, those of deleted targets that a project is on, never a lost one."""

import pytest

from onboarding.api.target import Site
from onboarding.build.kinds import HUB
from onboarding.build.naming import site_finalizer
from onboarding.reconcile.observed.sites import SiteRegistry

NEAR = Site.model_validate({"name": "near"})
FAR = Site.model_validate({"name": "far", "kubeconfigSecret": {"name": "far"}})
ON_FAR = site_finalizer("edge", "far")


@pytest.fixture
def registry() -> SiteRegistry:
    registry = SiteRegistry()
    registry.update([("edge", (NEAR, FAR))])
    return registry


def test_the_connection_of_a_deleted_target_stays_while_a_project_is_on_it(registry: SiteRegistry) -> None:
    assert registry.clusters() == {HUB, "far/kubeconfig"}
    registry.update([])
    assert (registry.clusters(), registry.clusters([ON_FAR])) == (set(), {"far/kubeconfig"})
    assert not registry.known[ON_FAR].declared


def test_a_restored_target_leads_where_it_says(registry: SiteRegistry) -> None:
    registry.update([])
    registry.update([("edge", (Site.model_validate({"name": "far", "kubeconfigSecret": {"name": "new"}}),))])
    assert registry.clusters([ON_FAR]) == {"new/kubeconfig"}


def test_a_lost_cluster_is_not_connected_to_whoever_names_it(registry: SiteRegistry) -> None:
    """A project that is still on it changes nothing, and neither does another target of the same cluster."""
    lost = FAR.model_copy(update={"lost": True})
    registry.update([("edge", (NEAR, lost)), ("other", (FAR,))])
    assert registry.clusters([ON_FAR]) == {HUB}
    registry.update([("edge", (NEAR, FAR))])
    assert registry.clusters() == {HUB, "far/kubeconfig"}


def test_the_hub_is_never_lost(registry: SiteRegistry) -> None:
    """Its target is refused, and what is there stays."""
    registry.update([("edge", (NEAR.model_copy(update={"lost": True}), FAR))])
    assert not registry.known[site_finalizer("edge", "near")].lost
