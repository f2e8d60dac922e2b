"""What an environment declares to connect to and to be reached under: each check passes and fails on one thing."""

from typing import Any

import pytest

from onboarding.api.hosting import Flow
from onboarding.api.target import HostingTargetSpec
from onboarding.checks import network
from onboarding.checks.catalogue import ALWAYS, OF_ENVIRONMENT, OF_RUNNING
from onboarding.checks.finding import Check
from onboarding.checks.inputs import EnvironmentDeclaration
from tests.unit.snapshots import environment, inputs_of, spec_of

FAR = {"name": "far", "kubeconfigSecret": {"name": "far"}}
ZONES = [
    {"name": "internet", "cidrs": ["0.0.0.0/0", "::/0"]},
    {"name": "internal", "cidrs": ["10.0.0.0/8", "fd00::/8"]},
    {"name": "postgresql", "cidrs": ["10.10.0.0/24"]},
    {"name": "rie", "cidrs": ["100.64.0.0/12"]},
]
SUFFIXES = [
    {"suffix": "gouv.fr", "exposure": "internet"},
    {"suffix": "rie.gouv.fr", "exposure": "rie"},
    {"suffix": "apps.example.org"},
]
TARGETS = {
    name: HostingTargetSpec.model_validate(spec)
    for name, spec in {
        "acceleration": {"sites": [{"name": "a"}], "network": {"zones": ZONES[:1]}},
        "cloud": {"sites": [FAR], "network": {"zones": ZONES}, "domains": SUFFIXES},
        "twin": {"sites": [{"name": "a"}, FAR], "network": {"zones": ZONES}},
        "bare": {"sites": [FAR]},
    }.items()
}
WEB = ("www.shop.gouv.fr", "shop.gouv.fr")


def given(
    *flows: dict[str, Any], target: str = "cloud", others: tuple[Any, ...] = (), **fields: Any
) -> EnvironmentDeclaration:
    """Return the inputs of environment dev on a target; other environments are a name and a target."""
    more = [environment(name, target=place) for name, place in others]
    spec = spec_of(
        environment(target=target, **fields),
        *more,
        flows=[{"port": 443, "justification": "It is needed.", "name": f"flow-{i}", **f} for i, f in enumerate(flows)],
    )
    return inputs_of(spec, targets=TARGETS)


TOOLS = (("tools", "cloud"),)
PASSES: dict[str, tuple[Check[EnvironmentDeclaration], EnvironmentDeclaration]] = {
    "a zone of the target": (network.zones_are_known, given({"zone": "rie"})),
    "no flow": (network.zones_are_known, given(target="bare")),
    "a zone that another environment needs": (
        network.zones_are_known,
        given({"zone": "rie", "environments": ["tools"]}, target="acceleration", others=TOOLS),
    ),
    "a flow to an environment": (network.zones_are_known, given({"environment": "tools"}, target="bare", others=TOOLS)),
    "zones where the target is unknown": (network.zones_are_known, given({"zone": "rie"}, target="nowhere")),
    "the whole zone": (network.flows_stay_in_their_zone, given({"zone": "rie"})),
    "a network of the zone": (network.flows_stay_in_their_zone, given({"zone": "rie", "cidrs": ["100.64.0.0/12"]})),
    "a part of the zone": (
        network.flows_stay_in_their_zone,
        given({"zone": "internet", "cidrs": ["192.0.2.0/24", "2001:db8::1/128"]}),
    ),
    "a part that holds a narrower zone": (
        network.flows_stay_in_their_zone,
        given({"zone": "internal", "cidrs": ["10.10.0.0/16"]}),
    ),
    "more than link-local addresses": (
        network.flows_stay_in_their_zone,
        given({"zone": "internet", "cidrs": ["169.254.0.0/15"]}),
    ),
    "parts of an unknown zone": (network.flows_stay_in_their_zone, given({"zone": "moon", "cidrs": ["10.0.0.0/8"]})),
    "parts where the target is unknown": (
        network.flows_stay_in_their_zone,
        given({"zone": "rie", "cidrs": ["10.0.0.0/8"]}, target="nowhere"),
    ),
    "environments of the project": (
        network.flow_environments_are_known,
        given({"environment": "tools", "environments": ["dev"]}, others=TOOLS),
    ),
    "an environment on the same cluster": (
        network.flows_stay_on_a_cluster,
        given({"environment": "tools"}, others=TOOLS),
    ),
    "an environment that shares one of two clusters": (
        network.flows_stay_on_a_cluster,
        given({"environment": "tools"}, target="twin", others=TOOLS),
    ),
    "another cluster, for another environment": (
        network.flows_stay_on_a_cluster,
        given(
            {"environment": "tools", "environments": ["test"]},
            target="acceleration",
            others=(*TOOLS, ("test", "cloud")),
        ),
    ),
    "an environment whose target is unknown": (
        network.flows_stay_on_a_cluster,
        given({"environment": "tools"}, others=(("tools", "nowhere"),)),
    ),
    "a suffix of the exposure": (network.domains_are_allowed, given(domains=WEB, exposures=["internet"])),
    "the suffix itself": (network.domains_are_allowed, given(domains=["gouv.fr"], exposures=["internet"])),
    "a suffix for all": (network.domains_are_allowed, given(domains=["shop.apps.example.org"])),
    "a suffix of either exposure": (
        network.domains_are_allowed,
        given(domains=["shop.gouv.fr", "shop.rie.gouv.fr"], exposures=["rie", "internet"]),
    ),
    "any suffix": (network.domains_are_allowed, given(domains=["shop.example.net"], target="bare")),
    "no domain": (network.domains_are_allowed, given()),
    "domains where the target is unknown": (network.domains_are_allowed, given(domains=WEB, target="nowhere")),
}
ALLOWED = "use names that end in: apps.example.org, gouv.fr (internet), rie.gouv.fr (rie)"
FAILS: dict[str, tuple[Check[EnvironmentDeclaration], EnvironmentDeclaration, str, str]] = {
    "rie on the acceleration platform": (
        network.zones_are_known,
        given({"zone": "rie"}, target="acceleration"),
        "flow 'flow-0': target 'acceleration' has no network zone rie",
        "choose one of: internet; or a target that has it: cloud, twin",
    ),
    "a zone in other letters": (
        network.zones_are_known,
        given({"zone": "RIE"}, {"zone": "rie"}, {"zone": "RIE"}),
        "flow 'flow-0'; flow 'flow-2': target 'cloud' has no network zone RIE",
        "choose one of: internal, internet, postgresql, rie; or a target that has it: none exists",
    ),
    "a target without zones": (
        network.zones_are_known,
        given({"zone": "internet"}, target="bare"),
        "flow 'flow-0': target 'bare' has no network zone internet",
        "there is none to choose from; or a target that has it: acceleration, cloud, twin",
    ),
    "outside of the zone": (
        network.flows_stay_in_their_zone,
        given({"zone": "postgresql", "cidrs": ["10.10.1.0/24"]}),
        "flow 'flow-0' leads to zone 'postgresql', and 10.10.1.0/24 belongs to zone internal",
        "",
    ),
    "of no zone": (
        network.flows_stay_in_their_zone,
        given({"zone": "internet", "cidrs": ["2001:db8::/32"]}, {"zone": "rie", "cidrs": ["2001:db8::/32"]}),
        "flow 'flow-1' leads to zone 'rie', and 2001:db8::/32 belongs to zone internet",
        "",
    ),
    "wider than the zone": (
        network.flows_stay_in_their_zone,
        given({"zone": "rie", "cidrs": ["100.64.0.0/11"]}),
        "flow 'flow-0' leads to zone 'rie', and 100.64.0.0/11 is no part of it: 100.64.0.0/12",
        "",
    ),
    "a narrower zone by the name of the wide one": (
        network.flows_stay_in_their_zone,
        given({"zone": "internet", "cidrs": ["100.64.1.0/24"]}),
        "flow 'flow-0' leads to zone 'internet', and 100.64.1.0/24 belongs to zone rie",
        "",
    ),
    "the metadata service": (
        network.flows_stay_in_their_zone,
        given({"zone": "internet", "cidrs": ["169.254.169.254/32"]}),
        "flow 'flow-0': 169.254.169.254/32 holds link-local or metadata addresses only, which no flow reaches",
        "",
    ),
    "another environment that is not declared": (
        network.flow_environments_are_known,
        given({"environment": "tools"}, others=(("test", "cloud"),)),
        "flow 'flow-0' names environment tools, which the project does not declare",
        "choose one of: dev, test",
    ),
    "needed by an environment that is not declared": (
        network.flow_environments_are_known,
        given({"zone": "rie", "environments": ["dev", "qa"]}),
        "flow 'flow-0' names environment qa, which the project does not declare",
        "choose one of: dev",
    ),
    "another cluster": (
        network.flows_stay_on_a_cluster,
        given({"environment": "tools"}, target="acceleration", others=TOOLS),
        "flow 'flow-0': environment 'tools' on target 'cloud' shares no cluster with 'dev' on target 'acceleration'",
        "",
    ),
    "a suffix of another exposure": (
        network.domains_are_allowed,
        given(domains=WEB, exposures=["rie"]),
        "target 'cloud' takes no domain shop.gouv.fr; www.shop.gouv.fr for an environment exposed to rie",
        ALLOWED,
    ),
    "no exposure": (
        network.domains_are_allowed,
        given(domains=["shop.gouv.fr"]),
        "target 'cloud' takes no domain shop.gouv.fr for an environment exposed to no network",
        ALLOWED,
    ),
    "only the letters of a suffix": (
        network.domains_are_allowed,
        given(domains=["evilgouv.fr", "gouv.fr.example.net"], exposures=["internet"]),
        "target 'cloud' takes no domain evilgouv.fr; gouv.fr.example.net for an environment exposed to internet",
        ALLOWED,
    ),
}


@pytest.mark.parametrize(("check", "inputs"), PASSES.values(), ids=PASSES)
def test_a_check_passes(check: Check[EnvironmentDeclaration], inputs: EnvironmentDeclaration) -> None:
    assert check.run(inputs) is None


@pytest.mark.parametrize(("check", "inputs", "message", "remedy"), FAILS.values(), ids=FAILS)
def test_a_check_fails_with_what_was_found_and_what_mends_it(
    check: Check[EnvironmentDeclaration], inputs: EnvironmentDeclaration, message: str, remedy: str
) -> None:
    finding = check.run(inputs)
    assert finding is not None
    assert (finding.message, finding.remedy) == (message, remedy)


def test_every_check_is_tried_both_ways_and_is_in_the_catalogue() -> None:
    tried = {check.id for check, *_ in PASSES.values()}
    assert tried == {check.id for check, *_ in FAILS.values()}
    assert tried <= {check.id for check in (*ALWAYS, *OF_ENVIRONMENT)}
    assert {"DomainResolves", "CertificateValid", "EndpointHealthy"} <= {check.id for check in OF_RUNNING}


def test_a_hundred_wrong_flows_make_one_short_finding() -> None:
    inputs = given(*({"zone": f"moon-{i}"} for i in range(100)))
    finding = network.zones_are_known.run(inputs)
    assert finding is not None
    assert finding.message.startswith("flow 'flow-0'; flow 'flow-1'; flow 'flow-10'; and 97 more: ")


@pytest.mark.parametrize(
    ("cidr", "problem"),
    [
        ("10.1.2.3/8", "write the network, 10.0.0.0/8"),
        ("10.01.0.0/16", "this is no network"),
        ("1::2::3/64", "this is no network"),
        ("::ffff:a00:0/104", "write it as IPv4"),
        ("2001:db8::1/32", "write the network, 2001:db8::/32"),
    ],
)
def test_a_cidr_stands_for_one_network(cidr: str, problem: str) -> None:
    """In a flow and in a zone alike; what the pattern of the CRD lets through is refused when it is read."""
    flow = {"name": "f", "zone": "z", "port": 1, "justification": "j", "cidrs": [cidr]}
    with pytest.raises(ValueError, match=problem):
        Flow.model_validate(flow)
    target = {"sites": [{"name": "a"}], "network": {"zones": [{"name": "z", "cidrs": [cidr]}]}}
    with pytest.raises(ValueError, match=problem):
        HostingTargetSpec.model_validate(target)
