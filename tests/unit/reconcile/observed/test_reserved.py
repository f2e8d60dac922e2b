"""The namespaces that HostingTargets name, and the operator's own, as the catalogue keeps them."""

from typing import Any

from onboarding.reconcile.observed.platform import POLICIES, TARGETS, PlatformCatalog
from tests.unit.snapshots import POLICY, offer

NETWORK: dict[str, Any] = {
    "dns": {"namespace": "resolver"},
    "ingressNamespaces": ["edge"],
    "monitoringNamespaces": ["watch"],
    "loggingNamespaces": ["logs"],
}
SPEC: dict[str, Any] = {"sites": [{"name": "a", "argocd": {"namespace": "gitops"}}], "network": NETWORK}
CLAUSES = {
    "project-onboarding-sync": "the service accounts are there that Argo CD syncs with",
    "operators-own": "the operator runs there",
    "resolver": "HostingTarget main names it in spec.network.dns.namespace",
    "edge": "HostingTarget main names it in spec.network.ingressNamespaces",
    "watch": "HostingTarget main names it in spec.network.monitoringNamespaces",
    "logs": "HostingTarget main names it in spec.network.loggingNamespaces",
    "gitops": "HostingTarget main names it in spec.sites[].argocd.namespace",
}


def offered() -> PlatformCatalog:
    catalog = PlatformCatalog("operators-own")
    assert catalog.put(TARGETS, offer("main", SPEC))
    return catalog


def test_every_namespace_that_a_target_names_is_reserved_with_its_field() -> None:
    assert offered().reserved == CLAUSES


def test_a_target_that_cannot_be_used_names_them_too() -> None:
    """It is mended one day, and what runs there trusts them already."""
    catalog = offered()
    catalog.put(POLICIES, offer("default", POLICY.model_dump(mode="json", by_alias=True)))
    other = {**SPEC, "stages": ["moon"], "network": {"ingressNamespaces": ["gate"]}}
    assert catalog.put(TARGETS, offer("far", other))
    assert catalog.targets.keys() == {"main"}
    assert catalog.reserved["gate"] == "HostingTarget far names it in spec.network.ingressNamespaces"


def test_one_that_cannot_be_read_any_more_keeps_those_of_its_last_version() -> None:
    catalog = offered()
    catalog.put(TARGETS, offer("main", {**SPEC, "unheardOf": True}, 2))
    assert catalog.reserved == CLAUSES
    never = PlatformCatalog("operators-own")
    never.put(TARGETS, offer("main", {**SPEC, "unheardOf": True}))
    assert never.reserved.keys() == {"project-onboarding-sync", "operators-own"}


def test_another_name_is_news_for_the_projects_and_one_that_goes_is_free() -> None:
    catalog = offered()
    assert catalog.put(TARGETS, offer("main", {**SPEC, "network": {**NETWORK, "ingressNamespaces": ["gate"]}}, 2))
    assert {"gate", "edge"} & catalog.reserved.keys() == {"gate"}
    assert catalog.drop(TARGETS, "main")
    assert catalog.reserved.keys() == {"project-onboarding-sync", "operators-own"}


def test_of_two_targets_that_name_one_the_first_by_name_is_told() -> None:
    catalog = offered()
    catalog.put(TARGETS, offer("alpha", {**SPEC, "network": {"monitoringNamespaces": ["edge"]}}))
    assert catalog.reserved["edge"] == "HostingTarget alpha names it in spec.network.monitoringNamespaces"
