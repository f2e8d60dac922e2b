"""What a check is, and what it finds."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from onboarding.api.gates import Actor, Severity, Track
from onboarding.api.status import CheckResult, Evidence
from onboarding.checks.probe import Answer, Request

InputsT = TypeVar("InputsT")
WORST_FIRST = (CheckResult.FAIL, CheckResult.UNKNOWN, CheckResult.PENDING)
"""Results of findings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that does not pass: what was found, and where it differs from the check's own, remedy and actor."""

    message: str
    remedy: str = ""
    actor: Actor | None = None
    result: CheckResult = CheckResult.FAIL
    site: str = ""
    """The one site that it is about; the empty string where it is about all of them."""


def _requests_nothing(_inputs: Any) -> Iterable[Request[Any]]:
    return ()


@dataclass(frozen=True, eq=False)
class Check(Generic[InputsT]):
    """One prerequisite: a pure function from inputs to at most one finding, and what the catalogue says of it."""

    id: str
    track: Track
    evidence: Evidence
    actor: Actor
    """Who acts where it does not pass."""
    remedy: str
    """What mends it, as a sentence without its end."""
    reads: tuple[str, ...]
    """The fields of the project's spec that it reads, as paths such as ``team.poa`` or ``environments.domains``."""
    run: Callable[[InputsT], Finding | None]
    requests_of: Callable[[InputsT], Iterable[Request[Any]]] = _requests_nothing
    """What it asks of the outside world."""

    @property
    def description(self) -> str:
        """What is true where it passes."""
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
    """Make a check of a function; its docstring says what is true where it passes."""

    def make(run: Callable[[InputsT], Finding | None]) -> Check[InputsT]:
        return Check(check_id, track, evidence, actor, remedy, reads, run, requests_of)

    return make


def undecided(answer: Answer[Any] | None, what: str) -> Finding | None:
    """Return the finding of an answer without facts, None where there are facts; ``what`` names what was asked."""
    if answer is None:
        return Finding(f"{what} is being asked", "wait a moment", Actor.OPERATOR, CheckResult.PENDING)
    if answer.facts is None:
        return Finding(f"{what}: {answer.problem}", result=CheckResult.UNKNOWN)
    return None


@dataclass(frozen=True, slots=True)
class GateFinding:
    """A finding and what it means."""

    check: Check[Any]
    finding: Finding
    gate: str = ""
    """The gate that it blocks; '' where it holds its environment whatever the policy says."""
    severity: Severity = Severity.BLOCKING
    environment: str = ""
    site: str = ""
    waiver: str = ""
    """By whom it is waived and until when; '' where it is not."""
    quiet: bool = False
    """Whether it is being asked anew after a start and was not shown before: it holds what is new, and says nothing."""

    @property
    def holds(self) -> bool:
        """Whether something has to wait for it."""
        return self.severity is Severity.BLOCKING and not self.waiver

    @property
    def rank(self) -> tuple[int, str, str, str]:
        """Its place among the findings at one gate, the worst first; what is waived is told alike, whatever it is."""
        result = 0 if self.waiver else WORST_FIRST.index(self.finding.result)
        return result, self.check.id, self.environment, self.site

    @property
    def actor(self) -> Actor:
        """Who has to act."""
        return self.finding.actor or self.check.actor

    @property
    def remedy(self) -> str:
        """What mends it."""
        return self.finding.remedy or self.check.remedy
