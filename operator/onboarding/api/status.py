"""Status of a ProjectOnboarding: conditions, gates, environments and next actions. At most 8 KiB."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model
from onboarding.api.gates import Actor, Severity, Track
from onboarding.api.markers import AtomicList, MapList


class ConditionType(StrEnum):
    """Types of conditions. Reconciling, Stalled, Drifted and Suspended are present only while they are true."""

    READY = "Ready"
    """Whether all that is admitted is in place, and nothing that is declared is refused."""
    UP_TO_DATE = "UpToDate"
    """Whether everything that this generation declares is in place, and nothing else."""
    RECONCILING = "Reconciling"
    """The operator is at work or retries; the reason is that of Ready."""
    STALLED = "Stalled"
    """The operator waits for a person; the reason is that of Ready."""
    PREREQUISITES_MET = "PrerequisitesMet"
    """Whether every declared environment passes its checks and its gate."""
    PROVISIONED = "Provisioned"
    """Whether something is admitted, and its objects are in place."""
    APPLICATIONS_HEALTHY = "ApplicationsHealthy"
    """Whether Argo CD reports every Application as Healthy; does not affect Ready."""
    DRIFTED = "Drifted"
    """An object is not as it was written, and the operator cannot correct it; reason and message are those of Ready."""
    SUSPENDED = "Suspended"
    """A decision suspends the project."""


class Reason(StrEnum):
    """Every reason a condition may carry; never built from text."""

    READY = "Ready"
    """Every environment is in place."""
    ENVIRONMENTS_HELD = "EnvironmentsHeld"
    """What is admitted is in place; environments get nothing new, because a gate, a decision, the policy or
    `mode: Plan` holds them."""
    HELD = "Held"
    """Nothing is admitted yet, or a teardown waits for the policy."""
    PLANNED = "Planned"
    """`mode` is `Plan` and nothing is in place; `status.plan` shows the changes that Apply would make."""
    APPLYING = "Applying"
    """A write waits for a namespace that is being deleted, or for a quota that is not in force."""
    RETRYING = "Retrying"
    """A write was refused or met a newer object; the message holds the server's answer."""
    DRIFTED = "Drifted"
    """An admission policy of the cluster changes what the operator writes, or somebody undoes it again and again."""
    FOREIGN_GUARDS = "ForeignGuards"
    """A namespace holds guard rails that others have made, and the policy calls that blocking."""
    REMOVING = "Removing"
    """An environment is being removed; the message names what the removal waits for."""
    CONFLICT = "Conflict"
    """An object that the operator does not own has a name that the project needs."""
    NAMESPACE_GONE = "NamespaceGone"
    """The namespace of an admitted environment is gone; the message says what holds its return."""
    FORMER_INCARNATION = "FormerIncarnation"
    """An object of a deleted project of the same name has a name that the project needs; nothing is lost."""
    REFUSED = "Refused"
    """Only a change of the spec resolves it: a rule is broken, an environment names something that does not exist or is
    not allowed, or a quota would fall below its use; the message names it. What is admitted stays in place."""
    UP_TO_DATE = "UpToDate"
    """Everything that is declared is in place."""
    NOTHING_ADMITTED = "NothingAdmitted"
    """No environment is admitted."""
    TARGET_UNREACHABLE = "TargetUnreachable"
    """A cluster, or its admission policies, give no usable answer."""
    TARGET_MISSING = "TargetMissing"
    """No HostingTarget names a site that the project is on; what is there is repaired as long as it is connected."""
    GUARD_MISSING = "GuardMissing"
    """An admission policy of a cluster is not in force, so the cluster gets no writes."""
    ARGOCD_MISSING = "ArgoCDMissing"
    """A cluster does not serve the kinds of Argo CD."""
    AWAITING_CONFIRMATION = "AwaitingConfirmation"
    """A removal waits for a `ConfirmDelete` decision."""
    TEARDOWN_HELD = "TeardownHeld"
    """All teardowns are stopped, because too many projects are being deleted at once."""
    TEARING_DOWN = "TearingDown"
    """The project's objects are being removed; the message names what blocks the removal."""
    CHECKS_PASSED = "ChecksPassed"
    """Every blocking check passes."""
    CHECKS_FAILED = "ChecksFailed"
    """A blocking check does not pass; `status.checks` names it, its remedy and its actor."""
    NOT_REPORTED = "NotReported"
    """Argo CD has not reported on every Application."""
    NO_APPLICATIONS = "NoApplications"
    """The project has no Applications."""
    APPLICATIONS_HEALTHY = "ApplicationsHealthy"
    """Argo CD reports every Application as Healthy."""
    APPLICATIONS_UNHEALTHY = "ApplicationsUnhealthy"
    """Argo CD reports an Application that is not Healthy; the message names the worst."""
    PROVISIONED = "Provisioned"
    """The objects of all that is admitted are in place."""
    INCOMPLETE = "Incomplete"
    """An object of what is admitted is missing, or an environment is being removed."""
    SUSPENDED = "Suspended"
    """A decision suspends the project: existing objects stay, nothing new is admitted."""
    ACCEPTED = "Accepted"
    """The policy or target is valid and in use."""
    INVALID = "Invalid"
    """The policy or target is not valid; the message names the field."""
    NEWER_THAN_OPERATOR = "NewerThanOperator"
    """The object has a field or value that this version does not know; what is admitted stays."""


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
    message: Message = Field(description="Meaning, and what to do.")
    observed_generation: int = Field(ge=0, description="Generation that the condition is about.")
    last_transition_time: Time = Field(description="When the status last changed.")


class NextAction(Model):
    """Next action of an actor."""

    actor: Actor = Field(description="Actor who has to act.")
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
    next_actor: Actor = Field(description="Actor who has to act.")
    digest: Word | None = Field(default=None, description="Digest that an Attest decision of this check must name.")
    since: Time = Field(description="Time since which the result has been the same.")


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
    digest: Word | None = Field(default=None, description="Digest that an Approve decision of this gate must name.")


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
    sites: Annotated[tuple[SiteStatus, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="State on each site."
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
    plan: PlanStatus | None = Field(default=None, description="Changes that Apply would make, while spec.mode is Plan.")


class PlatformStatus(Model):
    """Status of an OnboardingPolicy or a HostingTarget."""

    observed_generation: int = Field(ge=-1, description="Generation that the operator has read; -1: none.")
    conditions: Annotated[tuple[Condition, ...], Field(max_length=5), MapList("type")] = Field(
        default=(), description="Ready: whether the operator can use it; the message names the field that is wrong."
    )
