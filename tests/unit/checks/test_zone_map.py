"""Which zone an address belongs to."""

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from onboarding.api.addresses import LEFT_OUT, Blocks, ZoneMap, network, shared, within, written


@st.composite
def _cidrs(draw: st.DrawFn) -> str:
    length = draw(st.integers(0, 6))
    return f"{ip_address(draw(st.integers(0, 2**length - 1)) << (32 - length))}/{length}"


SETS = st.sets(_cidrs(), min_size=1, max_size=3)


@given(st.fixed_dictionaries(dict.fromkeys("abc", SETS.map(tuple))))
def test_every_address_is_in_the_flow_of_the_zone_that_it_belongs_to(zones: dict[str, tuple[str, ...]]) -> None:
    """Against looking for the narrowest network address by address."""
    owners = ZoneMap(zones.items())
    for first in range(64):
        address = ip_address(first << 26)
        holders = [(network(cidr).prefixlen, name) for name, cidrs in zones.items() for cidr in cidrs
                   if address in network(cidr)]  # fmt: skip
        narrowest = {name for length, name in holders if length == max(holders)[0]}
        special = max((item.prefixlen for item in LEFT_OUT if item.version == 4 and address in item), default=0)
        named = narrowest and max(holders)[0] >= special
        assert owners.zones_of(network(f"{address}/32")) == (narrowest if named else set())
        for name, cidrs in zones.items():
            blocks = owners.blocks(name)
            assert _reaches(blocks, first) == (name in narrowest)
            assert _reaches(owners.blocks(name, cidrs), first) == (name in narrowest)


def _holed(drawn: dict[str, set[str]]) -> Blocks:
    """Return blocks with those of the holes that lie within them."""
    return {
        cidr: written(hole for hole in map(network, holes) if within(hole, network(cidr)) and hole != network(cidr))
        for cidr, holes in drawn.items()
    }


BLOCKS = st.dictionaries(_cidrs(), SETS, min_size=1, max_size=3).map(_holed)


@given(BLOCKS, BLOCKS)
def test_what_is_shared_is_in_both(ours: Blocks, theirs: Blocks) -> None:
    both = shared(ours, theirs)
    for first in range(64):
        assert _reaches(both, first) == (_reaches(ours, first) and _reaches(theirs, first))


def _reaches(blocks: Blocks, first: int) -> bool:
    address = ip_address(first << 26)
    return any(
        address in ip_network(cidr) and not any(address in ip_network(hole) for hole in excepted)
        for cidr, excepted in blocks.items()
    )
