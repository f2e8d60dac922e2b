"""Checks and their findings."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from onboarding.api.gates import Actor, Severity, Track
from onboarding.api.status import CheckResult, Evidence
from onboarding.checks.probe import Answer, Request

InputsT = TypeVar("InputsT")
WORST_FIRST = (CheckResult.FAIL, CheckResult.UNKNOWN, CheckResult.PENDING)
"""Results of findings, the worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding of a check that does not pass; remedy and actor only if they differ from those of the check."""

    message: str
    remedy: str = ""
    actor: str | None = None
    result: CheckResult = CheckResult.FAIL
    site: str = ""
    """The site that it is about; the empty string if it is about all sites."""
    severity: Severity = Severity.BLOCKING
    """Of a check that always runs: Warning if the environment has been admitted with it, so that it holds nothing."""


def _requests_nothing(_inputs: Any) -> Iterable[Request[Any]]:
    return ()


@dataclass(frozen=True, eq=False)
class Check(Generic[InputsT]):
    """One prerequisite: a pure function from inputs to at most one finding, with its entry in the catalogue."""

    id: str
    track: Track
    evidence: Evidence
    actor: Actor
    """The actor if it does not pass."""
    remedy: str
    """The remedy, as a sentence without full stop."""
    reads: tuple[str, ...]
    """Paths of the fields of the project's spec that it reads, such as ``team.poa`` or ``environments.domains``."""
    run: Callable[[InputsT], Finding | None]
    requests_of: Callable[[InputsT], Iterable[Request[Any]]] = _requests_nothing
    """The probe requests that it needs."""

    @property
    def description(self) -> str:
        """A sentence that is true if it passes."""
        return inspect.cleandoc(self.run.__doc__ or "")


def check(
    check_id: str,
    track: Track,
    evidence: Evidence,
    *,
    remedy: str,
    reads: tuple[str, ...],
    actor: Actor = Actor.PROJECT,
    requests_of: Callable[[Any], Iterable[Request[Any]]] = _requests_nothing,
) -> Callable[[Callable[[InputsT], Finding | None]], Check[InputsT]]:
    """Make a check of a function; its docstring is a sentence that is true if the check passes."""

    def make(run: Callable[[InputsT], Finding | None]) -> Check[InputsT]:
        return Check(check_id, track, evidence, actor, remedy, reads, run, requests_of)

    return make


def undecided(answer: Answer[Any] | None, what: str) -> Finding | None:
    """Return the finding of a probe without facts; None if there are facts. ``what`` names the subject of the probe."""
    if answer is None:
        return Finding(f"{what} is being asked", "wait a moment", Actor.OPERATOR, CheckResult.PENDING)
    if answer.facts is None:
        return Finding(f"{what}: {answer.problem}", result=CheckResult.UNKNOWN)
    return None


@dataclass(frozen=True, slots=True)
class GateFinding:
    """A finding with the gate that it blocks, its severity and its waiver."""

    check: Check[Any]
    finding: Finding
    gate: str = ""
    """The gate that it blocks; the empty string if it holds its environment independently of the gates."""
    severity: Severity = Severity.BLOCKING
    environment: str = ""
    site: str = ""
    waiver: str = ""
    """The author and expiry of its waiver, as text; the empty string if it is not waived."""
    quiet: bool = False
    """Whether it only waits for a probe that is repeated after a restart: it holds candidates and is not reported."""

    @property
    def holds(self) -> bool:
        """Whether it blocks its gate or holds its environment."""
        return self.severity is Severity.BLOCKING and not self.waiver

    @property
    def rank(self) -> tuple[int, str, str, str]:
        """Sort key among the findings at one gate, the worst first; all waived findings rank the same."""
        result = 0 if self.waiver else WORST_FIRST.index(self.finding.result)
        return result, self.check.id, self.environment, self.site

    @property
    def actor(self) -> str:
        """The actor who has to act."""
        return self.finding.actor or self.check.actor

    @property
    def remedy(self) -> str:
        """The remedy."""
        return self.finding.remedy or self.check.remedy
