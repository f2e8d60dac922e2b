"""Declared flows as an environment gets them: from spec and zones to the admitted revision."""

import time
from typing import Any

import pytest

from onboarding.api.hosting import Direction
from onboarding.build.network import build_network_policies
from onboarding.build.place import Place
from onboarding.build.revision import ResolvedFlow, Revision
from onboarding.checks.continuity import MAX_REVISION_BYTES
from tests.unit.flows import HUB, ZONES, built, flow, flows_of, project, target_of
from tests.unit.snapshots import OWNER, environment, spec_of


def test_a_flow_gets_the_networks_of_its_zone() -> None:
    assert flows_of(project(flow("db"))) == (
        ResolvedFlow(name="db", port=5432, zone="postgresql", networks={"10.10.0.0/24": ()}),
    )


def test_a_flow_that_is_narrowed_gets_no_more_than_that() -> None:
    (found,) = flows_of(project(flow("db", cidrs=["10.10.0.7/32"])))
    assert found.networks == {"10.10.0.7/32": ()}


def test_a_wide_zone_leaves_out_the_zones_within_it() -> None:
    """Otherwise a flow to the Internet would lead to the RIE, which the network team has not opened."""
    (found,) = flows_of(project(flow("web", zone="internet")))
    assert found.networks == {"0.0.0.0/0": ("10.0.0.0/8", "100.64.0.0/12"), "::/0": ()}


def test_flows_are_in_the_order_of_their_names() -> None:
    """Another order in the spec is no other revision."""
    flows = [flow("b"), flow("a", cidrs=["10.10.0.7/32", "10.10.0.3/32"]), flow("c", zone="internet")]
    (one,) = built(project(*flows))
    flows[1]["cidrs"].reverse()
    (other,) = built(project(*reversed(flows)))
    assert one.canonical == other.canonical
    assert [found.name for found in one.flows] == ["a", "b", "c"]


def test_a_flow_concerns_the_environments_that_it_names() -> None:
    spec = project(flow("all"), flow("some", environments=["test"]), dev="main", test="main")
    assert [found.name for found in flows_of(spec)] == ["all"]
    assert [found.name for found in flows_of(spec, "test")] == ["all", "some"]


def test_a_change_of_a_zone_that_is_not_used_changes_no_revision() -> None:
    spec = project(flow("db"))
    others = [*ZONES[:3], {"name": "rie", "cidrs": ["192.0.2.0/24"]}, {"name": "s3", "cidrs": ["198.51.100.0/24"]}]
    (before,) = built(spec)
    (after,) = built(spec, targets={"main": target_of(HUB, zones=others)})
    assert before.canonical == after.canonical


def test_a_revision_that_uses_no_flow_is_the_same_as_before_there_were_any() -> None:
    (revision,) = built(project())
    assert b"flows" not in revision.canonical
    assert b"zones" not in revision.canonical
    assert b"flavour" not in revision.canonical


def test_a_revision_is_read_back_as_it_was_written() -> None:
    spec = project(flow("db"), flow("web", zone="internet"), flow("in", environment="test"), dev="main", test="main")
    (revision,) = built(spec)
    again = Revision.parse(revision.canonical.decode())
    assert again.canonical == revision.canonical
    assert build_network_policies(OWNER, again) == build_network_policies(OWNER, revision)


# Attested zones


def test_a_zone_that_wants_an_attestation_is_closed_before() -> None:
    spec = project(flow("agents", zone="rie"), flow("db"))
    assert [found.name for found in flows_of(spec)] == ["db"]
    assert [found.name for found in flows_of(spec, flows_opened=True)] == ["agents", "db"]


def test_an_attestation_that_ends_cuts_nothing_off() -> None:
    spec = project(flow("agents", zone="rie"))
    (before,) = built(spec, flows_opened=True)
    wider = project(flow("agents", zone="rie"), flow("more", zone="rie"))
    (after,) = built(wider, admitted={Place("dev", "hub"): before})
    assert after.flows == before.flows


@pytest.mark.parametrize(
    "changed",
    [{"port": 5433}, {"protocol": "UDP"}, {"direction": "Ingress"}, {"zone": "internal"}, {"name": "other"}],
    ids=lambda changed: next(iter(changed)),
)
def test_another_flow_is_not_what_was_attested(changed: dict[str, Any]) -> None:
    (before,) = built(project(flow("agents", zone="rie")), flows_opened=True)
    zones = [{**zone, "attested": True} for zone in ZONES]
    targets = {"main": target_of(HUB, zones=zones)}
    spec = project(flow("agents", **{"zone": "rie", **changed}))
    assert flows_of(spec, targets=targets, admitted={Place("dev", "hub"): before}) == ()


def test_a_zone_that_grows_wants_another_attestation_and_one_that_shrinks_does_not() -> None:
    spec = project(flow("agents", zone="rie"))
    (before,) = built(spec, flows_opened=True)
    for cidrs, expected in (
        (["100.64.0.0/12", "203.0.113.0/24"], {"100.64.0.0/12": ()}),
        (["100.64.0.0/16"], {"100.64.0.0/16": ()}),
    ):
        zones = [{"name": "rie", "cidrs": cidrs, "attested": True}]
        targets = {"main": target_of(HUB, zones=zones)}
        (found,) = flows_of(spec, targets=targets, admitted={Place("dev", "hub"): before})
        assert found.networks == expected


# Between environments


def test_both_environments_get_their_end() -> None:
    spec = project(flow("search", environment="tools"), dev="main", tools="main")
    assert flows_of(spec) == (ResolvedFlow(name="search", port=5432, peers={"tools": "shop-tools"}),)
    assert flows_of(spec, "tools") == (
        ResolvedFlow(name="search", port=5432, direction=Direction.INGRESS, peers={"dev": "shop-dev"}, answers=True),
    )


def test_an_environment_may_be_called_instead() -> None:
    spec = project(flow("hook", environment="tools", direction="Ingress"), dev="main", tools="main")
    ((near,), (far,)) = flows_of(spec), flows_of(spec, "tools")
    assert (near.direction, far.direction) == (Direction.INGRESS, Direction.EGRESS)


def test_one_end_answers_all_that_need_it_but_itself() -> None:
    spec = project(flow("search", environment="tools"), dev="main", test="main", tools="main", prod="far")
    (far,) = flows_of(spec, "tools")
    assert far.peers == {"dev": "shop-dev", "test": "shop-test"}


def test_an_environment_needs_no_flow_to_itself() -> None:
    spec = project(flow("search", environment="dev", environments=["dev"]))
    assert flows_of(spec) == ()


def test_the_other_environment_is_where_it_says() -> None:
    spec = spec_of(
        environment(target="main"),
        environment("tools", target="main", namespace="old-tools"),
        flows=[flow("search", environment="tools")],
    )
    (near,) = flows_of(spec)
    assert near.peers == {"tools": "old-tools"}


def test_only_what_is_on_the_same_cluster_is_reached() -> None:
    spec = project(flow("search", environment="tools"), dev="twin", tools="far", test="main")
    assert [len(revision.flows) for revision in built(spec)] == [0, 1]
    (answering,) = flows_of(spec, "tools")
    assert answering.peers == {"dev": "shop-dev"}


def test_the_ends_fit_together() -> None:
    """What one namespace opens to the other, the other opens to it: same port, opposite directions."""
    spec = project(flow("search", environment="tools"), dev="main", tools="main")
    ends = [policy["spec"] for name in ("dev", "tools") for policy in _flow_policies(built(spec, name)[0])]
    (egress,), (ingress,) = ends[0]["egress"], ends[1]["ingress"]
    assert egress["ports"] == ingress["ports"] == [{"protocol": "TCP", "port": 5432}]
    labels = [rule[0]["namespaceSelector"]["matchLabels"] for rule in (egress["to"], ingress["from"])]
    assert [item["kubernetes.io/metadata.name"] for item in labels] == ["shop-tools", "shop-dev"]
    assert {item["projectonboarding.io/project-uid"] for item in labels} == {OWNER.uid}


def _flow_policies(revision: Revision) -> list[dict[str, Any]]:
    found = build_network_policies(OWNER, revision)
    return [policy for policy in found if policy["metadata"]["name"].startswith(("flow-", "peer-"))]


def test_a_hundred_flows_of_twenty_environments_are_bounded() -> None:
    """Each fits into a revision, or is found too large; in a time that does not hold up other projects."""
    zones = [{"name": f"z{i}", "cidrs": [f"10.{i}.{j}.0/24" for j in range(50)]} for i in range(20)]
    targets = {"main": target_of(HUB, zones=zones)}
    places = {f"e{i}": "main" for i in range(20)}
    narrow = [f"10.{0}.{j}.{k}/32" for j in range(10) for k in range(2)]
    small = project(*(flow(f"f{i}", environment=f"e{i % 20}") for i in range(100)), **places)
    large = project(*(flow(f"f{i}", zone="z0") for i in range(100)), **places)
    narrowed = project(*(flow(f"f{i}", zone="z0", cidrs=narrow) for i in range(100)), **places)
    began = time.process_time()
    sizes = {
        name: max(len(revision.canonical) for e in places for revision in built(spec, e, targets))
        for name, spec in {"small": small, "large": large, "narrowed": narrowed}.items()
    }
    assert time.process_time() - began < 10
    assert sizes["small"] < MAX_REVISION_BYTES < sizes["large"]
