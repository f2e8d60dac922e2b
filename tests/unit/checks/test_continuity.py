"""An environment stays where it is, gets in by a gate, and fits the annotation that remembers it."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.gates import Actor
from onboarding.checks import continuity
from onboarding.checks.finding import Finding
from onboarding.checks.inputs import EnvironmentDeclaration, Former, RevisionInputs
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import POLICY, environment, inputs_of, policy_of, snapshot_of, spec_of

HERE = Former("main", "shop-dev", "dev")


def inputs(*former: Former, namespace: str = "shop-dev", policy: Any = POLICY, **fields: Any) -> EnvironmentDeclaration:
    return replace(inputs_of(spec_of(environment(**fields)), policy=policy), namespace=namespace, former=former)


STAYS: dict[str, EnvironmentDeclaration] = {
    "it is nowhere yet": inputs(),
    "it is here": inputs(HERE),
    "it is here on two sites": inputs(
        Former("twin", "shop-dev", "dev"), Former("twin", "shop-dev", "dev"), target="twin"
    ),
    "the target by name is the default": inputs(HERE, target="main"),
    "it grows": inputs(HERE, size="large"),
}
MOVES: dict[str, tuple[EnvironmentDeclaration, str, str]] = {
    "to another target": (inputs(HERE, target="twin"), "target 'main'", "'twin'"),
    "to the default target": (inputs(Former("twin", "shop-dev", "dev")), "target 'twin'", "'main'"),
    "to another namespace": (inputs(HERE, namespace="own"), "namespace 'shop-dev'", "'own'"),
    "to another stage": (inputs(Former("main", "shop-dev", "prod")), "stage 'prod'", "'dev'"),
    "from one of two sites": (inputs(HERE, Former("twin", "shop-dev", "dev")), "target 'twin'", "'main'"),
}


@pytest.mark.parametrize("given", STAYS.values(), ids=STAYS)
def test_an_environment_stays(given: EnvironmentDeclaration) -> None:
    assert continuity.environment_stays.run(given) is None


@pytest.mark.parametrize(("given", "before", "after"), MOVES.values(), ids=MOVES)
def test_an_environment_does_not_move(given: EnvironmentDeclaration, before: str, after: str) -> None:
    finding = continuity.environment_stays.run(given)
    assert finding is not None
    assert before in finding.message
    assert after in finding.message
    assert finding.remedy.startswith(f"name {before} in the spec, or declare another environment")


EVERYWHERE = {"name": "build", "opens": [{"stages": ["dev"]}]}
SOMEWHERE = {"name": "build", "opens": [{"stages": ["dev"], "targets": ["main"]}]}


@pytest.mark.parametrize(
    ("gates", "fields", "found"),
    [
        ([], {"stage": "prod"}, False),
        ([EVERYWHERE], {}, False),
        ([EVERYWHERE], {"target": "twin"}, False),
        ([SOMEWHERE], {}, False),
        ([SOMEWHERE], {"target": "twin"}, True),
        ([EVERYWHERE], {"stage": "prod"}, True),
        ([{"name": "talk"}], {}, True),
        ([EVERYWHERE], {"stage": "moon"}, False),
    ],
    ids=[
        *("no gates", "every target", "every target, another one", "its target", "another target"),
        *("another stage", "steps of people alone", "a stage that nobody knows"),
    ],
)
def test_where_there_are_gates_one_of_them_has_to_lead_there(gates: Any, fields: Any, found: bool) -> None:
    finding = continuity.a_gate_leads_there.run(inputs(policy=policy_of(*gates), **fields))
    assert (finding is not None) is found
    if finding:
        stage, target = fields.get("stage", "dev"), fields.get("target", "main")
        assert finding == Finding(f"no gate of the policy opens stage {stage!r} on target {target!r}")


def test_an_environment_without_a_gate_gets_nothing_and_holds_no_other() -> None:
    spec = spec_of(environment(), environment("far", target="twin"))
    plan = make_plan(snapshot_of(spec, policy=policy_of(SOMEWHERE)))
    assert [revision.environment for revision in plan.building] == ["dev"]
    assert plan.held == {"far": "no gate of the policy opens stage 'dev' on target 'twin'"}
    assert {item.name: item.gate for item in plan.environments if item.gate} == {"dev": "build"}


def test_a_gate_that_names_the_target_wins_over_one_for_every_target() -> None:
    policy = policy_of({"name": "any", "opens": [{"stages": ["dev"]}]}, SOMEWHERE)
    plan = make_plan(snapshot_of(spec_of(environment(), environment("far", target="twin")), policy=policy))
    assert {item.name: item.gate for item in plan.environments if item.gate} == {"dev": "build", "far": "any"}


@pytest.mark.parametrize(("size", "found"), [(0, False), (65536, False), (65537, True)])
def test_what_is_remembered_has_at_most_64_kib(size: int, found: bool) -> None:
    finding = continuity.revision_fits.run(RevisionInputs(size))
    assert (finding is not None) is found
    if finding:
        assert "65537 bytes of at most 65536" in finding.message
        assert continuity.revision_fits.actor is Actor.PROJECT
