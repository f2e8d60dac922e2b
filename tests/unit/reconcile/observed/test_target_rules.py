"""What is wrong with a target is found at its field, also where it is wrong only beside another."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from onboarding.api.target import HostingTargetSpec
from onboarding.reconcile.observed.target_rules import clashes, stage_problems, target_problems
from tests.unit.snapshots import SITES

Change = Callable[[dict[str, Any]], object]
RIE, WORLD = {"name": "rie", "cidrs": ["10.0.0.0/8", "fd00::/8"]}, {"name": "internet", "cidrs": ["0.0.0.0/0", "::/0"]}


def target(change: Change = lambda _: None) -> HostingTargetSpec:
    """Return a target of two sites after one change."""
    changed = {"sites": deepcopy(SITES)}
    change(changed)
    return HostingTargetSpec.model_validate(changed)


def zones(*found: dict[str, Any]) -> Change:
    return lambda t: t.update(network={"zones": list(found)})


def argocd(**fields: str) -> Change:
    return lambda t: t["sites"][1].update(argocd=fields)


GOOD: dict[str, Change] = {
    "as it is": lambda _: None,
    "both families in one list": lambda t: t.update(network={"apiServer": {"cidrs": ["10.0.0.1/32", "fd00::1/128"]}}),
    "zones beside each other, and the world around them": zones(RIE, WORLD, {"name": "dmz", "cidrs": ["11.0.0.0/8"]}),
    "networks of one zone within each other": zones({"name": "rie", "cidrs": ["10.0.0.0/8", "10.1.0.0/16"]}),
    "the same bits in both families": zones(
        {"name": "a", "cidrs": ["32.1.0.0/16"]}, {"name": "b", "cidrs": ["2001::/16"]}
    ),
    "a contract of one day": lambda t: t.update(contract={"availableFrom": "2026-02-01", "endsOn": "2026-02-01"}),
    "a contract without an end": lambda t: t.update(contract={"availableFrom": "2026-02-01"}),
    "a domain of an exposure that there is": lambda t: t.update(
        exposures=["rie"], domains=[{"suffix": "example.org", "exposure": "rie"}, {"suffix": "example.com"}]
    ),
    "a site that is its own Argo CD's": argocd(location="Site"),
    "node-local DNS": lambda t: t.update(
        network={"dns": {"addresses": ["169.254.20.10", "10.0.0.10/32", "fd00::a", "168.63.130.0/24"]}}
    ),
}
BAD: dict[str, tuple[Change, str, str]] = {
    "a suffix of no host": (
        lambda t: t.update(domains=[{"suffix": "apps..example.org"}]),
        "spec.domains[0].suffix",
        "no host name ends in apps..example.org; write whole labels",
    ),
    "two sites of one name": (lambda t: t["sites"][1].update(name="a"), "spec.sites[1].name", "a is listed twice"),
    "two zones of one name": (
        zones(RIE, {**RIE, "cidrs": ["11.0.0.0/8"]}),
        "spec.network.zones[1].name",
        "rie is listed twice",
    ),
    "two sites on one cluster": (
        lambda t: t["sites"].append({**SITES[1], "name": "c"}),
        "spec.sites[2].kubeconfigSecret",
        "site c is on the same cluster as site b",
    ),
    "the hub is lost": (
        lambda t: t["sites"][0].update(lost=True),
        "spec.sites[0].lost",
        "the operator runs on the hub, which is not lost",
    ),
    "another cluster under the URL of our own": (
        argocd(),
        "spec.sites[1].argocd.destinationServer",
        "https://kubernetes.default.svc is the operator's own cluster",
    ),
    "an API server's network with bits beyond its prefix": (
        lambda t: t.update(network={"apiServer": {"cidrs": ["10.0.0.0/8", "10.0.0.1/24"]}}),
        "spec.network.apiServer.cidrs[1]",
        "10.0.0.1/24: this is an address within a network: write the network, 10.0.0.0/24",
    ),
    "an API server's network of the wrong family": (
        lambda t: t.update(network={"apiServer": {"cidrs": ["::ffff:a00:0/104"]}}),
        "spec.network.apiServer.cidrs[0]",
        "this is an IPv4 network in IPv6 notation",
    ),
    "DNS at a metadata address": (
        lambda t: t.update(network={"dns": {"addresses": ["169.254.20.10", "169.254.169.254"]}}),
        "spec.network.dns.addresses[1]",
        "169.254.169.254/32 holds 169.254.169.254/32, a metadata service; name the address of the resolver alone",
    ),
    "DNS at a network with a metadata address": (
        lambda t: t.update(network={"dns": {"addresses": ["169.254.0.0/16"]}}),
        "spec.network.dns.addresses[0]",
        "169.254.0.0/16 holds 169.254.169.254/32",
    ),
    "DNS at a metadata address of IPv6": (
        lambda t: t.update(network={"dns": {"addresses": ["fd00:ec2::254"]}}),
        "spec.network.dns.addresses[0]",
        "fd00:ec2::254/128 holds fd00:ec2::254/128",
    ),
    "a zone within another": (
        zones(RIE, WORLD, {"name": "db", "cidrs": ["11.0.0.0/8", "10.1.0.0/16"]}),
        "spec.network.zones[2].cidrs[1]",
        "10.1.0.0/16 overlaps with 10.0.0.0/8 of zone rie",
    ),
    "a zone around another": (
        zones({"name": "db", "cidrs": ["fd00:1::/32"]}, RIE),
        "spec.network.zones[1].cidrs[1]",
        "fd00::/8 overlaps with fd00:1::/32 of zone db",
    ),
    "the world as two zones": (
        zones(WORLD, {"name": "outside", "cidrs": ["0.0.0.0/0"]}),
        "spec.network.zones[1].cidrs[0]",
        "0.0.0.0/0 overlaps with 0.0.0.0/0 of zone internet",
    ),
    "an exposure that there is not": (
        lambda t: t.update(exposures=["rie"], domains=[{"suffix": "example.org", "exposure": "rei"}]),
        "spec.domains[0].exposure",
        "the target has no exposure rei; choose one of spec.exposures (rie)",
    ),
    "a day that there is not": (
        lambda t: t.update(contract={"endsOn": "2026-02-30"}),
        "spec.contract.endsOn",
        "2026-02-30 is not a valid date",
    ),
    "an end before the beginning": (
        lambda t: t.update(contract={"availableFrom": "2026-02-02", "endsOn": "2026-02-01"}),
        "spec.contract.endsOn",
        "the contract ends before it begins, on 2026-02-02",
    ),
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_a_target_without_fault_is_accepted(change: Change) -> None:
    assert target_problems(target(change)) == ()


@pytest.mark.parametrize(("change", "field", "words"), BAD.values(), ids=BAD)
def test_a_fault_is_found_at_its_field_and_nowhere_else(change: Change, field: str, words: str) -> None:
    (found,) = target_problems(target(change))
    assert found.field == field
    assert words in str(found)


def test_every_pair_of_zones_that_overlap_is_found_once() -> None:
    """Also in the largest target that can be written, in which every zone names the same networks."""
    cidrs = [f"10.{number}.0.0/16" for number in range(50)]
    found = target_problems(target(zones(*({"name": f"z{number}", "cidrs": cidrs} for number in range(20)))))
    assert len(found) == 20 * 19 / 2


def test_a_stage_that_no_policy_has_is_told_with_those_that_there_are() -> None:
    found = stage_problems(target(lambda t: t.update(stages=["dev", "prdo"])), {"prod", "dev"})
    assert [str(problem) for problem in found] == [
        "spec.stages[1]: no policy has a stage prdo; choose one of: dev, prod"
    ]
    assert stage_problems(target(), {"dev"}) == ()


FAR = "https://far.example.org"


def elder(secret: str | None, **fields: str) -> dict[str, HostingTargetSpec]:
    site = {"name": "s", "argocd": fields} | ({"kubeconfigSecret": {"name": secret}} if secret else {})
    return {"elder": HostingTargetSpec.model_validate({"sites": [site]})}


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({"destinationServer": FAR}, elder("site-b", destinationServer=FAR)),
        ({"destinationServer": FAR}, elder("site-c", destinationServer="https://other.example.org")),
        ({"destinationServer": FAR}, elder("site-c", destinationServer=FAR, namespace="argocd-two")),
        ({"destinationServer": FAR}, elder("site-c", destinationServer=FAR, location="Site")),
        ({"location": "Site"}, elder("site-c", location="Site")),
        ({"location": "Site"}, elder(None)),
    ],
    ids=["same cluster", "other URL", "other Argo CD", "Argo CD on that site", "each on its site", "site and hub"],
)
def test_two_sites_may_have_a_destination_each(mine: dict[str, str], other: dict[str, HostingTargetSpec]) -> None:
    assert clashes(target(argocd(**mine)), other) == ()


@pytest.mark.parametrize("url", [FAR, f"{FAR}:443", "https://FAR.example.org"])
def test_a_destination_that_is_another_cluster_is_refused(url: str) -> None:
    (found,) = clashes(target(argocd(destinationServer=FAR)), elder("site-c", destinationServer=url))
    assert found.field == "spec.sites[1].argocd.destinationServer"
    assert f"{FAR} is the destination of site s of target elder, which is another cluster" in found.rule


def test_a_destination_that_is_another_site_of_the_target_is_refused() -> None:
    sites = [*SITES, {**SITES[1], "name": "c", "kubeconfigSecret": {"name": "site-c"}}]
    (found,) = clashes(target(lambda t: t.update(sites=sites)), {})
    assert (found.field, "site b, which is another cluster" in found.rule) == (
        "spec.sites[2].argocd.destinationServer",
        True,
    )
