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
        "fd20:ce::254/128",  # metadata at Google
    )
)
"""Link-local networks and the metadata services of providers: in no flow, however wide its networks are."""

METADATA: Final = (
    *(ip_network(cidr) for cidr in ("169.254.169.254/32", "169.254.170.0/24", "fd00:ec2::23/128")),
    *(item for item in NEVER_REACHED if not item.is_link_local),
)
"""Metadata services and endpoints for credentials of providers, also those with a link-local address."""

Blocks = Mapping[str, tuple[str, ...]]
"""Networks, each with the networks within it that are excepted."""

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
    return any(_open(network(cidr), [*NEVER_REACHED, *map(network, excepted)]) for cidr, excepted in blocks)


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


def written(networks: Iterable[Network]) -> tuple[str, ...]:
    """Return networks as sorted CIDRs, IPv4 first, each once."""
    return tuple(str(item) for item in sorted(set(networks), key=_place))


class ZoneMap:
    """Which zone each address belongs to: where networks of zones lie within each other, the narrowest one counts."""

    def __init__(self, zones: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Make a map of zones, each a name and its CIDRs."""
        given = {name: tuple(map(network, cidrs)) for name, cidrs in zones}
        self._names: dict[tuple[int, int, int], set[str]] = {}
        for name, networks in given.items():
            for item in networks:
                self._names.setdefault(_key(item, item.prefixlen), set()).add(name)
        self._networks = sorted({item for networks in given.values() for item in networks}, key=_place)
        self._places = [_place(item) for item in self._networks]
        lengths = {(item.version, item.prefixlen) for item in self._networks}
        self._lengths = {version: sorted((n for v, n in lengths if v == version), reverse=True) for version in (4, 6)}
        self._whole = {name: self._blocks(name, networks) for name, networks in given.items()}

    def zones_of(self, wanted: Network) -> frozenset[str]:
        """Return the zones that all of a network belongs to: more than one only where they name the same network."""
        for length in self._lengths[wanted.version]:
            if length <= wanted.prefixlen and (names := self._names.get(_key(wanted, length))):
                return frozenset(names)
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


def _place(item: Network) -> tuple[int, int, int]:
    return item.version, int(item.network_address), item.prefixlen


def _key(item: Network, length: int) -> tuple[int, int, int]:
    """Return the first bits of a network, as many as asked for, as a key."""
    return item.version, length, int(item.network_address) >> (item.max_prefixlen - length)
