"""Status of a ProjectOnboarding: gates, environments, checks and next actions. At most 8 KiB."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.actors import Contact
from onboarding.api.common import Model, ShortName
from onboarding.api.conditions import Condition, Message, Time, Word
from onboarding.api.gates import Severity, Track
from onboarding.api.markers import AtomicList, MapList


class EnvironmentState(StrEnum):
    """State of one environment on one site."""

    READY = "Ready"
    """Every object is in place."""
    PENDING = "Pending"
    """Objects are being written, or wait for a namespace or a quota."""
    HELD = "Held"
    """Gets nothing new; what is admitted stays and is repaired."""
    PLANNED = "Planned"
    """Not created, because `mode` is `Plan`."""
    FAILED = "Failed"
    """A write was refused or does not last; the operator retries."""
    CONFLICT = "Conflict"
    """An object that the operator does not own has a name that the environment needs."""
    UNREACHABLE = "Unreachable"
    """The cluster gives no answer."""
    REMOVING = "Removing"
    """Being detached or deleted."""
    LOST = "Lost"
    """The target declares the site lost: nothing is written there."""
    GONE = "Gone"
    """Its namespace was deleted, and it is held, so that it is not rebuilt."""


class GateState(StrEnum):
    """State of a gate."""

    OPEN = "Open"
    """Something new may pass."""
    PASSED = "Passed"
    """Would not open again, but environments behind it exist and stay; nothing new passes."""
    HELD = "Held"
    """The next gate; `waitingFor` names what holds it."""
    CLOSED = "Closed"
    """Behind a gate that is held."""
    BEYOND = "Beyond"
    """Behind the last gate of the project's journey: nothing passes, and nobody is asked."""


class CheckResult(StrEnum):
    """Result of a check that does not pass."""

    FAIL = "Fail"
    UNKNOWN = "Unknown"
    """The probe got no answer."""
    PENDING = "Pending"
    """The probe is running."""
    WAIVED = "Waived"


class Evidence(StrEnum):
    """Evidence of a check."""

    OBSERVED = "Observed"
    DECLARED = "Declared"
    ATTESTED = "Attested"


class NextAction(Model):
    """Next action of an actor."""

    actor: ShortName = Field(description="Actor who has to act.")
    contact: Contact | None = Field(default=None, description="Where the actor is reached, as the policy says.")
    action: Annotated[str, Field(max_length=1024)] = Field(description="What to do.")
    since: Time | None = Field(default=None, description="Time since which the action has been the same.")


class CheckStatus(Model):
    """One check that does not pass."""

    id: Word = Field(description="Id of the check; docs/reference/checks.md explains it.")
    result: CheckResult = Field(description="Result of the check.")
    severity: Severity = Field(description="Effect of the result: Blocking holds the gate.")
    gate: Word | None = Field(default=None, description="Gate that the check blocks; absent: the environment itself.")
    environment: Word | None = Field(
        default=None, description="Environment that the check is about; absent: the whole project."
    )
    site: Word | None = Field(default=None, description="Site that the check is about; absent: every site.")
    track: Track = Field(description="Organisational or Technical.")
    evidence: Evidence = Field(description="Evidence of the check: Observed, Declared or Attested.")
    message: Message = Field(description="Finding of the check.")
    remedy: Message = Field(description="Remedy: the change that makes the check pass.")
    next_actor: ShortName = Field(description="Actor who has to act.")
    digest: Word | None = Field(default=None, description="Digest that an Attest decision of this check must name.")
    since: Time = Field(description="Time since which the result has been the same.")


class ApprovalStatus(Model):
    """An approval that a gate asks for."""

    name: Word = Field(description="Name of the approval.")
    environment: Word | None = Field(
        default=None, description="Environment that is to be approved; absent: the whole project."
    )
    digest: Word = Field(description="Digest that an Approve decision must name, together with gate and environment.")


class GateStatus(Model):
    """A gate of the journey."""

    name: Word = Field(description="Name of the step behind the gate.")
    state: GateState = Field(description="State of the gate.")
    waiting_for: Annotated[tuple[Message, ...], Field(max_length=5), AtomicList()] = Field(
        default=(), description="Reasons why the gate is held, most urgent first; none if nothing waits behind it."
    )
    void: Annotated[tuple[Message, ...], Field(max_length=3), AtomicList()] = Field(
        default=(), description="Decisions that do not count, and why."
    )
    digest: Word | None = Field(
        default=None,
        description="Digest that an Approve decision of this gate must name, if the whole project is approved.",
    )
    approvals: Annotated[tuple[ApprovalStatus, ...], Field(max_length=10), AtomicList()] = Field(
        default=(),
        description="Approvals of environments that are asked for, each with its digest; the first ten of all gates.",
    )
    authors_unknown: Message | None = Field(
        default=None,
        description="Reason why not everybody is known who wrote the spec, so that an approval may be theirs. Absent "
        "if they are known or no approval is awaited. If the policy holds the gate for it, `waitingFor` says so.",
    )


class JourneyStatus(Model):
    """Journey that is in force for the project."""

    name: Word = Field(description="Name of the journey.")
    last_gate: Word | None = Field(
        default=None, description="Last gate of the journey; absent: it ends before the first gate."
    )
    expires: Word | None = Field(default=None, description="Day on which the journey expires, in UTC; absent: never.")


class ApplicationStatus(Model):
    """One Application, as Argo CD reports it; fields that it does not report are absent."""

    name: Word = Field(description="Name of the Application.")
    sync: Word | None = Field(default=None, description="Synced, OutOfSync or Unknown.")
    health: Word | None = Field(default=None, description="Healthy, Progressing, Degraded, Suspended or Missing.")
    phase: Word | None = Field(default=None, description="Phase of the last operation, such as Running or Succeeded.")
    revision: Word | None = Field(default=None, description="Deployed revision: a short commit or a chart version.")
    deployed_at: Time | None = Field(default=None, description="Time of the deployment of that revision.")
    message: Message | None = Field(default=None, description="Trouble of the Application, or what it waits for.")


class SiteStatus(Model):
    """An environment on one site."""

    name: Word = Field(description="Name of the site.")
    namespace: Word = Field(description="Namespace of the environment on the site.")
    state: EnvironmentState = Field(description="State of the environment on the site.")
    revision: Word | None = Field(
        default=None, description="Digest of the admitted revision that is in place, or was last."
    )
    message: Message | None = Field(default=None, description="Obstacle, if there is one.")
    applications: Annotated[tuple[ApplicationStatus, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Applications of the environment; if there are too many, those in trouble."
    )


class EnvironmentStatus(Model):
    """One environment."""

    name: Word = Field(description="Name of the environment.")
    stage: Word | None = Field(default=None, description="Stage of the environment.")
    target: Word | None = Field(default=None, description="Target of the environment.")
    gate: Word | None = Field(default=None, description="Gate that opens the environment.")
    held: Message | None = Field(
        default=None, description="Reason why the environment gets nothing new, if it is held."
    )
    changes: Annotated[tuple[Message, ...], Field(max_length=3), AtomicList()] = Field(
        default=(),
        description="Changes that wait for an approval, a sentence for each group of fields: everything else of the "
        "environment is admitted. The first ten of all environments.",
    )
    sites: Annotated[tuple[SiteStatus, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="State on each site."
    )


class RemovalStatus(Model):
    """Namespaces whose deletion waits for a ConfirmDelete decision."""

    environment: Word | None = Field(
        default=None, description="Environment that is removed; absent: the whole project."
    )
    namespaces: int = Field(ge=0, description="Number of namespaces that would be deleted.")
    first: Annotated[tuple[Message, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="The first of these namespaces, each with its cluster unless that is the hub."
    )
    digest: Word | None = Field(
        default=None, description="Digest that a ConfirmDelete decision must name; absent while a site cannot be read."
    )
    waiting_for: Annotated[tuple[Message, ...], Field(max_length=5), AtomicList()] = Field(
        default=(), description="Sites that cannot be read, for which the digest waits."
    )


class PlanStatus(Model):
    """Changes that Apply would make, while spec.mode is Plan."""

    summary: Message = Field(description="Number of changes by action and kind.")
    changes: Annotated[tuple[Message, ...], Field(max_length=20), AtomicList()] = Field(
        default=(), description="First changes of the plan; objects that would be left alone come first."
    )
    existing: Annotated[tuple[Message, ...], Field(max_length=5), AtomicList()] = Field(
        default=(), description="Objects in existing namespaces that bear the name of an environment."
    )


class Summary(Model):
    """Strings of the printer columns."""

    environments: Word = Field(description="Environments in place, of all declared.")
    waiting_for: Word | None = Field(default=None, description="Actors of the next actions, most urgent first.")
    next: Message = Field(description="Next action, with its actor.")


class ProjectOnboardingStatus(Model):
    """Status of a project."""

    observed_generation: int = Field(ge=-1, description="Generation of the last finished reconcile; -1: none.")
    summary: Summary | None = Field(default=None, description="Strings of the printer columns.")
    stage: Word | None = Field(default=None, description="Step of the journey that the project has reached.")
    journey: JourneyStatus | None = Field(
        default=None, description="Journey that is in force: spec.journey, or the default of the policy."
    )
    conditions: Annotated[tuple[Condition, ...], Field(max_length=10), MapList("type")] = Field(
        default=(), description="Conditions of the project."
    )
    next_actions: Annotated[tuple[NextAction, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Next actions with their actors, most urgent first."
    )
    gates: Annotated[tuple[GateStatus, ...], Field(max_length=12), AtomicList()] = Field(
        default=(), description="Gates of the journey, in order."
    )
    environments: Annotated[tuple[EnvironmentStatus, ...], Field(max_length=40), AtomicList()] = Field(
        default=(), description="Environments; those being removed come last."
    )
    omitted_applications: int | None = Field(
        default=None, ge=1, description="Number of Applications left out for lack of space."
    )
    checks: Annotated[tuple[CheckStatus, ...], Field(max_length=24), AtomicList()] = Field(
        default=(), description="Checks that do not pass, worst first."
    )
    omitted_checks: int | None = Field(default=None, ge=1, description="Number of checks left out for lack of space.")
    removals: Annotated[tuple[RemovalStatus, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Removals that wait for a ConfirmDelete decision."
    )
    plan: PlanStatus | None = Field(default=None, description="Changes that Apply would make, while spec.mode is Plan.")
