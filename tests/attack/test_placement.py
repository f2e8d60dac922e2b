"""Attacks on placement, on the Cloud π profile: each is held with a sentence, and takes nothing away."""

from dataclasses import replace
from typing import Any, Final

import pytest

from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import HUB
from onboarding.build.place import cluster_of
from onboarding.build.wanted import build_wanted
from onboarding.checks.catalogue import GATED
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.packaging.test_profile_journeys import Unreviewed
from tests.unit.packaging.test_profiles import COMMIT, FOREVER, profile
from tests.unit.snapshots import OWNER, approved, decided, environment, live_from, snapshot_of, spec_of, told

PROFILE: Final = profile("cloud-pi-native")
RESERVED = {
    **PROFILE.targets,
    "g-cloud": PROFILE.targets["g-cloud"].model_copy(
        update={"reserved_for": HostingTargetSpec.model_validate(
            {"sites": [{"name": "a"}], "reservedFor": {"projects": ["bank"], "organisations": ["Bank"]}}
        ).reserved_for}
    ),
}  # fmt: skip
CLUSTERS = {HUB: ClusterState()} | {
    cluster_of(site): ClusterState() for item in PROFILE.targets.values() for site in item.sites
}
OPENED = "FlowsOpened"
PROD = environment("prod", stage="prod", target="cloud-pi-np")
DEV = environment("dev", target="acceleration")


def declared(*environments: Any, **fields: Any) -> ProjectOnboardingSpec:
    """Return the spec of a project with a group for its pilots."""
    return spec_of(*environments, team={"groups": {"admin": ["shop-admins"], "poa": ["pilots"]}}, **fields)


def world(spec: ProjectOnboardingSpec, **fields: Any) -> Snapshot:
    """Return a world in which every gate is open to a spec."""
    waived = (decided("Waive", check=check.id, expires=FOREVER) for check in GATED)
    named = ((gate.name, item.name) for gate in PROFILE.policy.gates for item in gate.approvals)
    decisions = (*waived, *(item for at in named for item in approved(spec, PROFILE.policy, *at, groups=["pilots"])))
    given = {"policy": PROFILE.policy, "targets": PROFILE.targets, "clusters": CLUSTERS, "decisions": decisions}
    return snapshot_of(spec, **{**given, **fields})


def after(before: ProjectOnboardingSpec, spec: ProjectOnboardingSpec, **fields: Any) -> Snapshot:
    """Return a world in which a spec becomes another one after everything of it was admitted."""
    first = make_plan(world(before))
    assert not first.held
    return world(spec, live=live_from(build_wanted(OWNER, first.building)), **fields)


def held(snapshot: Snapshot, name: str) -> str:
    """Return the sentence that holds an environment; nothing of it is built that was not there."""
    plan = make_plan(snapshot)
    there = {item.name for item in snapshot.live if item.kind.kind == "Namespace"}
    assert {revision.namespace for revision in plan.building} <= there
    shown = next(item for item in told(snapshot)["environments"] if item["name"] == name)
    assert shown["held"]
    return plan.held[name]


NP = {"zone": "NP"}
SENSITIVE: dict[str, tuple[dict[str, Any], str]] = {
    "zone left out": ({}, "has no zone, which counts as the most sensitive one: it demands trust 3"),
    "zone of one's own": ({"zone": "harmless"}, "it demands trust 3, and target 'acceleration' has 1"),
    "zone in other letters": ({"zone": "np"}, "spec.classification.zone is 'np', and target 'acceleration' takes NP"),
    "restricted": ({"zone": "DR"}, "spec.classification.zone is 'DR', and target 'acceleration' takes NP only"),
    "vital": ({**NP, "criticality": "vital"}, "criticality 'vital': it demands trust 2"),
    "personal data": ({**NP, "personalData": True}, "personal data: it demands trust 2"),
}


@pytest.mark.parametrize(("classification", "sentence"), SENSITIVE.values(), ids=SENSITIVE)
def test_sensitive_data_on_an_outside_target(classification: dict[str, Any], sentence: str) -> None:
    found = told(world(declared(DEV, classification=classification)))["checks"]
    assert any(sentence in item["message"] for item in found)
    assert held(world(declared(DEV, classification=classification)), "dev")
    assert make_plan(world(declared(DEV, classification=NP))).held == {}


def test_a_classification_that_gets_worse_keeps_what_is_admitted_and_gets_nothing_new() -> None:
    grown = declared({**DEV, "size": "large"}, classification={"zone": "NP", "personalData": True})
    snapshot = after(declared(DEV, classification=NP), grown)
    assert "it demands trust 2" in held(snapshot, "dev")
    assert [revision.resources.cpu for revision in make_plan(snapshot).building] == ["2"]


WORSE = ({"zone": "DR"}, {"zone": "NP", "criticality": "vital"}, {"zone": "NP", "personalData": True})


@pytest.mark.parametrize("classification", WORSE)
def test_a_classification_is_lowered_after_the_demand_was_agreed_to(classification: dict[str, Any]) -> None:
    walk = Unreviewed.of(PROFILE)
    walk.declare(classification=classification, environments=[DEV], flows=[])
    gates = {gate["name"]: gate for gate in walk.settle()["gates"]}
    assert (gates["awareness"]["state"], walk.there) == ("Open", set())
    walk.declare(classification=NP)
    gates = {gate["name"]: gate for gate in walk.step()["gates"]}
    assert (gates["awareness"]["state"], walk.there) == ("Held", set())
    assert "the fields that it covers have changed since" in gates["awareness"]["void"][0]


def test_a_project_without_a_zone_is_told_to_name_it_before_anybody_agrees() -> None:
    walk = Unreviewed.of(PROFILE)
    walk.declare(classification={}, environments=[DEV], flows=[])
    found = next(item for item in walk.settle()["checks"] if item["id"] == "ClassificationNamed")
    assert (found["gate"], found["result"], found["message"]) == (
        "awareness",
        "Fail",
        "spec.classification.zone says nothing",
    )


def test_production_declares_its_data_fictive() -> None:
    lies = declared({**PROD, "data": "Fictive"}, classification={"zone": "DR"})
    found = {item["id"] for item in told(world(lies))["checks"]}
    assert {"DataNotAllowed", "ZoneNotAllowed", "TrustTooLow"} <= found
    assert held(world(lies), "prod")


def test_data_becomes_real_after_admission() -> None:
    fictive, real = ({**DEV, "data": data, "size": size} for data, size in (("Fictive", "small"), ("Real", "large")))
    restricted = {"classification": {"zone": "DR"}}
    snapshot = after(declared(fictive, **restricted), declared(real, **restricted))
    assert "takes NP only" in held(snapshot, "dev")
    assert [revision.resources.cpu for revision in make_plan(snapshot).building] == ["2"]


def test_the_url_of_an_approved_repository_is_swapped() -> None:
    mine = [{"name": "app", "url": "https://git.example.org/approved", "revision": COMMIT}]
    theirs = [{"name": "app", "url": "https://git.example.org/evil", "revision": COMMIT}]
    before = declared(PROD, repositories=mine, classification=NP)
    swapped = declared(PROD, repositories=theirs, classification=NP)
    snapshot = replace(after(before, swapped), decisions=())
    assert held(snapshot, "prod") == "the change of Configuration waits for approval, see `changes`"
    urls = {item.url for revision in make_plan(snapshot).building for item in revision.repositories}
    assert urls == {"https://git.example.org/approved"}


def test_a_target_that_is_reserved_for_others() -> None:
    spec = declared({**DEV, "target": "g-cloud"}, classification=NP, organisation={"name": "bank"})
    assert held(world(spec, targets=RESERVED), "dev") == "target 'g-cloud' is reserved for other projects"


def test_a_target_that_is_reserved_after_admission_keeps_what_is_there() -> None:
    spec = declared({**DEV, "target": "g-cloud"}, classification=NP)
    snapshot = after(spec, spec, targets=RESERVED)
    assert held(snapshot, "dev") == "target 'g-cloud' is reserved for other projects"
    assert len(make_plan(snapshot).building) == 2


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "10.244.0.0/16", "172.16.0.0/12", "fd00::/8", "64:ff9b::/96"])
def test_a_flow_to_the_internet_names_networks_that_are_private(cidr: str) -> None:
    flow = {"name": "out", "zone": "internet", "cidrs": [cidr], "port": 6443, "justification": "needed"}
    sentence = held(world(declared(DEV, classification=NP, flows=[flow])), "dev")
    assert "not globally reachable" in sentence


def test_a_flow_to_the_network_of_the_state_is_waived_instead_of_opened() -> None:
    """A waiver opens the gate; the network stays closed until the network team says that it has opened it."""
    flow = {"name": "state", "zone": "rie", "port": 443, "justification": "needed"}
    snapshot = world(declared(PROD, classification=NP, flows=[flow], repositories=[]))
    assert OPENED in {item.check for item in snapshot.decisions}
    assert [(item.environment, item.flows) for item in make_plan(snapshot).building] == [("prod", ())]


@pytest.mark.parametrize("before", [["toulouse"], ["paris"]])
def test_flows_that_were_opened_on_one_site_stay_closed_on_another(before: list[str]) -> None:
    flow = {"name": "state", "zone": "rie", "port": 443, "justification": "needed"}
    place = environment("qualif", stage="qualif", target="g-cloud")
    one, both = (
        declared({**place, "sites": sites}, classification=NP, flows=[flow])
        for sites in (before, ["paris", "toulouse"])
    )
    attested = decided("Attest", check=OPENED, digest=Digests(one, PROFILE.policy).of_check(OPENED), expires=FOREVER)

    def opened_on_one(spec: ProjectOnboardingSpec, **fields: Any) -> Snapshot:
        found = world(spec, **fields)
        others = (item for item in found.decisions if item.check != OPENED)
        return replace(found, decisions=(*others, attested))

    first = make_plan(opened_on_one(one))
    assert [[item.name for item in revision.flows] for revision in first.building] == [["state"]]
    for spec in (both, declared(place, classification=NP, flows=[flow])):
        snapshot = opened_on_one(spec, live=live_from(build_wanted(OWNER, first.building)))
        why = make_plan(snapshot).held["qualif"]
        assert why.startswith(f"gate cloud-pi: {OPENED}: flow 'state' with zone 'rie' (needed): nobody")
        assert [(item.site, len(item.flows)) for item in make_plan(snapshot).building] == [(before[0], 1)]
