"""The NetworkPolicies of an environment: default deny both ways, and the holes that the target's data describe."""

from typing import Any

from onboarding import names
from onboarding.api.target import ApiServer, Dns
from onboarding.build.kinds import NETWORK_POLICY, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.revision import Owner, Revision


def build_network_policies(owner: Owner, revision: Revision) -> list[Manifest]:
    """Return the policies of one environment; where the target has no data for a hole there is none."""
    network = revision.network
    specs: dict[str, dict[str, Any]] = {
        "default-deny": {"policyTypes": ["Ingress", "Egress"]},
        "allow-same-namespace": _same_namespace(),
    }
    if network.dns:
        specs["allow-dns"] = _dns(network.dns)
    if network.api_server:
        specs["allow-api-server"] = _api_server(network.api_server)
    for name, namespaces in (
        ("allow-ingress", network.ingress_namespaces),
        ("allow-monitoring", network.monitoring_namespaces),
        ("allow-logging", network.logging_namespaces),
    ):
        if namespaces:
            specs[name] = _from_namespaces(namespaces)
    return [_policy(owner, revision, name, spec) for name, spec in specs.items()]


def _policy(owner: Owner, revision: Revision, name: str, spec: dict[str, Any]) -> Manifest:
    manifest = head(NETWORK_POLICY, name, ownership_labels(owner, revision), revision.namespace)
    manifest["spec"] = {"podSelector": {}, **spec}
    return manifest


def _same_namespace() -> dict[str, Any]:
    return {
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
        "egress": [{"to": [{"podSelector": {}}]}],
    }


def _dns(dns: Dns) -> dict[str, Any]:
    peer = {
        "namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: dns.namespace}},
        "podSelector": {"matchLabels": dict(dns.pod_labels)} if dns.pod_labels else {},
    }
    ports = [{"protocol": protocol, "port": dns.port} for protocol in ("UDP", "TCP")]
    return {"policyTypes": ["Egress"], "egress": [{"to": [peer], "ports": ports}]}


def _api_server(server: ApiServer) -> dict[str, Any]:
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in server.cidrs]
    return {
        "policyTypes": ["Egress"],
        "egress": [{"to": peers, "ports": [{"protocol": "TCP", "port": server.port}]}],
    }


def _from_namespaces(namespaces: tuple[str, ...]) -> dict[str, Any]:
    peers = [
        {"namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: namespace}}} for namespace in namespaces
    ]
    return {"policyTypes": ["Ingress"], "ingress": [{"from": peers}]}
