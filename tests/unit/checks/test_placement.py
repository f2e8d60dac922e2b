"""Where an environment may run: each check passes and fails on one thing, and names the targets that would do."""

from datetime import UTC, datetime
from typing import Any

import pytest

from onboarding.api.gates import Actor
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.checks import placement
from onboarding.checks.catalogue import ALWAYS
from onboarding.checks.finding import Check
from onboarding.checks.inputs import EnvironmentDeclaration
from tests.unit.snapshots import POLICY, environment, inputs_of, spec_of

SITES = [{"name": "a"}]
DATA: dict[str, dict[str, Any]] = {
    "acceleration": {"zones": ["NP"], "residency": "EU", "exposures": ["internet"], "profiles": ["test"]},
    "cloud": {"zones": ["NP", "DR"], "residency": "FR", "exposures": ["internet", "rie"], "profiles": ["business"]},
    "open": {},
    "prod-only": {"stages": ["prod"], "zones": ["DR"], "residency": "FR", "exposures": ["rie"]},
    "market": {"contract": {"availableFrom": "2026-03-01", "endsOn": "2026-03-31"}},
}
TARGETS = {name: HostingTargetSpec.model_validate({"sites": SITES, **fields}) for name, fields in DATA.items()}
JOURNEYS = POLICY.model_copy(update={"journeys": ("standard", "workshop")})


def given(
    target: str = "cloud", *, zone: str | None = None, residency: str = "", now: str = "2026-03-15", **fields: Any
) -> EnvironmentDeclaration:
    """Return the inputs of one environment on a target."""
    own = {key: value for key, value in fields.items() if key != "journey"}
    spec = spec_of(
        environment(target=target, **own),
        classification={"zone": zone, "residency": residency},
        journey=fields.get("journey"),
    )
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return inputs_of(spec, policy=JOURNEYS, targets=TARGETS, now=moment)


PASSES: dict[str, tuple[Check[EnvironmentDeclaration], EnvironmentDeclaration]] = {
    "a zone of the target": (placement.zone_is_allowed, given(zone="DR")),
    "no zone": (placement.zone_is_allowed, given()),
    "a target for every zone": (placement.zone_is_allowed, given("open", zone="DR")),
    "no zone where the target is unknown": (placement.zone_is_allowed, given("nowhere", zone="DR")),
    "data stays where it has to": (placement.residency_is_met, given(residency="FR")),
    "data that may be anywhere": (placement.residency_is_met, given("open")),
    "no residency where the target is unknown": (placement.residency_is_met, given("nowhere", residency="FR")),
    "exposures of the target": (placement.exposures_are_allowed, given(exposures=["internet", "rie"])),
    "no exposure": (placement.exposures_are_allowed, given("open")),
    "no exposure where the target is unknown": (placement.exposures_are_allowed, given("nowhere", exposures=["rie"])),
    "a profile of the target": (placement.profile_is_allowed, given(profile="business")),
    "no profile": (placement.profile_is_allowed, given()),
    "a target for every profile": (placement.profile_is_allowed, given("open", profile="test")),
    "a target without a contract": (placement.contract_is_in_force, given()),
    "the first day": (placement.contract_is_in_force, given("market", now="2026-03-01")),
    "the last day": (placement.contract_is_in_force, given("market", now="2026-03-31T23:59:59")),
    "a contract where the target is unknown": (placement.contract_is_in_force, given("nowhere")),
    "a journey of the policy": (placement.journey_is_known, given(journey="workshop")),
    "no journey": (placement.journey_is_known, given()),
}
FAILS: dict[str, tuple[Check[EnvironmentDeclaration], EnvironmentDeclaration, str, str]] = {
    "a zone of others": (
        placement.zone_is_allowed,
        given("acceleration", zone="DR"),
        "spec.classification.zone is 'DR', and target 'acceleration' takes NP only",
        "choose a target that takes it: cloud, market, open",
    ),
    "a zone in other letters": (
        placement.zone_is_allowed,
        given(zone="np"),
        "spec.classification.zone is 'np', and target 'cloud' takes DR, NP only",
        "choose a target that takes it: market, open",
    ),
    "data would leave": (
        placement.residency_is_met,
        given("acceleration", residency="FR"),
        "spec.classification.residency is 'FR', and target 'acceleration' promises 'EU'",
        "choose a target that does: cloud",
    ),
    "nothing is promised": (
        placement.residency_is_met,
        given("open", residency="FR"),
        "spec.classification.residency is 'FR', and target 'open' promises nothing",
        "choose a target that does: cloud",
    ),
    "rie on the acceleration platform": (
        placement.exposures_are_allowed,
        given("acceleration", exposures=["rie", "internet"]),
        "spec.environments[].exposures names rie, and target 'acceleration' offers internet only",
        "remove it, or choose a target that offers it: cloud",
    ),
    "a target that exposes nothing": (
        placement.exposures_are_allowed,
        given("open", exposures=["internet"]),
        "spec.environments[].exposures names internet, and target 'open' exposes nothing",
        "remove it, or choose a target that offers it: acceleration, cloud",
    ),
    "an exposure in other letters": (
        placement.exposures_are_allowed,
        given(exposures=["RIE"]),
        "spec.environments[].exposures names RIE, and target 'cloud' offers internet, rie only",
        "remove it, or choose a target that offers it: none exists",
    ),
    "a profile of others": (
        placement.profile_is_allowed,
        given("acceleration", profile="business"),
        "spec.environments[].profile is 'business', and target 'acceleration' takes test only",
        "choose a target that takes it: cloud, market, open",
    ),
    "before the contract": (
        placement.contract_is_in_force,
        given("market", now="2026-02-28T23:59:59"),
        "target 'market' is available from 2026-03-01",
        "",
    ),
    "after the contract": (
        placement.contract_is_in_force,
        given("market", now="2026-04-01"),
        "the contract of target 'market' ended on 2026-03-31",
        "",
    ),
    "an unknown journey": (
        placement.journey_is_known,
        given(journey="sprint"),
        "spec.journey 'sprint' is not in the policy",
        "choose one of: standard, workshop; or leave spec.journey out",
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


def test_every_one_of_these_always_holds() -> None:
    """Whatever the policy says, and each is tried both ways."""
    tried = [check.id for check, *_ in PASSES.values()]
    assert set(tried) == {check.id for check, *_ in FAILS.values()}
    assert set(tried) <= {check.id for check in ALWAYS}


def test_a_contract_is_the_platforms_matter() -> None:
    assert placement.contract_is_in_force.actor is Actor.PLATFORM


def test_look_alike_names_are_refused_where_they_are_written() -> None:
    """A Cyrillic letter in a zone, an exposure or a profile never reaches a comparison."""
    for fields in ({"exposures": ["ri\u0435"]}, {"profile": "t\u0435st"}):
        with pytest.raises(ValueError, match="pattern"):
            spec_of(environment(**fields))
    with pytest.raises(ValueError, match="pattern"):
        ProjectOnboardingSpec.model_validate(
            {"owner": {"name": "a", "email": "a@b.c"}, "classification": {"zone": "N\u0420"}}
        )
