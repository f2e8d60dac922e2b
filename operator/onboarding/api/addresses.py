"""Networks of flows: what a CIDR stands for, what no flow ever reaches, and which zone an address belongs to. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from onboarding.api.common import Cidr

Network = IPv4Network | IPv6Network

NEVER_REACHED: Final = tuple(
    ip_network(cidr)
    for cidr in (
        "169.254.0.0/16",  # link-local, and the metadata service of most providers
        "100.100.100.200/32",  # metadata at Alibaba
        "168.63.129.16/32",  # metadata at Azure, under an address that looks public
        "192.0.0.192/32",  # metadata at Oracle
        "fe80::/10",  # link-local
        "fd00:ec2::254/128",  # metadata at Amazon
        "fd00:ec2::23/128",  # credentials of EKS Pod Identity at Amazon
        "fd20:ce::254/128",  # metadata at Google
        "fd00:c1::a9fe:a9fe/128",  # metadata at Oracle
        "fd00:100::100:200/128",  # metadata at Alibaba
        "fd00:42::42/128",  # metadata at Scaleway
        "fd00:a9fe:a9fe::1/128",  # metadata at Akamai
        # The IPv4 addresses above behind NAT64.
        "64:ff9b::a9fe:0/112",
        "64:ff9b::6464:64c8/128",
        "64:ff9b::a83f:8110/128",
        "64:ff9b::c000:c0/128",
    )
)
"""Link-local networks and the metadata services of providers: in no flow, however wide its networks are."""

LEFT_OUT: Final = tuple(
    ip_network(cidr)
    for cidr in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by carriers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private (RFC 1918)
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/3",  # multicast, reserved, and broadcast
        "::/3",  # loopback, IPv4 in IPv6, NAT64 (64:ff9b::/96)
        "2001::/23",  # protocol assignments, such as Teredo
        "2002::/16",  # 6to4, which holds every IPv4 address
        "4000::/2",  # not assigned
        "8000::/1",  # not assigned, private (fc00::/7), link-local, multicast
    )
)
"""Networks that are not globally reachable, by IANA's registries of special-purpose addresses (RFC 6890).

A flow to a wider network leaves them out; a zone that leads there names them, or a part of them. Only 2000::/3 is
assigned to global IPv6 addresses. Networks for documentation lead nowhere, and are not among them.
"""

METADATA: Final = (
    *(ip_network(cidr) for cidr in ("169.254.169.254/32", "169.254.170.0/24")),
    *(item for item in NEVER_REACHED if not item.is_link_local),
)
"""Metadata services and endpoints for credentials of providers, also those with a link-local address."""

Blocks = Mapping[str, tuple[str, ...]]
"""Networks, each with the networks within it that are excepted."""

_NO_ZONE: Final = ""
_MAPPED = IPv6Network("::ffff:0:0/96")


@lru_cache(maxsize=4096)
def network(cidr: str) -> Network:
    """Return the network that a CIDR stands for; ValueError, which says what to write, where it is none."""
    try:
        found = ip_network(cidr, strict=False)
    except ValueError:
        raise ValueError("this is no network: write one such as 10.1.0.0/16 or 2001:db8::/32") from None
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        raise ValueError("this is an IPv4 network in IPv6 notation: write it as IPv4")
    if found.network_address != ip_address(cidr.partition("/")[0]):
        raise ValueError(f"this is an address within a network: write the network, {found}")
    return found


@lru_cache(maxsize=4096)
def _canonical(cidr: str) -> str:
    return str(network(cidr))


NetworkCidr = Annotated[Cidr, AfterValidator(_canonical)]
"""A network, in the one form in which it is written."""


DnsAddress = Annotated[
    str,
    Field(
        max_length=43,
        pattern=r"^(((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(/(3[0-2]|[12]?[0-9]))?"
        r"|[0-9a-fA-F]*:[0-9a-fA-F:]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$",
    ),
    AfterValidator(_canonical),
]
"""An address or a network, kept as a network in its one form."""


def within(inner: Network, outer: Network) -> bool:
    """Return whether all of a network lies within another one of its family."""
    return inner.version == outer.version and inner.prefixlen >= outer.prefixlen and inner.network_address in outer


@lru_cache(maxsize=1024)
def reaches(blocks: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
    """Return whether a flow to these networks, each with the networks excepted from it, reaches an address."""
    return any(_open(network(cidr), [*unreached(network(cidr)), *map(network, excepted)]) for cidr, excepted in blocks)


def unreached(block: Network) -> tuple[Network, ...]:
    """Return what no flow to a network reaches: metadata services, and special networks within it."""
    return (*NEVER_REACHED, *(item for item in LEFT_OUT if item != block and within(item, block)))


def _open(block: Network, holes: Iterable[Network]) -> bool:
    """Return whether a network holds an address that is in none of the holes."""
    found = [hole for hole in holes if within(hole, block) or within(block, hole)]
    if any(within(block, hole) for hole in found):
        return False
    # Holes that lie side by side may fill the network together.
    return list(collapse_addresses(found)) != [block]  # type: ignore[type-var]


def shared(ours: Blocks, theirs: Blocks) -> dict[str, tuple[str, ...]]:
    """Return what two sets of networks have in common, each network with what is excepted from it."""
    found: dict[Network, set[Network]] = {}
    for one, without_one in ours.items():
        for other, without_other in theirs.items():
            excepted = {network(cidr) for cidr in (*without_one, *without_other)}
            for inner in _overlap({network(one)}, {network(other)}):
                if not any(within(inner, hole) for hole in excepted):
                    holes = {hole for hole in excepted if within(hole, inner)}
                    # Found a second time, it misses only what it misses both times.
                    found[inner] = _overlap(found[inner], holes) if inner in found else holes
    return {str(item): written(found[item]) for item in sorted(found, key=_place)}


def _overlap(ours: set[Network], theirs: set[Network]) -> set[Network]:
    """Return what two sets have in common; of two networks, one holds the other or they share nothing."""
    pairs = ((one, other) for one in ours for other in theirs)
    return {one if within(one, other) else other for one, other in pairs if within(one, other) or within(other, one)}


def widest(networks: Iterable[Network]) -> Iterator[Network]:
    """Yield the networks that lie in none of the others."""
    found: Network | None = None
    for item in sorted(set(networks), key=_place):
        if found is None or not within(item, found):
            found = item
            yield item


def written(networks: Iterable[Network]) -> tuple[str, ...]:
    """Return networks as sorted CIDRs, IPv4 first, each once."""
    return tuple(str(item) for item in sorted(set(networks), key=_place))


class ZoneMap:
    """Which zone each address belongs to: where networks of zones lie within each other, the narrowest one counts."""

    def __init__(
        self, zones: Iterable[tuple[str, Iterable[str]]], own: Iterable[str] = (), servers: Iterable[str] = ()
    ) -> None:
        """Make a map of zones, each a name and its CIDRs; a wider zone has none of the cluster's own networks.

        The networks of the API servers are left out when a policy is built: they are part of a revision.
        """
        given = {name: tuple(map(network, cidrs)) for name, cidrs in zones}
        self._servers = [ip_network(cidr, strict=False) for cidr in servers]
        self._names: dict[tuple[int, int, int], set[str]] = {}
        networks: set[Network] = set()
        for name, items in (*given.items(), (_NO_ZONE, tuple(map(network, own)))):
            networks.update(items)
            for item in items:
                self._names.setdefault(_key(item, item.prefixlen), set()).add(name)
        self._networks = sorted(networks, key=_place)
        self._places = [_place(item) for item in self._networks]
        lengths = {(item.version, item.prefixlen) for item in self._networks}
        self._lengths = {version: sorted((n for v, n in lengths if v == version), reverse=True) for version in (4, 6)}
        self._whole = {name: self._blocks(name, networks) for name, networks in given.items()}

    def zones_of(self, wanted: Network) -> frozenset[str]:
        """Return the zones that all of a network belongs to: more than one only where they name the same network.

        None if it is left out of them: it lies in a special network, and they name a wider one.
        """
        left_out = max(_special(wanted), *(item.prefixlen for item in self._servers if within(wanted, item)), 0)
        for length in self._lengths[wanted.version]:
            if length <= wanted.prefixlen and (names := self._names.get(_key(wanted, length))):
                return frozenset(names - {_NO_ZONE}) if length >= left_out else frozenset()
        return frozenset()

    def blocks(self, zone: str, parts: Iterable[str] = ()) -> Blocks:
        """Return the networks of a zone, or parts of it, each with the networks in it that belong to other zones."""
        return self._blocks(zone, map(network, parts)) or self._whole[zone]

    def _blocks(self, zone: str, networks: Iterable[Network]) -> Blocks:
        return {str(item): written(self._of_others(zone, item)) for item in networks}

    def _of_others(self, zone: str, outer: Network) -> Iterator[Network]:
        """Return the networks within this one that belong to other zones; of those within each other, the widest."""
        first = bisect_left(self._places, _place(outer))
        last = bisect_right(self._places, (outer.version, int(outer.broadcast_address), outer.max_prefixlen))
        widest: Network | None = None
        for item in self._networks[first:last]:
            foreign = item.prefixlen > outer.prefixlen and zone not in self._names[_key(item, item.prefixlen)]
            if foreign and (widest is None or not within(item, widest)):
                widest = item
                yield item


@lru_cache(maxsize=4096)
def _special(wanted: Network) -> int:
    """Return the prefix length of the special network that a network lies in; 0 if there is none."""
    return max((item.prefixlen for item in LEFT_OUT if within(wanted, item)), default=0)


def _place(item: Network) -> tuple[int, int, int]:
    return item.version, int(item.network_address), item.prefixlen


def _key(item: Network, length: int) -> tuple[int, int, int]:
    """Return the first bits of a network, as many as asked for, as a key."""
    return item.version, length, int(item.network_address) >> (item.max_prefixlen - length)
