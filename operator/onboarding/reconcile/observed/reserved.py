"""The namespaces that belong to the platform: those of the operator, and those that a HostingTarget names; pure.

The NetworkPolicies of every project admit some of them by name: a project that takes the name would be admitted, too.
"""

from collections.abc import Mapping

from onboarding import names
from onboarding.api.target import HostingTargetSpec


def operators_own(namespace: str) -> dict[str, str]:
    """Return the namespaces of the operator, each with a clause that says so."""
    own = {names.SYNC_NAMESPACE: "the service accounts are there that Argo CD syncs with"}
    return {**own, namespace: "the operator runs there"} if namespace else own


def named_namespaces(target: HostingTargetSpec) -> dict[str, str]:
    """Return the namespaces that a target names, each with the field."""
    network = target.network
    lists = {
        "spec.network.ingressNamespaces": network.ingress_namespaces,
        "spec.network.monitoringNamespaces": network.monitoring_namespaces,
        "spec.network.loggingNamespaces": network.logging_namespaces,
        "spec.network.dns.namespace": (network.dns.namespace,) if network.dns else (),
        "spec.sites[].argocd.namespace": tuple(site.argocd.namespace for site in target.sites),
    }
    return {name: field for field, named in reversed(lists.items()) for name in named}


def reserved_by(targets: Mapping[str, Mapping[str, str]], own: Mapping[str, str]) -> dict[str, str]:
    """Return the reserved namespaces, each with a clause that says whose it is; ``targets`` have theirs by name."""
    named = {
        namespace: f"HostingTarget {target} names it in {field}"
        for target in sorted(targets, reverse=True)
        for namespace, field in targets[target].items()
    }
    return {**named, **own}
