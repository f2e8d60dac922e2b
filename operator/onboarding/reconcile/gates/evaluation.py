"""Make every check that the policy puts at a gate, and say what each finding means there; pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from onboarding.api.gates import Actor, Severity
from onboarding.api.status import CheckResult
from onboarding.checks.catalogue import OF_ENVIRONMENT
from onboarding.checks.finding import Check, Finding, GateFinding
from onboarding.checks.inputs import EnvironmentDeclaration, ProjectInputs, RunningInputs
from onboarding.checks.probe import Request
from onboarding.reconcile.gates.assignment import GateChecks
from onboarding.reconcile.gates.decisions import Decisions

InputsT = TypeVar("InputsT")


@dataclass(slots=True)
class GateEvaluation:
    """The findings at the gates, and what was asked of the outside world."""

    found: list[GateFinding] = field(default_factory=list)
    asked: set[Request[Any]] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    """Gates whose checks of what runs before them had nothing to look at."""
    awaited: dict[str, str] = field(default_factory=dict)
    """By gate: an environment that its checks have yet to look at, because it only comes with this pass."""

    def at_gate(self, gate: str) -> Iterator[GateFinding]:
        """Return what holds a gate itself: findings about the project and about what runs before that gate."""
        return (item for item in self.found if item.gate == gate and item.holds and item.check not in OF_ENVIRONMENT)

    def on_environment(self, environment: str) -> Iterator[GateFinding]:
        """Return what holds one environment that is to be."""
        ours = (item for item in self.found if item.environment == environment)
        return (item for item in ours if item.holds and item.check in OF_ENVIRONMENT)


@dataclass(frozen=True)
class GateEvaluator:
    """Makes the checks of one project at the gates of one policy."""

    project: ProjectInputs
    gate_checks: GateChecks
    decisions: Decisions
    status: Mapping[str, Any]
    """The status as it was last written: what was known before a start."""
    waits: Callable[[int], bool]
    """Whether something new wants through a gate, given its place in the order, or it has not been passed yet."""

    def evaluate(
        self,
        proposed: Iterable[tuple[int, EnvironmentDeclaration]],
        running: Iterable[tuple[int, RunningInputs]],
        coming: Collection[str],
    ) -> GateEvaluation:
        """Make the checks; each environment comes with the place of its gate in the order.

        ``coming`` are the proposed environments that are nowhere yet, and that nothing but a gate keeps away.
        """
        evaluation = GateEvaluation()
        environments, places = list(proposed), list(running)
        for of_project in self.gate_checks.of_project:
            self._make(evaluation, of_project.check, self.project, of_project.severity_on(""), of_project.gate_index)
        for of_environment in self.gate_checks.of_environment:
            for gate_index, future in environments:
                severity = of_environment.severity_on(
                    future.target_name or "", warns=gate_index < of_environment.gate_index
                )
                self._make(evaluation, of_environment.check, future, severity, of_environment.gate_index)
        self._survey_running(evaluation, places, _yet_to_come(evaluation, environments, coming))
        return evaluation

    def _survey_running(
        self, evaluation: GateEvaluation, places: Sequence[tuple[int, RunningInputs]], coming: Sequence[tuple[int, str]]
    ) -> None:
        """Make the checks of what runs; the gates that look at what is yet to come wait until it is there."""
        gates = self.project.policy.gates
        foremost = min((gate_index for gate_index, _ in places), default=len(gates))
        for of_running in self.gate_checks.of_running:
            first = of_running.gate_index
            for gate_index, present in places:
                # From its gate on, what opens there is held to it before it comes to the next one.
                held = max(first, gate_index + 1)
                if held < len(gates):
                    severity = of_running.severity_on(present.target)
                    self._make(evaluation, of_running.check, present, severity, held)
            unseen = first <= foremost
            if (unseen or coming) and of_running.severity_on("") is Severity.BLOCKING:
                if self._waiver(of_running.check, ""):
                    continue
                evaluation.awaited |= {
                    gates[held].name: name
                    for gate_index, name in coming
                    if (held := max(first, gate_index + 1)) < len(gates)
                }
                if unseen:
                    evaluation.unseen.add(gates[first].name)

    def _make(
        self, evaluation: GateEvaluation, check: Check[InputsT], inputs: InputsT, severity: Severity, gate_index: int
    ) -> None:
        if severity is Severity.IGNORED:
            return
        requests = tuple(check.requests_of(inputs))
        if requests:
            if not self.waits(gate_index):
                return
            evaluation.asked.update(requests)
        finding = check.run(inputs)
        if finding is None:
            return
        environment, site = _about(inputs)
        gate, waiver = self.project.policy.gates[gate_index].name, self._waiver(check, environment)
        found = GateFinding(check, finding, gate, severity, environment, finding.site or site, waiver)
        unanswered = any(self.project.answer(request) is None for request in requests)
        evaluation.found.append(self._remember(found) if unanswered else found)

    def _waiver(self, check: Check[Any], environment: str) -> str:
        waiver = self.decisions.waiver(check.id, environment)
        return f"waived by {waiver.by.username} until {waiver.expires}" if waiver else ""

    def _remember(self, found: GateFinding) -> GateFinding:
        """Return a finding that is being asked as it was shown before; an unshown one stays so, and lets nothing in."""
        for item in self.status.get("checks", ()):
            if (item["id"], item.get("environment", ""), item.get("site", "")) == _place(found) and _readable(item):
                return replace(found, finding=_as_shown(item, found.finding))
        if found.finding.result is not CheckResult.PENDING:
            return found
        known = any(gate["name"] == found.gate for gate in self.status.get("gates", ()))
        return replace(found, quiet=known or found.severity is not Severity.BLOCKING)


def _readable(item: Mapping[str, Any]) -> bool:
    """Return whether this operator knows the words of a check in a status, which a newer one may have written."""
    return item["nextActor"] in set(Actor) and item["result"] in set(CheckResult)


def _as_shown(item: Mapping[str, Any], finding: Finding) -> Finding:
    message, actor, result = item["message"], Actor(item["nextActor"]), CheckResult(item["result"])
    if result is CheckResult.WAIVED:
        # The status tells the waiver in the place of the result and its remedy.
        return replace(finding, message=message, actor=actor)
    return Finding(message, item["remedy"], actor, result)


def _yet_to_come(
    evaluation: GateEvaluation, proposed: Iterable[tuple[int, EnvironmentDeclaration]], coming: Collection[str]
) -> list[tuple[int, str]]:
    """Return the environments that come once their gates let them, each with the place of its gate."""
    named = ((gate_index, future.environment.name) for gate_index, future in proposed)
    return [
        (gate_index, name) for gate_index, name in named if name in coming and not any(evaluation.on_environment(name))
    ]


def _place(found: GateFinding) -> tuple[str, str, str]:
    return found.check.id, found.environment, found.site


def _about(inputs: Any) -> tuple[str, str]:
    """Return the environment and site that inputs are about; '' each where they are about the project."""
    if isinstance(inputs, RunningInputs):
        return inputs.environment, inputs.site
    return (inputs.environment.name, "") if isinstance(inputs, EnvironmentDeclaration) else ("", "")
