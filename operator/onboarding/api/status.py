"""Status of a ProjectOnboarding: what is true, what holds, and who must do what next. At most 8 KiB."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model
from onboarding.api.gates import Actor, Severity, Track
from onboarding.api.markers import AtomicList, MapList


class ConditionType(StrEnum):
    """The conditions. Ready is always there; Reconciling, Stalled and Drifted only while they are true."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PREREQUISITES_MET = "PrerequisitesMet"
    PROVISIONED = "Provisioned"
    APPLICATIONS_HEALTHY = "ApplicationsHealthy"
    SUSPENDED = "Suspended"


class Reason(StrEnum):
    """Every reason a condition may carry; never built from text."""

    READY = "Ready"
    ENVIRONMENTS_HELD = "EnvironmentsHeld"
    HELD = "Held"
    PLANNED = "Planned"
    APPLYING = "Applying"
    RETRYING = "Retrying"
    REMOVING = "Removing"
    CONFLICT = "Conflict"
    FORMER_INCARNATION = "FormerIncarnation"
    REFUSED = "Refused"
    TARGET_UNREACHABLE = "TargetUnreachable"
    GUARD_MISSING = "GuardMissing"
    ARGOCD_MISSING = "ArgoCDMissing"
    AWAITING_CONFIRMATION = "AwaitingConfirmation"
    TEARDOWN_HELD = "TeardownHeld"
    TEARING_DOWN = "TearingDown"
    CHECKS_PASSED = "ChecksPassed"
    CHECKS_FAILED = "ChecksFailed"
    NOT_REPORTED = "NotReported"
    NO_APPLICATIONS = "NoApplications"
    APPLICATIONS_HEALTHY = "ApplicationsHealthy"
    APPLICATIONS_UNHEALTHY = "ApplicationsUnhealthy"
    PROVISIONED = "Provisioned"
    INCOMPLETE = "Incomplete"
    SUSPENDED = "Suspended"
    ACCEPTED = "Accepted"
    INVALID = "Invalid"
    NEWER_THAN_OPERATOR = "NewerThanOperator"


class EnvironmentState(StrEnum):
    """Where one environment stands on one site."""

    READY = "Ready"
    PENDING = "Pending"
    HELD = "Held"
    PLANNED = "Planned"
    FAILED = "Failed"
    CONFLICT = "Conflict"
    UNREACHABLE = "Unreachable"
    REMOVING = "Removing"


class GateState(StrEnum):
    """Where a gate stands."""

    OPEN = "Open"
    PASSED = "Passed"
    """It would not open again, but what lies behind it exists and stays; nothing new gets through."""
    HELD = "Held"
    """The next gate: something named holds it."""
    CLOSED = "Closed"
    """Behind a gate that is held."""


class CheckResult(StrEnum):
    """How a check ended."""

    FAIL = "Fail"
    UNKNOWN = "Unknown"
    """It could not be found out."""
    PENDING = "Pending"
    """It is being found out."""
    WAIVED = "Waived"


class Evidence(StrEnum):
    """What a check rests on."""

    OBSERVED = "Observed"
    DECLARED = "Declared"
    ATTESTED = "Attested"


Word = Annotated[str, Field(max_length=100)]
Message = Annotated[str, Field(max_length=512)]
Time = Annotated[str, Field(max_length=30, json_schema_extra={"format": "date-time"})]


class Condition(Model):
    """A condition as Kubernetes defines it. Types and reasons are words here, so that an older CRD takes newer ones."""

    type: Word = Field(description="Type of the condition.")
    status: Annotated[str, Field(max_length=7, pattern=r"^(True|False|Unknown)$")] = Field(
        description="True, False or Unknown."
    )
    reason: Word = Field(description="Reason, as one word.")
    message: Message = Field(description="What it means and what to do.")
    observed_generation: int = Field(ge=0, description="Generation that this was found of.")
    last_transition_time: Time = Field(description="When the status last changed.")


class NextAction(Model):
    """What somebody has to do next."""

    actor: Actor = Field(description="Who has to act.")
    action: Message = Field(description="What to do.")


class CheckStatus(Model):
    """One check that does not pass."""

    id: Word = Field(description="Identity of the check; docs/reference/checks.md explains it.")
    result: CheckResult = Field(description="How it ended.")
    severity: Severity = Field(description="What that means: Blocking holds the gate.")
    gate: Word | None = Field(default=None, description="Gate that it blocks; absent: the environment itself.")
    environment: Word | None = Field(default=None, description="Environment it is about; absent: the whole project.")
    site: Word | None = Field(default=None, description="Site it is about; absent: every site.")
    track: Track = Field(description="Organisational or Technical.")
    evidence: Evidence = Field(description="What it rests on.")
    message: Message = Field(description="What was found.")
    remedy: Message = Field(description="What mends it.")
    next_actor: Actor = Field(description="Who has to act.")
    digest: Word | None = Field(default=None, description="What an Attest decision of this check has to name.")
    since: Time = Field(description="Since when it is so.")


class GateStatus(Model):
    """A gate of the journey."""

    name: Word = Field(description="Name of the step behind the gate.")
    state: GateState = Field(description="Where the gate stands.")
    waiting_for: Annotated[tuple[Message, ...], Field(max_length=5), AtomicList()] = Field(
        default=(), description="What holds it, most urgent first."
    )
    void: Annotated[tuple[Message, ...], Field(max_length=3), AtomicList()] = Field(
        default=(), description="Decisions that do not count, and why."
    )
    digest: Word | None = Field(default=None, description="What an Approve decision of this gate has to name.")


class ApplicationStatus(Model):
    """One Application, as Argo CD reports it. What it does not say is absent."""

    name: Word = Field(description="Name of the Application.")
    sync: Word | None = Field(default=None, description="Synced, OutOfSync or Unknown.")
    health: Word | None = Field(default=None, description="Healthy, Progressing, Degraded, Suspended or Missing.")
    phase: Word | None = Field(default=None, description="Of the last operation, such as Running or Succeeded.")
    revision: Word | None = Field(default=None, description="Revision that runs: a short commit or a chart version.")
    deployed_at: Time | None = Field(default=None, description="Since when that runs.")
    message: Message | None = Field(default=None, description="What is wrong with it, or what it waits for.")


class SiteStatus(Model):
    """An environment on one site."""

    name: Word = Field(description="Name of the site.")
    namespace: Word = Field(description="Namespace there.")
    state: EnvironmentState = Field(description="Where it stands.")
    revision: Word | None = Field(default=None, description="Digest of the admitted revision that is in place.")
    message: Message | None = Field(default=None, description="What stands in the way, if anything does.")
    applications: Annotated[tuple[ApplicationStatus, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Its Applications; where there is no room for all, those in trouble."
    )


class EnvironmentStatus(Model):
    """One environment."""

    name: Word = Field(description="Name of the environment.")
    stage: Word | None = Field(default=None, description="Its stage.")
    target: Word | None = Field(default=None, description="Its target.")
    gate: Word | None = Field(default=None, description="The gate that opens it.")
    held: Message | None = Field(default=None, description="Why it gets nothing new, where that is so.")
    sites: Annotated[tuple[SiteStatus, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Where it stands on each site."
    )


class PlanStatus(Model):
    """What Apply would do, while spec.mode is Plan."""

    summary: Message = Field(description="The plan in a sentence.")
    changes: Annotated[tuple[Message, ...], Field(max_length=20), AtomicList()] = Field(
        default=(), description="The first changes of the plan."
    )


class Summary(Model):
    """The strings of the printer columns."""

    environments: Word = Field(description="Environments in place, of all declared.")
    next: Message = Field(description="Who must do what next.")


class ProjectOnboardingStatus(Model):
    """What the operator found."""

    observed_generation: int = Field(ge=-1, description="Generation that the last finished pass looked at; -1: none.")
    summary: Summary | None = Field(default=None, description="The strings of the printer columns.")
    stage: Word | None = Field(default=None, description="The step of the journey that the project has reached.")
    conditions: Annotated[tuple[Condition, ...], Field(max_length=10), MapList("type")] = Field(
        default=(), description="The conditions."
    )
    next_actions: Annotated[tuple[NextAction, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Who must do what next, most urgent first."
    )
    gates: Annotated[tuple[GateStatus, ...], Field(max_length=12), AtomicList()] = Field(
        default=(), description="The gates of the journey, in order."
    )
    environments: Annotated[tuple[EnvironmentStatus, ...], Field(max_length=40), AtomicList()] = Field(
        default=(), description="The environments, those on their way out last."
    )
    omitted_applications: int | None = Field(
        default=None, ge=1, description="Applications beyond those, for which there is no room here."
    )
    checks: Annotated[tuple[CheckStatus, ...], Field(max_length=24), AtomicList()] = Field(
        default=(), description="Checks that do not pass, worst first."
    )
    omitted_checks: int | None = Field(
        default=None, ge=1, description="Checks beyond those, for which there is no room here."
    )
    plan: PlanStatus | None = Field(default=None, description="What Apply would do, while spec.mode is Plan.")


class PlatformStatus(Model):
    """What the operator found of an OnboardingPolicy or a HostingTarget."""

    observed_generation: int = Field(ge=-1, description="Generation that was looked at; -1: none.")
    conditions: Annotated[tuple[Condition, ...], Field(max_length=5), MapList("type")] = Field(
        default=(), description="Ready: whether it can be used; the message names the field that is wrong."
    )
