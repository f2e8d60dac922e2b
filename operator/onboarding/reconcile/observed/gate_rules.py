"""Rules for the gates of a policy and the checks at them; pure.

The gates open in the order of their list, so there can be no cycle. These rules refuse stages that never open and
checks that never hold anything.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from onboarding.api.gates import Coverage
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.text import choose
from onboarding.checks.catalogue import (
    ALWAYS,
    OF_APPROVALS,
    OF_ENVIRONMENT,
    OF_GRANTS,
    OF_JOURNEY,
    OF_NAMESPACES,
    OF_PROJECT,
    OF_RUNNING,
)
from onboarding.checks.finding import Check
from onboarding.checks.journey import gate_of, gates_before
from onboarding.reconcile.observed.validity import Problem, repeated


@dataclass(frozen=True, slots=True)
class Known:
    """The ids of all checks, by the inputs that they evaluate."""

    always: frozenset[str]
    of_project: frozenset[str]
    of_environment: frozenset[str]
    of_running: frozenset[str]

    @property
    def gated(self) -> frozenset[str]:
        """The checks that a policy may assign to a gate."""
        return self.of_project | self.of_environment | self.of_running


def _ids(checks: Iterable[Check[Any]]) -> frozenset[str]:
    return frozenset(check.id for check in checks)


CATALOGUE: Final = Known(
    _ids((*ALWAYS, *OF_NAMESPACES, *OF_JOURNEY, *OF_GRANTS, *OF_APPROVALS)),
    _ids(OF_PROJECT),
    _ids(OF_ENVIRONMENT),
    _ids(OF_RUNNING),
)


def gate_problems(policy: OnboardingPolicySpec, known: Known) -> Iterator[Problem]:
    """Find problems of the gates, the checks at them and the overrides of checks."""
    yield from repeated("spec.gates", "name", (gate.name for gate in policy.gates))
    for index, gate in enumerate(policy.gates):
        yield from repeated(f"spec.gates[{index}].approvals", "name", (approval.name for approval in gate.approvals))
    yield from _approvals(policy)
    yield from _openings(policy)
    if policy.gates:
        yield from _unopened(policy)
    yield from repeated("spec.checks", "id", (rule.id for rule in policy.checks))
    yield from _checks(policy, known)
    yield from _overrides(policy, known)


def _approvals(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Find approvals that cover fields of environments where there is none, or releases that may move."""
    pinned = {stage.name for stage in policy.stages if stage.pinned}
    for index, gate in enumerate(policy.gates):
        moving = next((stage for opening in gate.opens for stage in opening.stages if stage not in pinned), None)
        for number, approval in enumerate(gate.approvals):
            field = f"spec.gates[{index}].approvals[{number}].covers"
            if approval.covers and not gate.opens:
                yield Problem(field, f"gate {gate.name} opens no environment, and covers is about one", "remove it")
            elif Coverage.RELEASE in approval.covers and moving:
                broken = f"Release is covered, and stage {moving} is not pinned: branches move under an approval"
                yield Problem(field, broken, f"set pinned: true for stage {moving}, or remove Release")


def _openings(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Find stages that do not exist, and stages that two gates open on the same target or on all targets."""
    stages = [stage.name for stage in policy.stages]
    opened_by: dict[tuple[str, str], str] = {}
    for index, gate in enumerate(policy.gates):
        for number, opening in enumerate(gate.opens):
            field = f"spec.gates[{index}].opens[{number}].stages"
            for stage in opening.stages:
                if stage not in stages:
                    yield Problem(field, f"there is no stage {stage}", choose(stages))
                for target in opening.targets or ("",):
                    other = opened_by.setdefault((stage, target), gate.name)
                    if other != gate.name:
                        targets = f"target {target}" if target else "every target"
                        rule = f"gate {other} already opens stage {stage} on {targets}"
                        yield Problem(field, rule, "open it at one gate, or name other targets")


def _unopened(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Find stages that no gate opens at all, or that none opens on their default target."""
    opened = {stage for gate in policy.gates for opening in gate.opens for stage in opening.stages}
    for index, stage in enumerate(policy.stages):
        field = f"spec.stages[{index}]"
        if stage.name not in opened:
            yield Problem(f"{field}.name", f"no gate opens stage {stage.name}", "add it to opens of a gate")
        elif gate_of(policy, stage.name, stage.default_target) is None:
            rule = f"no gate opens stage {stage.name} on target {stage.default_target}"
            yield Problem(f"{field}.defaultTarget", rule, "add the target to opens of a gate, or choose another")


def _checks(policy: OnboardingPolicySpec, known: Known) -> Iterator[Problem]:
    gates = [gate.name for gate in policy.gates]
    for index, rule in enumerate(policy.checks):
        field = f"spec.checks[{index}]"
        if rule.id not in known.gated:
            yield _unknown(f"{field}.id", rule.id, known)
        if rule.gate not in gates:
            yield Problem(f"{field}.gate", f"there is no gate {rule.gate}", choose(gates))
        elif rule.id in known.of_running and not _opening(policy, gates[: gates.index(rule.gate)]):
            broken = f"check {rule.id} evaluates running environments, and no gate before {rule.gate} opens one"
            yield Problem(f"{field}.gate", broken, choose(_later(policy)))
        elif rule.id in known.of_environment and not _opening(policy, gates[gates.index(rule.gate) :]):
            broken = f"check {rule.id} has no effect: neither gate {rule.gate} nor a later one opens an environment"
            yield Problem(f"{field}.gate", broken, choose(_opening(policy, gates)))


def _opening(policy: OnboardingPolicySpec, names: Iterable[str]) -> list[str]:
    """Return the gates among these that open environments."""
    chosen = set(names)
    return [gate.name for gate in policy.gates if gate.name in chosen and gate.opens]


def _later(policy: OnboardingPolicySpec) -> list[str]:
    """Return the gates that come after one that opens environments."""
    return [gate.name for gate in policy.gates if any(before.opens for before in gates_before(policy, gate.name))]


def _overrides(policy: OnboardingPolicySpec, known: Known) -> Iterator[Problem]:
    for index, override in enumerate(policy.overrides):
        for number, check in enumerate(override.checks):
            if check not in known.gated:
                yield _unknown(f"spec.overrides[{index}].checks[{number}]", check, known)


def _unknown(field: str, check: str, known: Known) -> Problem:
    if check in known.always:
        return Problem(field, f"check {check} always runs and cannot be configured", "remove it")
    near = get_close_matches(check, sorted(known.gated), n=1, cutoff=0)
    remedy = f"did you mean {near[0]}?" if near else "remove it"
    return Problem(field, f"there is no check {check}", remedy)
