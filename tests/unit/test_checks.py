"""Each check passes and fails on one thing, says what is known, and names who has to act."""

from collections.abc import Callable
from typing import Any

import pytest

from onboarding.api.status import Actor
from onboarding.checks import access, placement
from onboarding.checks.catalogue import ENVIRONMENT_CHECKS, check_environment
from onboarding.checks.finding import Finding, Inputs
from tests.unit.worlds import POLICY, environment, inputs_of, spec_of

Check = Callable[[Inputs], Finding | None]
NAMED = POLICY.model_copy(update={"allow_namespace_names": True})
BROKEN = POLICY.model_copy(
    update={
        "stages": tuple(
            stage.model_copy(update={"default_size": "vast", "default_target": "nowhere"}) for stage in POLICY.stages
        )
    }
)
RESOURCES = {"cpu": "1", "memory": "1", "ephemeralStorage": "1", "storage": "1", "pods": 1}


def given(policy: Any = POLICY, groups: Any = None, **fields: Any) -> Inputs:
    """Return the inputs of one environment with these fields."""
    spec = spec_of(environment(**fields), team={"groups": groups or {}})
    return inputs_of(spec, policy=policy)


PASSES: dict[str, tuple[Check, Inputs]] = {
    "a stage of the policy": (placement.stage_is_known, given()),
    "the default size": (placement.size_is_known, given()),
    "a size of the policy": (placement.size_is_known, given(size="large")),
    "resources of its own": (placement.size_is_known, given(BROKEN, resources=RESOURCES)),
    "no size where the stage is unknown": (placement.size_is_known, given(stage="moon", size="vast")),
    "the default target": (placement.target_is_known, given()),
    "a target that exists": (placement.target_is_known, given(target="twin")),
    "a target for every stage": (placement.target_takes_stage, given()),
    "a target for this stage": (placement.target_takes_stage, given(stage="prod", target="strict")),
    "all sites": (placement.sites_are_known, given(target="twin")),
    "a site of the target": (placement.sites_are_known, given(target="twin", sites=["b"])),
    "the default namespace": (placement.namespace_name_is_allowed, given()),
    "a namespace that may be named": (placement.namespace_name_is_allowed, given(NAMED, namespace="own")),
    "no groups": (access.personas_are_known, given()),
    "groups of personas": (access.personas_are_known, given(groups={"admin": ["a"], "viewer": ["b"]})),
}
FAILS: dict[str, tuple[Check, Inputs, str, str, Actor]] = {
    "an unknown stage": (placement.stage_is_known, given(stage="moon"), "StageUnknown", "dev, prod", Actor.PROJECT),
    "an unknown size": (placement.size_is_known, given(size="vast"), "SizeUnknown", "large, small", Actor.PROJECT),
    "an unknown default size": (
        placement.size_is_known,
        given(BROKEN),
        "SizeUnknown",
        "large, small",
        Actor.PLATFORM,
    ),
    "an unknown target": (
        placement.target_is_known,
        given(target="nowhere"),
        "TargetUnknown",
        "main, strict, twin",
        Actor.PROJECT,
    ),
    "an unknown default target": (
        placement.target_is_known,
        given(BROKEN),
        "TargetUnknown",
        "main, strict, twin",
        Actor.PLATFORM,
    ),
    "a target for other stages": (
        placement.target_takes_stage,
        given(target="strict"),
        "StageNotAllowedOnTarget",
        "main, twin",
        Actor.PROJECT,
    ),
    "an unknown site": (
        placement.sites_are_known,
        given(target="twin", sites=["b", "z"]),
        "SiteUnknown",
        "a, b",
        Actor.PROJECT,
    ),
    "a namespace that may not be named": (
        placement.namespace_name_is_allowed,
        given(namespace="own"),
        "NamespaceNameNotAllowed",
        "spec.environments[].namespace",
        Actor.PROJECT,
    ),
    "an unknown persona": (
        access.personas_are_known,
        given(groups={"admin": ["a"], "king": ["b"]}),
        "PersonaUnknown",
        "admin, viewer",
        Actor.PROJECT,
    ),
}


@pytest.mark.parametrize(("check", "inputs"), PASSES.values(), ids=PASSES)
def test_a_check_passes(check: Check, inputs: Inputs) -> None:
    assert check(inputs) is None


@pytest.mark.parametrize(("check", "inputs", "identity", "known", "actor"), FAILS.values(), ids=FAILS)
def test_a_check_fails_with_its_remedy(check: Check, inputs: Inputs, identity: str, known: str, actor: Actor) -> None:
    finding = check(inputs)
    assert finding is not None
    assert (finding.id, finding.actor) == (identity, actor)
    assert known in finding.remedy


def test_every_check_of_the_catalogue_is_tried_both_ways() -> None:
    assert (
        {check for check, *_ in PASSES.values()} == {check for check, *_ in FAILS.values()} == set(ENVIRONMENT_CHECKS)
    )


def test_a_finding_names_the_wrong_value() -> None:
    for value, fields in {
        "moon": {"stage": "moon"},
        "vast": {"size": "vast"},
        "z": {"target": "twin", "sites": ["z"]},
    }.items():
        (finding,) = check_environment(given(**fields))
        assert value in finding.message


def test_what_passes_every_check_has_no_finding() -> None:
    assert check_environment(given(groups={"admin": ["a"]})) == []


def test_findings_carry_their_environment_in_the_order_of_the_catalogue() -> None:
    findings = check_environment(given(name="blue", size="vast", namespace="own", groups={"king": ["b"]}))
    assert [(finding.id, finding.environment) for finding in findings] == [
        ("SizeUnknown", "blue"),
        ("NamespaceNameNotAllowed", "blue"),
        ("PersonaUnknown", "blue"),
    ]


def test_where_nothing_exists_the_remedy_says_so() -> None:
    inputs = given(target="strict")
    assert placement.listed([]) == "none exists"
    alone = Inputs(inputs.spec, inputs.environment, inputs.policy, {"strict": inputs.targets["strict"]})
    finding = placement.target_takes_stage(alone)
    assert finding is not None
    assert finding.remedy.endswith("none exists")
