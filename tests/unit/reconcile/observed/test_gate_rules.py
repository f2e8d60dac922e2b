"""Gates that can open, checks that can hold: what is written otherwise is refused with the field that is wrong."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.checks.catalogue import GATED
from onboarding.checks.journey import gate_of, gates_before
from onboarding.reconcile.observed.gate_rules import CATALOGUE, Known
from onboarding.reconcile.observed.policy_rules import policy_problems
from tests.unit.snapshots import POLICY

KNOWN = Known(
    always=frozenset({"StageUnknown"}),
    of_project=frozenset({"OwnerNamed"}),
    of_environment=frozenset({"CapacityFits"}),
    of_running=frozenset({"ImageCompliant", "ApplicationsHealthy"}),
)
Change = Callable[[dict[str, Any]], object]


def spec() -> dict[str, Any]:
    """Return a policy of four gates: two for people around one for dev, and one for prod."""
    return {
        **POLICY.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "gates": [
            {"name": "contact"},
            {"name": "build", "opens": [{"stages": ["dev"]}], "approvals": [{"name": "poa", "actor": "poa"}]},
            {"name": "audit"},
            {"name": "run", "opens": [{"stages": ["prod"]}]},
        ],
        "checks": [
            {"id": "OwnerNamed", "gate": "contact"},
            {"id": "CapacityFits", "gate": "contact"},
            {"id": "ImageCompliant", "gate": "audit"},
        ],
        "journeys": ["workshop"],
        "overrides": [
            {"journey": "workshop", "checks": ["ImageCompliant"], "target": "not-there-yet", "severity": "Warning"}
        ],
    }


def policy(change: Change = lambda _: None) -> OnboardingPolicySpec:
    changed = spec()
    change(changed)
    return OnboardingPolicySpec.model_validate(changed)


def opens(*openings: tuple[list[str], list[str]]) -> list[dict[str, Any]]:
    return [{"stages": stages, "targets": targets} for stages, targets in openings]


GOOD: dict[str, Change] = {
    "as it is": lambda _: None,
    "no gates": lambda p: p.update(gates=[], checks=[], overrides=[]),
    "a stage behind one gate on a target and behind another on all others": lambda p: p["gates"][2].update(
        opens=opens((["prod"], ["main"]))
    ),
    "a stage on different targets behind different gates": lambda p: (
        p["gates"][2].update(opens=opens((["prod"], ["main"]))),
        p["gates"][3].update(opens=opens((["prod"], ["other"]))),
    ),
    "a stage that one gate opens twice": lambda p: p["gates"][3].update(opens=opens((["prod"], []), (["prod"], []))),
    "a check of what runs at the next gate": lambda p: p["checks"][2].update(gate="run"),
    "a check of environments at the last gate": lambda p: p["checks"][1].update(gate="run"),
    "an approval of releases in a pinned stage": lambda p: (
        p["stages"][1].update(pinned=True),
        p["gates"][3].update(approvals=[{"name": "poa", "actor": "poa", "covers": ["Release", "Configuration"]}]),
    ),
    "a check of the project anywhere": lambda p: p["checks"][0].update(gate="audit"),
}
BAD: dict[str, tuple[Change, str, str]] = {
    "two gates of a name": (
        lambda p: p["gates"].append({"name": "run"}),
        "spec.gates[4].name",
        "run is listed twice",
    ),
    "two approvals of one name": (
        lambda p: p["gates"][0].update(approvals=[{"name": "poa", "actor": "poa"}] * 2),
        "spec.gates[0].approvals[1].name",
        "poa is listed twice",
    ),
    "a stage that does not exist": (
        lambda p: p["gates"][0].update(opens=opens((["qualif"], []))),
        "spec.gates[0].opens[0].stages",
        "there is no stage qualif; choose one of: dev, prod",
    ),
    "a stage behind two gates": (
        lambda p: p["gates"][2].update(opens=opens((["dev"], []))),
        "spec.gates[2].opens[0].stages",
        "gate build already opens stage dev on every target",
    ),
    "a stage behind two gates on one target": (
        lambda p: (
            p["gates"][1].update(opens=opens((["dev"], ["main"]))),
            p["gates"][2].update(opens=opens((["dev"], ["other"]), (["dev"], ["main"]))),
        ),
        "spec.gates[2].opens[1].stages",
        "gate build already opens stage dev on target main",
    ),
    "a stage that no gate opens": (
        lambda p: p["gates"][3].update(opens=opens((["dev"], ["far"]))),
        "spec.stages[1].name",
        "no gate opens stage prod",
    ),
    "a stage that no gate opens on its default target": (
        lambda p: p["gates"][3].update(opens=opens((["prod"], ["far"]))),
        "spec.stages[1].defaultTarget",
        "no gate opens stage prod on target main",
    ),
    "what an approval covers at a gate that opens nothing": (
        lambda p: p["gates"][0].update(approvals=[{"name": "poa", "actor": "poa", "covers": ["Admission"]}]),
        "spec.gates[0].approvals[0].covers",
        "gate contact opens no environment, and covers is about one; remove it",
    ),
    "an approval of releases that move": (
        lambda p: p["gates"][3].update(approvals=[{"name": "poa", "actor": "poa", "covers": ["Release"]}]),
        "spec.gates[3].approvals[0].covers",
        "Release is covered, and stage prod is not pinned: branches move under an approval; set pinned: true for stage",
    ),
    "a check that is listed twice": (
        lambda p: p["checks"].append({"id": "OwnerNamed", "gate": "run"}),
        "spec.checks[3].id",
        "OwnerNamed is listed twice",
    ),
    "a check that does not exist": (
        lambda p: p["checks"][2].update(id="ImagesCompliant"),
        "spec.checks[2].id",
        "there is no check ImagesCompliant; did you mean ImageCompliant?",
    ),
    "a check that always runs": (
        lambda p: p["checks"][2].update(id="StageUnknown"),
        "spec.checks[2].id",
        "check StageUnknown always runs and cannot be configured; remove it",
    ),
    "a check at a gate that does not exist": (
        lambda p: p["checks"][0].update(gate="gate"),
        "spec.checks[0].gate",
        "there is no gate gate; choose one of: audit, build, contact, run",
    ),
    "a check before which no environment opens": (
        lambda p: p["checks"][2].update(gate="build"),
        "spec.checks[2].gate",
        "evaluates running environments, and no gate before build opens one; choose one of: audit, run",
    ),
    "a check of environments where none opens any more": (
        lambda p: (p["gates"].append({"name": "end"}), p["checks"][1].update(gate="end")),
        "spec.checks[1].gate",
        "has no effect: neither gate end nor a later one opens an environment; choose one of: build, run",
    ),
    "an override for a journey that does not exist": (
        lambda p: p["overrides"][0].update(journey="standard"),
        "spec.overrides[0].journey",
        "there is no journey standard; choose one of: workshop",
    ),
    "an override of a check that does not exist": (
        lambda p: p["overrides"][0].update(checks=["OwnerNamed", "Health"]),
        "spec.overrides[0].checks[1]",
        "there is no check Health; did you mean ApplicationsHealthy?",
    ),
    "an override of a check that always runs": (
        lambda p: p["overrides"][0].update(checks=["StageUnknown"]),
        "spec.overrides[0].checks[0]",
        "always runs",
    ),
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_gates_without_fault_are_accepted(change: Change) -> None:
    assert policy_problems(policy(change), KNOWN) == ()


@pytest.mark.parametrize(("change", "field", "words"), BAD.values(), ids=BAD)
def test_a_fault_is_found_at_its_field_and_nowhere_else(change: Change, field: str, words: str) -> None:
    (found,) = policy_problems(policy(change), KNOWN)
    assert found.field == field
    assert words in str(found)


def test_the_checks_of_the_catalogue_are_those_that_a_policy_may_name() -> None:
    assert CATALOGUE.gated == {check.id for check in GATED}
    assert "StageUnknown" in CATALOGUE.always


def test_without_any_check_none_is_named_as_the_nearest() -> None:
    nothing = Known(frozenset(), frozenset(), frozenset(), frozenset())
    first, *_ = policy_problems(policy(), nothing)
    assert str(first) == "spec.checks[0].id: there is no check OwnerNamed; remove it"


def test_no_order_of_the_gates_makes_one_wait_for_itself() -> None:
    """A gate waits for those before it in the list and for no other, however the list is written: there is no cycle."""
    for gates in permutations(spec()["gates"]):
        ordered = policy(lambda p, gates=gates: p.update(gates=list(gates)))
        for index, gate in enumerate(ordered.gates):
            assert gates_before(ordered, gate.name) == ordered.gates[:index]
            assert gate not in gates_before(ordered, gate.name)


@pytest.mark.parametrize("first", [True, False], ids=["named first", "named last"])
def test_a_gate_that_names_the_target_wins_over_one_for_every_target(first: bool) -> None:
    named = {"name": "named", "opens": opens((["dev"], ["main"]))}
    every = {"name": "every", "opens": opens((["dev", "prod"], []))}
    gates = [named, every] if first else [every, named]
    chosen = policy(lambda p: p.update(gates=gates))
    gate_results = {
        (stage, target): gate.name if (gate := gate_of(chosen, stage, target)) else None
        for stage in ("dev", "prod", "qualif")
        for target in ("main", "other")
    }
    assert gate_results == {
        ("dev", "main"): "named",
        ("dev", "other"): "every",
        ("prod", "main"): "every",
        ("prod", "other"): "every",
        ("qualif", "main"): None,
        ("qualif", "other"): None,
    }
