"""Addresses that a flow to a zone of a shipped profile reaches, judged by a program that shares nothing with ours."""

from typing import Any, Final

import pytest

from onboarding.build.network import build_network_policies
from onboarding.build.revision import Revision
from onboarding.reconcile.admission.resolve import resolve_revisions
from tests.support.networkpolicies import Peer, allowed
from tests.unit.packaging.test_profiles import NAMES, profile
from tests.unit.snapshots import OWNER, environment, inputs_of, spec_of

REACHED: Final = ("1.1.1.1", "8.8.8.8", "81.2.69.142", "198.20.0.1", "2606:4700:4700::1111", "2a00:1450:4007::1")
"""Public addresses, IPv4 and IPv6."""
NEVER: Final = (
    *("0.0.0.0", "10.1.2.3", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254"),
    *(
        "169.254.170.2",
        "169.254.170.23",
        "169.254.42.42",
        "168.63.129.16",
        "172.16.0.1",
        "172.31.255.254",
        "192.0.0.192",
    ),
    *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.254", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1"),
    *(
        "2001::1",
        "2001:0:a00::1",
        "2002:a00:1::1",
        "2002:a9fe:a9fe::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
    ),
    *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:100::100:200", "fd00:42::42"),
    *("fd00:a9fe:a9fe::1", "fe80::1", "fe80::a9fe:a9fe", "fec0::1", "ff02::1"),
)
"""Private and special addresses, metadata services and credentials of providers."""
OWN: Final = {
    "acceleration": ("10.244.1.1", "10.96.0.1", "10.20.8.5"),
    "external-market": ("10.244.1.1", "10.96.0.1", "10.60.8.5"),
    "cloud-pi-np": ("10.200.1.1", "10.203.255.1", "172.30.0.1", "10.31.0.5"),
}
"""Pods, services and nodes of the cluster itself."""
INTERNET: Final = sorted(
    (name, target) for name in NAMES for target, spec in profile(name).targets.items() if spec.network.zone("internet")
)


def policies(name: str, target: str, zone: str, *cidrs: str) -> list[dict[str, Any]]:
    given = profile(name)
    flow = {"name": "out", "zone": zone, "cidrs": cidrs, "port": 6443, "justification": "needed"}
    stage = next(iter(given.targets[target].stages), "dev")
    spec = spec_of(environment(target=target, stage=stage), flows=[flow])
    inputs = inputs_of(spec, policy=given.policy, targets=given.targets)
    revisions = resolve_revisions(inputs, flows_opened=True)
    return [policy for revision in revisions for policy in build_network_policies(OWNER, revision)]


def test_the_profiles_have_targets_with_a_way_to_the_internet() -> None:
    assert {target for _, target in INTERNET} == OWN.keys()


@pytest.mark.parametrize(("name", "target"), INTERNET)
def test_a_flow_to_the_internet_reaches_the_internet_and_nothing_else(name: str, target: str) -> None:
    built = policies(name, target, "internet")
    v6 = any(":" in cidr for zone in profile(name).targets[target].network.zones for cidr in zone.cidrs)
    for address in (*REACHED, *NEVER, *OWN[target]):
        expected = address in REACHED and (v6 or ":" not in address)
        assert allowed(built, Peer(address), 6443) is expected, address
        assert not allowed(built, Peer(address), 443), address


@pytest.mark.parametrize("cidr", ["8.0.0.0/5", "160.0.0.0/3", "2000::/3", "2001::/16", "96.0.0.0/3"])
def test_neither_does_a_part_of_the_internet_that_is_wider(cidr: str) -> None:
    built = policies("cloud-pi-native", "acceleration", "internet", cidr)
    assert [address for address in NEVER if allowed(built, Peer(address), 6443)] == []


def zones() -> list[tuple[str, str, str]]:
    """Return the zones of all shipped targets that name their networks."""
    return sorted(
        (name, target, zone.name)
        for name in NAMES
        for target, spec in profile(name).targets.items()
        for zone in spec.network.zones
        if zone.name != "internet"
    )


@pytest.mark.parametrize(("name", "target", "zone"), zones())
def test_a_zone_that_names_private_networks_reaches_them_and_no_others(name: str, target: str, zone: str) -> None:
    (cidr,) = next(item.cidrs for item in profile(name).targets[target].network.zones if item.name == zone)
    built = policies(name, target, zone)
    first = cidr.partition("/")[0].rpartition(".")[0] + ".77"
    assert allowed(built, Peer(first), 6443)
    reached = {address for address in (*REACHED, *NEVER, *OWN.get(target, ())) if allowed(built, Peer(address), 6443)}
    assert reached == ({"100.64.0.1"} if zone == "rie" else set())


def test_the_servers_of_the_api_are_left_out_of_a_wider_zone_and_stay_reachable_at_their_port() -> None:
    (revision,) = resolve_revisions(
        inputs_of(
            spec_of(
                environment(target="acceleration"),
                flows=[{"name": "out", "zone": "internet", "port": 22, "justification": "needed"}],
            ),
            policy=profile("cloud-pi-native").policy,
            targets=profile("cloud-pi-native").targets,
        )
    )
    server = {"apiServer": {"cidrs": ["51.38.1.0/28"], "port": 6443}}
    network = type(revision.network).model_validate(
        {**revision.network.model_dump(mode="json", by_alias=True, exclude_defaults=True), **server}
    )
    with_server: Revision = revision.with_values(network=network)
    built = build_network_policies(OWNER, with_server)
    assert (allowed(built, Peer("51.38.1.1"), 22), allowed(built, Peer("51.38.2.1"), 22)) == (False, True)
    assert allowed(built, Peer("51.38.1.1"), 6443)
