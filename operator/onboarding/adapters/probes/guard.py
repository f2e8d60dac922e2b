"""What probes may reach: rules on URLs, host names, ports and addresses. Pure.

A project names the hosts that we ask, so each of them may be an attempt to look at what only we can reach. Names are
checked before they are resolved, and addresses before they are connected to; both again at every redirect.
"""

import ipaddress
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

import httpx

from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.addresses import NEVER_REACHED, Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))+", re.ASCII)
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)$", re.ASCII)
_INTERNAL = (".svc", ".cluster.local", ".localhost")
_URL_LENGTH = 4000
_CLUSTER_PORTS = frozenset({2379, 2380, 6443, *range(10248, 10260)})
"""etcd, the API server, the kubelet and its neighbours."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NEVER = (
    *NEVER_REACHED,
    *map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "192.0.0.0/24",  # protocol assignments
            "224.0.0.0/4",
            "255.255.255.255/32",
            "::/128",
            "fec0::/10",  # what was once site-local
            "ff00::/8",
        ),
    ),
)


def parse_url(text: str) -> httpx.URL:
    """Return an http or https URL whose host and port may be asked; ProbeProblem where not, which never quotes it."""
    if len(text) > _URL_LENGTH or not text.isascii() or not text.isprintable() or {" ", "\\"} & set(text):
        raise ProbeProblem("the URL holds characters that a URL may not hold, or is longer than 4,000 characters")
    try:
        url = httpx.URL(text)
        # Read and left: it decodes a name that begins with xn--, which is refused here and not where it is read next.
        _ = url.host
    except (httpx.InvalidURL, ValueError):
        raise ProbeProblem("the URL cannot be read") from None
    if url.scheme not in {"http", "https"}:
        raise ProbeProblem("only http and https URLs can be asked")
    if url.userinfo or "@" in text.partition("://")[2].partition("/")[0]:
        raise ProbeProblem("the URL holds a login: logins belong into a Secret that the policy names")
    check_host(url.raw_host.decode("ascii"))
    check_port(url.port or (443 if url.scheme == "https" else 80))
    return url


def check_host(host: str) -> None:
    """Raise ProbeProblem for what is neither a full DNS name nor a plain address, or names the cluster's inside."""
    if parse_address(host) is not None:
        return
    if _NUMBER.fullmatch(host.lower().rpartition(".")[2]):
        raise ProbeProblem("an address is written as four decimal numbers, without leading zeros")
    if not _NAME.fullmatch(host.lower()):
        raise ProbeProblem("the host is not a full DNS name: it needs a domain, and no dot at its end")
    if host.lower().endswith(_INTERNAL):
        raise ProbeProblem("the host is a name inside a cluster, which probes do not ask")


def check_port(port: int) -> None:
    """Raise ProbeProblem for ports of other services than those that projects publish."""
    if not (port in {80, 443} or 1024 <= port <= 65535) or port in _CLUSTER_PORTS:
        raise ProbeProblem("this port is not asked: use 80, 443, or one above 1023 that is not Kubernetes' own")


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Which addresses may be connected to."""

    allowed: tuple[Network, ...] = ()
    """Private networks that the policy allows."""
    never: frozenset[Address] = frozenset()
    """Addresses refused whatever the policy says, such as those of the hub's API server."""

    @classmethod
    def of(cls, networks: Collection[str], never: Collection[str] = ()) -> Self:
        """Return the guard for networks and addresses in text, as the policy and the environment write them."""
        return cls(
            tuple(ipaddress.ip_network(text, strict=False) for text in networks),
            frozenset(address for text in never if (address := parse_address(text)) is not None),
        )

    def refusal(self, address: str) -> str:
        """Return why an address may not be connected to; the empty string where it may."""
        parsed = parse_address(address)
        if parsed is None:
            return "its name does not resolve to a plain address"
        forms = tuple(_forms(parsed))
        if any(form in self.never or _within(form, _NEVER) for form in forms):
            return "its address is one that probes never reach, such as link-local or a metadata service"
        # What a network's own NAT64 prefix ends at is known to that network alone.
        if any(_within(form, self.allowed) for form in forms) or (
            _is_public(forms[-1]) and not _within(parsed, (_LOCAL_NAT64,))
        ):
            return ""
        return "its address is private, and the policy's probes.allowedNetworks does not hold it"


def parse_address(text: str) -> Address | None:
    """Return the address that a text is in its plain form; None where it is a name or another way of writing."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def _forms(address: Address) -> Iterator[Address]:
    """Yield an address, and last the IPv4 address that a packet to it ends at, where one is wrapped in it."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    last_four = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64 or address in _LOCAL_NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        yield last_four
    elif (inner := address.ipv4_mapped or address.sixtofour) is not None:
        yield inner
    elif address.teredo is not None:
        yield address.teredo[1]


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
