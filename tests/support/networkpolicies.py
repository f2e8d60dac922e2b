"""Verdict of NetworkPolicies about one connection of a pod, written from the specification of networking.k8s.io/v1.

It shares no code with the builder, so that a fault of one is not a fault of both. Pods at the other end have the labels
of their namespace; pod selectors are read as far as they are empty.
"""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple


class Peer(NamedTuple):
    """The other end of a connection: an address outside of the cluster, or a pod in a namespace with these labels."""

    address: str = ""
    labels: Mapping[str, str] | None = None


def allowed(
    policies: Iterable[Mapping[str, Any]], peer: Peer, port: int, *, direction: str = "Egress", protocol: str = "TCP"
) -> bool:
    """Return whether the NetworkPolicies of a namespace, which select all of its pods, allow a connection."""
    specs = [policy["spec"] for policy in policies]
    assert all(spec["podSelector"] == {} for spec in specs)
    selecting = [spec for spec in specs if direction in _types(spec)]
    return not selecting or any(
        _ports_match(rule.get("ports"), port, protocol) and _peers_match(rule.get(_end(direction)), peer)
        for spec in selecting
        for rule in spec.get(direction.lower()) or ()
    )


def _types(spec: Mapping[str, Any]) -> Iterator[str]:
    yield from spec.get("policyTypes") or ("Ingress", *(["Egress"] if spec.get("egress") else []))


def _end(direction: str) -> str:
    return "to" if direction == "Egress" else "from"


def _ports_match(ports: list[Mapping[str, Any]] | None, port: int, protocol: str) -> bool:
    """Return whether a rule speaks of this port; a rule without ports speaks of all of them."""
    return not ports or any(
        item.get("protocol", "TCP") == protocol
        and ("port" not in item or item["port"] <= port <= item.get("endPort", item["port"]))
        for item in ports
    )


def _peers_match(peers: list[Mapping[str, Any]] | None, peer: Peer) -> bool:
    """Return whether a rule speaks of this peer; a rule without peers speaks of everybody."""
    return not peers or any(_matches(item, peer) for item in peers)


def _matches(item: Mapping[str, Any], peer: Peer) -> bool:
    if "ipBlock" in item:
        return bool(peer.address) and _in_block(item["ipBlock"], ip_address(peer.address))
    if peer.labels is None or "namespaceSelector" not in item:
        return False
    return _selects(item["namespaceSelector"], peer.labels) and not item.get("podSelector")


def _in_block(block: Mapping[str, Any], address: IPv4Address | IPv6Address) -> bool:
    outer, holes = ip_network(block["cidr"]), [ip_network(cidr) for cidr in block.get("except") or ()]
    # The API server refuses a policy otherwise.
    assert all(hole.version == outer.version and hole != outer and hole.subnet_of(outer) for hole in holes)  # type: ignore[arg-type]
    return address in outer and not any(address in hole for hole in holes)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    expressions = selector.get("matchExpressions") or ()
    assert all(item["operator"] == "DoesNotExist" for item in expressions)
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) and not any(
        item["key"] in labels for item in expressions
    )
