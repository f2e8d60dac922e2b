"""A project of the Cloud π profile reaches production by no choice of its journey: only by what production asks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import GateState
from onboarding.build.kinds import NAMESPACE
from onboarding.build.revision import Revision
from onboarding.checks.journey import gate_of, journey_in_force, journeys_of, opens_production
from onboarding.reconcile.gates.assignment import GateCheck, gate_checks
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.packaging.test_profiles import FOREVER, Profile, Walk, profile
from tests.unit.snapshots import approved, decided, environment, with_status

REVIEWS = ("SecurityAudited", "HomologationDecided")
LONG, SHORT = ("standard", "accelerated"), ("workshop", "hackathon")
CLOUD_PI = profile("cloud-pi-native")


@dataclass
class Unreviewed(Walk):
    """A project that does all it has to, but for the reviews of security, which nobody attests."""

    def decide(self, status: dict[str, Any]) -> Iterator[Any]:
        at_gates = [item for item in status.get("checks", ()) if "gate" in item]
        waiting = [{**gate, "state": GateState.HELD} for gate in status["gates"] if "waitingFor" in gate]
        asked = super().decide({**status, "checks": at_gates, "gates": waiting})
        return (item for item in asked if item.check not in REVIEWS and item not in self.snapshot.decisions)

    def declare(self, **fields: Any) -> None:
        """Declare a project anew."""
        spec = ProjectOnboardingSpec.model_validate({**self.spec.model_dump(by_alias=True), **fields})
        self.snapshot = replace(self.snapshot, project=replace(self.snapshot.project, spec=spec))

    @property
    def spec(self) -> ProjectOnboardingSpec:
        assert self.snapshot.project.spec is not None
        return self.snapshot.project.spec

    @property
    def there(self) -> set[str]:
        """The gates with an environment in place behind them."""
        admitted = (item.admitted.revision for key, item in self.snapshot.live.items() if key.kind is NAMESPACE)
        places = {(revision.stage, revision.target) for revision in admitted if revision}
        return {gate.name for place in places if (gate := gate_of(self.given.policy, *place))}

    def settle(self) -> dict[str, Any]:
        """Make passes until nothing changes any more; return the status."""
        for _ in range(4 * len(self.given.policy.gates)):
            before, decisions = self.snapshot.project.status, len(self.snapshot.decisions)
            status = self.step()
            if status == before and decisions == len(self.snapshot.decisions):
                return status
        raise AssertionError("the walk does not settle")

    def decided(self, *decisions: Any) -> None:
        """Write decisions of persons who look at the project as it is now."""
        snapshot = self.snapshot
        self.snapshot = with_status(snapshot, snapshot.project.status, decisions=(*snapshot.decisions, *decisions))

    def poa_approves(self) -> None:
        self.decided(*approved(self.spec, self.given.policy, "production", "poa", by="poa", groups=["shop-poa"]))

    def reviewed(self) -> None:
        digests = Digests(self.spec, self.given.policy)
        self.decided(
            *(decided("Attest", "sec", check=item, digest=digests.of_check(item), expires=FOREVER) for item in REVIEWS)
        )


def gates(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {gate["name"]: gate for gate in status["gates"]}


def held(walk: Walk, gate: str) -> set[str]:
    """Return why the environments behind a gate are held; the empty string for one that is not."""
    return {item.reason for item in make_plan(walk.snapshot).environments if item.gate == gate}


def building(walk: Walk) -> dict[tuple[str, str], Revision]:
    return {(item.environment, item.site): item for item in make_plan(walk.snapshot).building}


@pytest.fixture(scope="module")
def unreviewed() -> Unreviewed:
    """A project of the standard journey that waits for the reviews alone."""
    walk = Unreviewed.of(CLOUD_PI)
    status = walk.settle()
    assert status["journey"] == {"name": "standard", "lastGate": "run"}
    assert gates(status)["production"]["state"] == GateState.HELD
    assert walk.there == {"acceleration", "cloud-pi"}
    return walk


@pytest.mark.parametrize("approved", ["before", "after", "never"])
@pytest.mark.parametrize("shorter", SHORT)
def test_a_shorter_journey_opens_nothing_whenever_the_pilot_approves(
    unreviewed: Unreviewed, shorter: str, approved: str
) -> None:
    walk = replace(unreviewed)
    if approved == "before":
        walk.poa_approves()
    walk.declare(journey=shorter)
    if approved == "after":
        walk.poa_approves()
    status = walk.settle()
    assert walk.there == {"acceleration", "cloud-pi"}
    (why,) = held(walk, "production")
    assert (
        why
        == f"journey '{shorter}' (spec.journey) ends at gate acceleration, and gate production opens the environment"
    )
    assert next(item for item in status["conditions"] if item["type"] == "PrerequisitesMet")["status"] == "False"
    assert {
        item["actor"] for item in status["nextActions"] if "set spec.journey to one that reaches gate" in item["action"]
    } == {"project"}
    walk.declare(journey="standard")
    assert gates(walk.settle())["production"]["state"] == GateState.HELD
    assert walk.there == {"acceleration", "cloud-pi"}


@pytest.mark.parametrize("longer", LONG)
@pytest.mark.parametrize("shorter", SHORT)
def test_a_longer_journey_takes_nothing_away_and_opens_nothing_by_itself(shorter: str, longer: str) -> None:
    walk = Unreviewed.of(CLOUD_PI)
    walk.declare(journey=shorter, sponsor=None, objectives=[], organisation=None)
    walk.settle()
    assert walk.there == {"acceleration"}
    walk.poa_approves()
    walk.reviewed()
    walk.declare(journey=longer)
    status = walk.step()
    assert walk.there == {"acceleration"}
    assert {name for name, gate in gates(status).items() if gate["state"] == GateState.OPEN} == {"proposal"}
    assert gates(walk.settle())["acceleration"]["state"] == GateState.PASSED
    assert walk.there == {"acceleration"}
    void = [reason for gate in walk.snapshot.project.status["gates"] for reason in gate.get("void", ())]
    assert any(reason.startswith("Approve production/poa by poa: the fields that it covers") for reason in void)


@pytest.mark.parametrize("shorter", SHORT)
def test_what_is_in_production_stays_and_is_repaired_whichever_journey_follows(
    unreviewed: Unreviewed, shorter: str
) -> None:
    walk = replace(unreviewed)
    walk.reviewed()
    walk.settle()
    assert walk.there == {"acceleration", "cloud-pi", "production"}
    before = building(walk)
    walk.declare(journey=shorter)
    status = walk.settle()
    assert building(walk) == before
    assert status["stage"] == "production"
    assert gates(status)["production"]["state"] == GateState.PASSED
    grown = [{**item.model_dump(by_alias=True), "size": "large"} for item in walk.spec.environments]
    walk.declare(environments=grown)
    walk.settle()
    assert building(walk) == before
    walk.declare(journey="standard", environments=[{**item, "size": None} for item in grown])
    status = walk.settle()
    assert {gate["state"] for gate in status["gates"]} == {GateState.OPEN}
    assert status["summary"]["next"] == "nothing to do"


@pytest.mark.parametrize("journey", SHORT)
def test_behind_the_end_of_a_journey_nobody_is_asked(journey: str) -> None:
    walk = Unreviewed.of(CLOUD_PI)
    walk.declare(journey=journey, environments=[environment("dev", target="acceleration")], flows=[])
    status = walk.settle()
    assert (status["stage"], status["summary"]["next"]) == ("acceleration", "nothing to do")
    assert status["journey"] == {"name": journey, "lastGate": "acceleration"}
    beyond = [gate for gate in status["gates"] if gate["state"] == GateState.BEYOND]
    assert [gate["name"] for gate in beyond] == ["cloud-pi", "audit", "production", "run"]
    assert all(gate.keys() == {"name", "state"} for gate in beyond)
    assert {item["gate"] for item in status.get("checks", ())} <= {gate["name"] for gate in status["gates"][:5]}


@pytest.mark.parametrize("journey", [None, *journeys_of(CLOUD_PI.policy), "sprint"])
def test_no_journey_eases_a_check_from_the_audit_on(journey: str | None) -> None:
    given: Profile = CLOUD_PI
    names = [gate.name for gate in given.policy.gates]
    late = range(names.index("cloud-pi"), len(names))
    checks = gate_checks(given.policy, journey)
    of_all: tuple[GateCheck[Any], ...] = (*checks.of_project, *checks.of_environment, *checks.of_running)
    for item in of_all:
        eased = [override for override, at in item.overrides if override.journey and at & set(late)]
        assert eased == [], item.check.id
    assert {names[item.gate_index] for item in of_all} <= set(names[: journey_in_force(given.policy, journey).last + 1])


def test_the_journeys_that_reach_production_ask_all_that_the_policy_asks() -> None:
    policy = CLOUD_PI.policy
    (gate,) = opens_production(policy)
    place = [item.name for item in policy.gates].index(gate)
    reaching = [name for name in (*journeys_of(policy), "sprint") if journey_in_force(policy, name).last >= place]
    assert reaching == list(LONG)
    for name in reaching:
        checks = gate_checks(policy, name)
        of_all: tuple[GateCheck[Any], ...] = (*checks.of_project, *checks.of_environment, *checks.of_running)
        assert {item.check.id for item in of_all} == {rule.id for rule in policy.checks}
        journey = journey_in_force(policy, name)
        assert all(journey.asked(item) == item.approvals for item in policy.gates)


LARGE = {"cpu": "8", "memory": "16Gi", "ephemeralStorage": "40Gi", "storage": "200Gi", "pods": 100}
SMALL = {"cpu": "2", "memory": "4Gi", "ephemeralStorage": "10Gi", "storage": "20Gi", "pods": 20}
TOO_LARGE: dict[str, tuple[dict[str, Any], str]] = {
    "a size": ({"size": "medium"}, "size 'medium' is above size 'small'"),
    "the default size of the stage": ({"stage": "preprod"}, "size 'medium' is above size 'small'"),
    "resources": ({"resources": LARGE}, "spec.environments[].resources is above size 'small'"),
    "a GPU": ({"resources": {**SMALL, "gpu": 1}}, "gpu 1, at most 0"),
    "pods alone": ({"resources": {**SMALL, "pods": 21}}, "pods 21, at most 20"),
}


@pytest.mark.parametrize(("fields", "words"), TOO_LARGE.values(), ids=TOO_LARGE)
@pytest.mark.parametrize("journey", SHORT)
def test_no_environment_of_a_short_journey_is_above_its_size(journey: str, fields: dict[str, Any], words: str) -> None:
    walk = Unreviewed.of(CLOUD_PI)
    places = [
        environment(name, target="acceleration", **{**fields, **own})
        for name, own in (
            ("one", {}),
            ("two", {}),
            ("fits", {"stage": "dev", "size": "small", "resources": None}),
        )
    ]
    walk.declare(journey=journey, environments=places, flows=[])
    status = walk.settle()
    found = {item["name"]: item.get("held", "") for item in status["environments"]}
    assert found["fits"] == ""
    assert words in found["one"]
    assert words in found["two"]
    assert {item.environment for item in walk.snapshot.live.values()} - {""} == {"fits"}
    walk.declare(journey="standard")
    walk.settle()
    assert "one" in {item.environment for item in walk.snapshot.live.values()} or "gpu" in words
