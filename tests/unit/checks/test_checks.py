"""Each check passes and fails on one thing, says what is known, and names who has to act."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api import PROJECT
from onboarding.api.crd import build_crd
from onboarding.api.gates import Actor
from onboarding.checks import access, placement
from onboarding.checks.catalogue import (
    ALWAYS,
    BY_ID,
    GATED,
    OF_APPROVALS,
    OF_DECLARATION,
    OF_GRANTS,
    OF_JOURNEY,
    OF_NAMESPACES,
)
from onboarding.checks.finding import Check, Finding
from onboarding.checks.inputs import EnvironmentDeclaration
from tests.unit.snapshots import POLICY, environment, inputs_of, spec_of

EnvironmentCheck = Check[EnvironmentDeclaration]
NAMED = POLICY.model_copy(update={"allow_namespace_names": True})
BROKEN = POLICY.model_copy(
    update={
        "stages": tuple(
            stage.model_copy(update={"default_size": "vast", "default_target": "nowhere"}) for stage in POLICY.stages
        )
    }
)
RESOURCES = {"cpu": "1", "memory": "1", "ephemeralStorage": "1", "storage": "1", "pods": 1}


def given(policy: Any = POLICY, groups: Any = None, **fields: Any) -> EnvironmentDeclaration:
    """Return the inputs of one environment with these fields."""
    spec = spec_of(environment(**fields), team={"groups": groups or {}})
    return inputs_of(spec, policy=policy)


PASSES: dict[str, tuple[EnvironmentCheck, EnvironmentDeclaration]] = {
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
FAILS: dict[str, tuple[EnvironmentCheck, EnvironmentDeclaration, str, str, Actor]] = {
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
        "main, twin",
        Actor.PROJECT,
    ),
    "an unknown default target": (
        placement.target_is_known,
        given(BROKEN),
        "TargetUnknown",
        "main, twin",
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
def test_a_check_passes(check: EnvironmentCheck, inputs: EnvironmentDeclaration) -> None:
    assert check.run(inputs) is None


@pytest.mark.parametrize(("check", "inputs", "identity", "known", "actor"), FAILS.values(), ids=FAILS)
def test_a_check_fails_with_its_remedy(
    check: EnvironmentCheck, inputs: EnvironmentDeclaration, identity: str, known: str, actor: Actor
) -> None:
    finding = check.run(inputs)
    assert finding is not None
    assert (check.id, finding.actor or check.actor) == (identity, actor)
    assert known in (finding.remedy or check.remedy)


def test_identities_are_unique_and_the_catalogue_says_what_each_check_means() -> None:
    others = (*OF_NAMESPACES, *OF_JOURNEY, *OF_GRANTS, *OF_APPROVALS)
    assert len(BY_ID) == len(ALWAYS) + len(others) + len(GATED)
    for check in BY_ID.values():
        assert check.description.endswith("."), check.id
        assert check.remedy, check.id
        assert not check.remedy.endswith("."), check.id


def test_every_field_that_a_check_reads_exists() -> None:
    schema = build_crd(PROJECT.kind, PROJECT.spec, PROJECT.status)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for check in BY_ID.values():
        for path in check.reads:
            field = schema["properties"]["spec"]
            for part in path.split("."):
                field = field.get("items", field)["properties"][part]


def test_a_finding_names_the_wrong_value() -> None:
    for value, fields in {
        "moon": {"stage": "moon"},
        "vast": {"size": "vast"},
        "z": {"target": "twin", "sites": ["z"]},
    }.items():
        (finding,) = found(given(**fields))
        assert value in finding.message


def found(inputs: EnvironmentDeclaration) -> list[Finding]:
    return [finding for check in OF_DECLARATION if (finding := check.run(inputs))]


def test_what_passes_every_check_has_no_finding() -> None:
    assert found(given(groups={"admin": ["a"]})) == []


def test_where_nothing_exists_the_remedy_says_so() -> None:
    inputs = given(target="strict")
    assert placement.listed([]) == "none exists"
    project = replace(inputs.project, targets={"strict": inputs.targets["strict"]})
    alone = replace(inputs, project=project)
    finding = placement.target_takes_stage.run(alone)
    assert finding is not None
    assert finding.remedy.endswith("none exists")
