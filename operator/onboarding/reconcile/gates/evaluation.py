"""Run every check at its gate, and give each finding its severity there; pure."""

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
    """The findings at the gates, and the probe requests of the checks."""

    findings: list[GateFinding] = field(default_factory=list)
    requests: set[Request[Any]] = field(default_factory=set)
    without_environment: set[str] = field(default_factory=set)
    """Gates with a blocking check of running environments if no environment runs behind an earlier gate."""
    awaited: dict[str, str] = field(default_factory=dict)
    """By gate: an environment that its checks can evaluate only after this reconcile has created it."""

    def at_gate(self, gate: str) -> Iterator[GateFinding]:
        """Return the findings that hold a gate itself: those about the project and about running environments."""
        at_gate = (item for item in self.findings if item.gate == gate and item.holds)
        return (item for item in at_gate if item.check not in OF_ENVIRONMENT)

    def on_environment(self, environment: str) -> Iterator[GateFinding]:
        """Return the findings that hold the candidate of one environment."""
        about_it = (item for item in self.findings if item.environment == environment)
        return (item for item in about_it if item.holds and item.check in OF_ENVIRONMENT)


@dataclass(frozen=True)
class GateEvaluator:
    """Runs the checks of one project at the gates of one policy."""

    project: ProjectInputs
    gate_checks: GateChecks
    decisions: Decisions
    status: Mapping[str, Any]
    """The status as last written: the probe results from before a start."""
    waits: Callable[[int], bool]
    """Whether a candidate waits at a gate, given by its index, or the gate is not passed yet."""

    def evaluate(
        self,
        candidates: Sequence[tuple[int, EnvironmentDeclaration]],
        running: Iterable[tuple[int, RunningInputs]],
        not_created: Collection[str],
    ) -> GateEvaluation:
        """Run the checks; each environment is given with the index of its gate.

        ``not_created`` names the candidates that exist on no cluster yet and that only a gate may hold.
        """
        evaluation = GateEvaluation()
        for of_project in (*self.gate_checks.of_project, *self.gate_checks.of_approvals):
            severity = of_project.severity_on("", of_project.gate_index)
            self._run(evaluation, of_project.check, self.project, severity, of_project.gate_index)
        for of_environment in self.gate_checks.of_environment:
            for gate_index, candidate in candidates:
                severity = of_environment.severity_on(
                    candidate.target_name or "",
                    # What may be eased at an early gate still holds an environment behind a later one.
                    max(gate_index, of_environment.gate_index),
                    warns=gate_index < of_environment.gate_index,
                )
                self._run(evaluation, of_environment.check, candidate, severity, of_environment.gate_index)
        self._evaluate_running(evaluation, list(running), _only_behind_gates(evaluation, candidates, not_created))
        return evaluation

    def _evaluate_running(
        self,
        evaluation: GateEvaluation,
        running: Sequence[tuple[int, RunningInputs]],
        not_created: Sequence[tuple[int, str]],
    ) -> None:
        """Run the checks of running environments; gates wait for environments that are not created yet."""
        gates, last = self.project.policy.gates, self.gate_checks.last
        lowest = min((gate_index for gate_index, _ in running), default=len(gates))
        for of_running in self.gate_checks.of_running:
            first = of_running.gate_index
            for gate_index, inputs in running:
                # An environment opened at or behind the gate of the check has to pass it before the next gate.
                later = max(first, gate_index + 1)
                if later <= last:
                    severity = of_running.severity_on(inputs.target, later)
                    self._run(evaluation, of_running.check, inputs, severity, later)
            if self._waiver(of_running.check, ""):
                continue
            for gate_index, name in not_created:
                later = max(first, gate_index + 1)
                if later <= last and of_running.severity_on("", later) is Severity.BLOCKING:
                    evaluation.awaited[gates[later].name] = name
            if first <= lowest and of_running.severity_on("", first) is Severity.BLOCKING:
                evaluation.without_environment.add(gates[first].name)

    def _run(
        self, evaluation: GateEvaluation, check: Check[InputsT], inputs: InputsT, severity: Severity, gate_index: int
    ) -> None:
        if severity is Severity.IGNORED:
            return
        requests = tuple(check.requests_of(inputs))
        if requests:
            if not self.waits(gate_index):
                return
            evaluation.requests.update(requests)
        finding = check.run(inputs)
        if finding is None:
            return
        environment, site = _subject(inputs)
        gate, waiver = self.project.policy.gates[gate_index].name, self._waiver(check, environment)
        found = GateFinding(check, finding, gate, severity, environment, finding.site or site, waiver)
        unanswered = any(self.project.answer(request) is None for request in requests)
        unanswered = unanswered or finding.result is CheckResult.PENDING
        evaluation.findings.append(self._as_before(found) if unanswered else found)

    def _waiver(self, check: Check[Any], environment: str) -> str:
        waiver = self.decisions.waiver(check.id, environment)
        return f"waived by {waiver.by.username} until {waiver.expires}" if waiver else ""

    def _as_before(self, found: GateFinding) -> GateFinding:
        """Return a finding whose probe is pending as the status showed it; one that it did not show stays hidden."""
        for item in self.status.get("checks", ()):
            if (item["id"], item.get("environment", ""), item.get("site", "")) == _key(found) and self._readable(item):
                return replace(found, finding=_finding_of(item, found.finding))
        if found.finding.result is not CheckResult.PENDING:
            return found
        known = any(gate["name"] == found.gate for gate in self.status.get("gates", ()))
        return replace(found, quiet=known or found.severity is not Severity.BLOCKING)

    def _readable(self, item: Mapping[str, Any]) -> bool:
        """Return whether this operator knows the values of a check in a status, which a newer one may have written."""
        actors = {*Actor, *self.project.policy.actor_names}
        return item["nextActor"] in actors and item["result"] in set(CheckResult)


def _finding_of(item: Mapping[str, Any], finding: Finding) -> Finding:
    message, actor, result = item["message"], item["nextActor"], CheckResult(item["result"])
    if result is CheckResult.WAIVED:
        # The status shows the waiver instead of the result and its remedy.
        return replace(finding, message=message, actor=actor)
    return Finding(message, item["remedy"], actor, result)


def _only_behind_gates(
    evaluation: GateEvaluation, candidates: Iterable[tuple[int, EnvironmentDeclaration]], not_created: Collection[str]
) -> list[tuple[int, str]]:
    """Return the environments that are created as soon as their gates open, each with the index of its gate."""
    named = ((gate_index, candidate.environment.name) for gate_index, candidate in candidates)
    return [
        (gate_index, name)
        for gate_index, name in named
        if name in not_created and not any(evaluation.on_environment(name))
    ]


def _key(found: GateFinding) -> tuple[str, str, str]:
    return found.check.id, found.environment, found.site


def _subject(inputs: Any) -> tuple[str, str]:
    """Return the environment and the site of inputs; '' each if they belong to the whole project."""
    if isinstance(inputs, RunningInputs):
        return inputs.environment, inputs.site
    return (inputs.environment.name, "") if isinstance(inputs, EnvironmentDeclaration) else ("", "")
