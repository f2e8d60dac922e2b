"""Sensitivity is closed by default: which targets take which data, and remedies that name only targets that fit."""

from itertools import product
from typing import Any

import pytest

from onboarding.api.gates import Actor
from onboarding.api.target import HostingTargetSpec
from onboarding.checks import placement, sources, trust
from onboarding.checks.catalogue import OF_DECLARATION
from onboarding.checks.inputs import EnvironmentDeclaration, Former
from onboarding.reconcile.observed.policy_rules import policy_problems
from tests.unit.packaging.test_profiles import profile
from tests.unit.snapshots import NOW, POLICY, SITES, environment, inputs_of, spec_of

PROFILE = profile("cloud-pi-native")
TABLE = [
    {"name": "usual", "zone": "NP", "trust": 1},
    {"name": "restricted", "zone": "DR", "trust": 3},
    {"name": "critical", "criticality": "high", "trust": 2},
    {"name": "personal", "personalData": True, "trust": 2},
]
FIELDS: dict[str, dict[str, Any]] = {f"t{trust}": {"trust": trust} for trust in range(4)}
FIELDS |= {
    "none": {},
    "outside": {"external": True},
    "closed": {"closed": True, "trust": 3},
    "for-shop": {"reservedFor": {"projects": ["shop"]}, "trust": 3},
    "for-shops": {"reservedFor": {"organisations": ["Shops"]}, "trust": 3},
    "for-nobody": {"reservedFor": {}, "trust": 3},
}
TARGETS = {name: HostingTargetSpec.model_validate({"sites": SITES[:1], **fields}) for name, fields in FIELDS.items()}
POLICY_OF_TRUST = type(POLICY).model_validate(
    {
        **POLICY.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "placement": TABLE,
        "territories": [{"name": "FR", "within": ["EU"]}, {"name": "EU", "within": ["EEA"]}, {"name": "DE"}],
        "stages": [
            {"name": "dev", "fictiveData": True, "defaultSize": "small", "defaultTarget": "t0"},
            {"name": "test", "defaultSize": "small", "defaultTarget": "t0"},
            {"name": "prod", "production": True, "fictiveData": True, "defaultSize": "small", "defaultTarget": "t0"},
        ],
    }
)


def given(target: str, classification: Any = None, *, former: Any = (), project: Any = None, **fields: Any) -> Any:
    spec = spec_of(environment(target=target, **fields), classification=classification or {}, **(project or {}))
    inputs = inputs_of(spec, policy=POLICY_OF_TRUST, targets=TARGETS)
    return EnvironmentDeclaration(inputs.project, inputs.environment, "shop-dev", former)


NEEDS: dict[str, tuple[dict[str, Any], int]] = {
    "the usual zone": ({"zone": "NP"}, 1),
    "the restricted zone": ({"zone": "DR"}, 3),
    "no zone": ({}, 3),
    "a zone that nobody knows": ({"zone": "dr"}, 3),
    "medium": ({"zone": "NP", "criticality": "medium"}, 1),
    "high": ({"zone": "NP", "criticality": "high"}, 2),
    "vital, which is more": ({"zone": "NP", "criticality": "vital"}, 2),
    "personal data": ({"zone": "NP", "personalData": True}, 2),
    "the highest counts": ({"zone": "DR", "criticality": "vital", "personalData": True}, 3),
}


@pytest.mark.parametrize(("classification", "least"), NEEDS.values(), ids=NEEDS)
def test_a_target_needs_the_trust_of_the_table(classification: dict[str, Any], least: int) -> None:
    for name in ("none", "t0", "t1", "t2", "t3"):
        finding = trust.target_is_trusted.run(given(name, classification))
        assert (finding is None) == ((TARGETS[name].trust or 0) >= least), name
        if finding:
            wanted = f"it demands trust {least}, and target {name!r} has {TARGETS[name].trust or 0}"
            assert finding.message.endswith(wanted)
            named = {text.strip() for text in finding.remedy.rpartition(": ")[2].split(",")}
            assert named == {
                target for target in ("t1", "t2", "t3", "for-shop") if (TARGETS[target].trust or 0) >= least
            }


def test_a_zone_that_is_left_out_is_said_to_be_the_reason() -> None:
    finding = trust.target_is_trusted.run(given("t1"))
    assert finding is not None
    assert "has no zone, which counts as the most sensitive one" in finding.message
    assert finding.remedy.startswith("set spec.classification.zone, or set data: Fictive")
    assert trust.target_is_trusted.run(inputs_of(spec_of(environment()))) is None


@pytest.mark.parametrize(("stage", "data"), list(product(("dev", "test", "prod"), (None, "None", "Fictive", "Real"))))
def test_fictive_data_goes_anywhere_where_the_policy_permits_it_and_never_in_production(
    stage: str, data: str | None
) -> None:
    inputs = given("t0", {"zone": "DR", "residency": "FR"}, stage=stage, data=data)
    fictive = data in ("None", "Fictive")
    free = fictive and stage == "dev"
    assert (trust.data_is_allowed.run(inputs) is None) == (free or not fictive)
    checks = (trust.target_is_trusted, placement.residency_is_met)
    assert {check.run(inputs) is None for check in checks} == {free}
    zoned = given("outside", {"zone": "DR"}, stage=stage, data=data)
    assert (placement.zone_is_allowed.run(zoned) is None) == free


def test_data_is_covered_by_what_is_attested() -> None:
    """Who audits with fictive data in mind has to look again when it becomes real."""
    for check in OF_DECLARATION:
        if any(field.startswith("classification") for field in check.reads):
            assert "environments.data" in check.reads, check.id


RESIDENCY = {
    ("FR", "FR"): True,
    ("FR", "EU"): True,
    ("FR", "EEA"): True,
    ("EU", "FR"): False,
    ("DE", "EU"): False,
    ("", "EU"): False,
    ("", ""): True,
}


@pytest.mark.parametrize(("pair", "met"), RESIDENCY.items(), ids=str)
def test_residency_is_met_by_a_territory_within(pair: tuple[str, str], *, met: bool) -> None:
    there, wanted = pair
    target = HostingTargetSpec.model_validate({"sites": SITES[:1], "residency": there})
    spec = spec_of(environment(target="t"), classification={"residency": wanted})
    inputs = inputs_of(spec, policy=POLICY_OF_TRUST, targets={"t": target})
    assert (placement.residency_is_met.run(inputs) is None) is met


def test_france_lies_in_europe_unless_the_policy_says_what_lies_where() -> None:
    target = HostingTargetSpec.model_validate({"sites": SITES[:1], "residency": "FR"})
    spec = spec_of(environment(target="t"), classification={"residency": "EU"})
    assert placement.residency_is_met.run(inputs_of(spec, targets={"t": target})) is None


def test_an_outside_target_takes_nothing_that_it_does_not_list() -> None:
    for fields, check in (({"zone": "NP"}, placement.zone_is_allowed), ({}, placement.profile_is_allowed)):
        finding = check.run(given("outside", fields, profile="business"))
        assert finding is not None
        assert finding.message.endswith("target 'outside' takes none")
        assert check.run(given("t3", fields, profile="business")) is None


def test_a_reserved_target_takes_its_projects_and_organisations_alone() -> None:
    shops = {"organisation": {"name": "Shops"}}
    takes = {name: trust.target_is_open_to_the_project.run(given(name)) is None for name in TARGETS}
    assert {name for name, taken in takes.items() if not taken} == {"for-shops", "for-nobody"}
    assert trust.target_is_open_to_the_project.run(given("for-shops", project=shops)) is None
    for other in ({"organisation": {"name": "shops"}}, {"organisation": {"name": "Shops and more"}}):
        finding = trust.target_is_open_to_the_project.run(given("for-shops", project=other))
        assert finding is not None
        assert finding.message == "target 'for-shops' is reserved for other projects"


def test_a_closed_target_keeps_what_is_there() -> None:
    finding = trust.target_takes_new_environments.run(given("closed"))
    assert finding is not None
    assert "'closed' takes no new environment" in finding.message
    assert (
        trust.target_takes_new_environments.run(given("closed", former=(Former("closed", "shop-dev", "dev"),))) is None
    )
    assert (
        trust.target_takes_new_environments.run(given("closed", former=(Former("t1", "shop-dev", "dev"),))) is not None
    )
    by_default = given("closed")
    default = by_default.policy.stages[0].model_copy(update={"default_target": "closed"})
    policy = by_default.policy.model_copy(update={"stages": (default,)})
    found = trust.target_takes_new_environments.run(inputs_of(spec_of(environment()), policy=policy, targets=TARGETS))
    assert found is not None
    assert found.actor is Actor.PLATFORM


ZONES, LEVELS = (None, "NP", "DR", "XX"), ("low", "high", "vital")
CASES = list(product(ZONES, LEVELS, (True, False), ("", "FR", "EU"), (None, "Fictive"), ("dev", "preprod", "prod")))


def test_a_remedy_names_only_targets_that_fit_everything() -> None:
    """On the Cloud π profile: what a remedy names is refused by no check of placement."""
    others = (trust.data_is_allowed, sources.revisions_are_pinned)
    checks = [check for check in OF_DECLARATION if check not in others]
    tried = 0
    for zone, level, personal, residency, data, stage in CASES:
        classification = {"zone": zone, "criticality": level, "personalData": personal, "residency": residency}
        for name in PROFILE.targets:
            fields = {"stage": stage, "exposures": ["internet"], "data": data}
            found = [check.run(_on(name, classification, fields)) for check in checks]
            for finding in filter(None, found):
                for other in set(PROFILE.targets) & {*finding.remedy.replace(",", "").split()}:
                    tried += 1
                    assert not [check.id for check in checks if check.run(_on(other, classification, fields))]
    assert tried > 100


def _on(target: str, classification: Any, fields: Any) -> EnvironmentDeclaration:
    spec = spec_of(environment(target=target, **fields), classification=classification, team={})
    return inputs_of(spec, policy=PROFILE.policy, targets=PROFILE.targets, now=NOW.replace(year=2027))


def test_a_policy_that_permits_fictive_data_in_production_or_repeats_a_rule_is_not_valid() -> None:
    twice = POLICY_OF_TRUST.model_copy(
        update={"placement": POLICY_OF_TRUST.placement[:1] * 2, "territories": POLICY_OF_TRUST.territories[:1] * 2}
    )
    found = {problem.field for problem in policy_problems(twice)}
    assert found >= {"spec.placement[1].name", "spec.territories[1].name", "spec.stages[2].fictiveData"}
