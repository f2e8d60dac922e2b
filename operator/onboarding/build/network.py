"""NetworkPolicies of an environment: default deny both ways, the target's allow rules, and declared flows."""

from functools import lru_cache
from ipaddress import ip_network
from typing import Any, Final

from onboarding import names
from onboarding.api.addresses import network, unreached, widest, within, written
from onboarding.api.hosting import Direction
from onboarding.api.target import ApiServer, Dns, Flavour
from onboarding.build.kinds import NETWORK_POLICY, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.revision import Owner, ResolvedFlow, Revision

OPENSHIFT_INGRESS: Final = {"network.openshift.io/policy-group": "ingress"}
"""Label of OpenShift on the namespaces of its routers."""

_DNS_PORT: Final = 53
"""Port that every resolver in resolv.conf is asked at."""


def build_network_policies(owner: Owner, revision: Revision) -> list[Manifest]:
    """Return the NetworkPolicies of an environment; an allow rule without data in the target is left out."""
    holes = revision.network
    specs: dict[str, dict[str, Any]] = {
        "default-deny": {"policyTypes": ["Ingress", "Egress"]},
        "allow-same-namespace": _same_namespace(),
    }
    if holes.dns:
        specs["allow-dns"] = _dns(holes.dns)
    if holes.api_server:
        specs["allow-api-server"] = _api_server(holes.api_server)
    for name, peers in (
        ("allow-ingress", _named(holes.ingress_namespaces) or _ingress_of(revision.flavour)),
        ("allow-monitoring", _named(holes.monitoring_namespaces)),
        ("allow-logging", _named(holes.logging_namespaces)),
    ):
        if peers:
            specs[name] = {"policyTypes": ["Ingress"], "ingress": [{"from": peers}]}
    for flow in revision.flows:
        if peers := _other_end(owner, flow, holes.api_server.cidrs if holes.api_server else ()):
            specs[_name_of(flow)] = _flow(flow, peers)
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
    """Return the rules for the resolver's pods, and for node-local DNS, which answers at the port of resolv.conf."""
    pods = {
        "namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: dns.namespace}},
        "podSelector": {"matchLabels": dict(dns.pod_labels)} if dns.pod_labels else {},
    }
    egress = [{"to": [pods], "ports": _dns_ports(dns.port)}]
    if dns.addresses:
        nodes = [{"ipBlock": {"cidr": cidr}} for cidr in written(map(network, dns.addresses))]
        egress.append({"to": nodes, "ports": _dns_ports(_DNS_PORT)})
    return {"policyTypes": ["Egress"], "egress": egress}


def _dns_ports(port: int) -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]


def _api_server(server: ApiServer) -> dict[str, Any]:
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in server.cidrs]
    return {
        "policyTypes": ["Egress"],
        "egress": [{"to": peers, "ports": [{"protocol": "TCP", "port": server.port}]}],
    }


def _named(namespaces: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: namespace}}} for namespace in namespaces]


def _ingress_of(flavour: Flavour) -> list[dict[str, Any]]:
    """Return the router namespaces by their label on OpenShift; a project's namespace with this label is excluded."""
    if flavour is not Flavour.OPENSHIFT:
        return []
    ours = {"key": names.LABEL_INSTALLATION, "operator": "DoesNotExist"}
    return [{"namespaceSelector": {"matchLabels": dict(OPENSHIFT_INGRESS), "matchExpressions": [ours]}}]


def _name_of(flow: ResolvedFlow) -> str:
    """Return the name of a flow's NetworkPolicy; its prefix differs at the answering end, so that names are unique."""
    return f"{'peer' if flow.answers else 'flow'}-{flow.name}"


def _flow(flow: ResolvedFlow, peers: list[dict[str, Any]]) -> dict[str, Any]:
    side, end = ("egress", "to") if flow.direction is Direction.EGRESS else ("ingress", "from")
    ports = [{"protocol": flow.protocol.value, "port": flow.port}]
    return {"policyTypes": [flow.direction.value], side: [{end: peers, "ports": ports}]}


def _other_end(owner: Owner, flow: ResolvedFlow, servers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the peers of a flow; if it has none, it gets no policy, because an empty rule would allow everybody."""
    networks = [
        {"ipBlock": {"cidr": cidr} | ({"except": list(excepted)} if excepted else {})}
        for cidr, excepted in _blocks(tuple(flow.networks.items()), servers)
    ]
    return networks + [_environment(owner, namespace) for _, namespace in sorted(flow.peers.items())]


def _environment(owner: Owner, namespace: str) -> dict[str, Any]:
    """Return the peer for an environment of the same project, selected by our labels and not by name alone."""
    labels = {
        names.NAMESPACE_NAME_LABEL: namespace,
        names.LABEL_INSTALLATION: owner.installation,
        names.LABEL_PROJECT_UID: owner.uid,
    }
    return {"namespaceSelector": {"matchLabels": labels}}


@lru_cache(maxsize=1024)
def _blocks(
    networks: tuple[tuple[str, tuple[str, ...]], ...], servers: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the reachable networks, sorted, each with its exceptions; ``servers`` are those of the API servers."""
    excepted = dict(networks)
    own = [ip_network(cidr, strict=False) for cidr in servers]
    found = []
    for cidr in written(map(network, excepted)):
        block = network(cidr)
        holes = {*unreached(block), *map(network, excepted[cidr]), *(item for item in own if item != block)}
        if not any(within(block, hole) for hole in holes if hole not in own):
            found.append((cidr, written(widest(hole for hole in holes if within(hole, block)))))
    return tuple(found)
