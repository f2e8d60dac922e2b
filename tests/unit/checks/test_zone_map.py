"""Which zone an address belongs to."""

import random
from ipaddress import ip_address, ip_network

import pytest

from onboarding.api.addresses import Blocks, ZoneMap, network, shared, within, written


def _drawn(dice: random.Random) -> str:
    length = dice.randint(0, 6)
    return f"{ip_address(dice.randrange(2**length) << (32 - length) if length else 0)}/{length}"


@pytest.mark.parametrize("seed", range(100))
def test_every_address_is_in_the_flow_of_the_zone_that_it_belongs_to(seed: int) -> None:
    """Against looking for the narrowest network address by address."""
    dice = random.Random(seed)
    zones = {name: tuple({_drawn(dice) for _ in range(3)}) for name in "abc"}
    owners = ZoneMap(zones.items())
    for first in range(64):
        address = ip_address(first << 26)
        holders = [(network(cidr).prefixlen, name) for name, cidrs in zones.items() for cidr in cidrs
                   if address in network(cidr)]  # fmt: skip
        narrowest = {name for length, name in holders if length == max(holders)[0]}
        assert owners.zones_of(network(f"{address}/32")) == narrowest
        for name, cidrs in zones.items():
            blocks = owners.blocks(name)
            assert _reaches(blocks, first) == (name in narrowest)
            assert _reaches(owners.blocks(name, cidrs), first) == (name in narrowest)


@pytest.mark.parametrize("seed", range(100))
def test_what_is_shared_is_in_both(seed: int) -> None:
    dice = random.Random(seed)
    ours, theirs = (
        {cidr: written(hole for hole in map(network, {_drawn(dice) for _ in range(3)})
                       if within(hole, network(cidr)) and hole != network(cidr))
         for cidr in {_drawn(dice) for _ in range(3)}}
        for _ in range(2)
    )  # fmt: skip
    both = shared(ours, theirs)
    for first in range(64):
        assert _reaches(both, first) == (_reaches(ours, first) and _reaches(theirs, first))


def _reaches(blocks: Blocks, first: int) -> bool:
    address = ip_address(first << 26)
    return any(
        address in ip_network(cidr) and not any(address in ip_network(hole) for hole in excepted)
        for cidr, excepted in blocks.items()
    )
