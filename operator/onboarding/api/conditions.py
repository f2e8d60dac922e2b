"""Conditions: their types, every reason, and the status of a policy or target."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model, ObjectName
from onboarding.api.markers import AtomicList, MapList

Word = Annotated[str, Field(max_length=100)]
Message = Annotated[str, Field(max_length=512)]
Time = Annotated[str, Field(max_length=30, json_schema_extra={"format": "date-time"})]


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
    ARGOCD_SAFE = "ArgoCDSafe"
    """On a HostingTarget: whether the settings of its Argo CDs are safe; does not affect Ready."""
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
    """A decision suspends the project: existing objects stay, nothing new is admitted, Argo CD does not sync."""
    SETTINGS_SAFE = "SettingsSafe"
    """The settings of every Argo CD of the target are safe."""
    SETTINGS_UNSAFE = "SettingsUnsafe"
    """A setting of an Argo CD is unsafe; the message names it and the remedy."""
    SETTINGS_UNKNOWN = "SettingsUnknown"
    """The settings of an Argo CD cannot be read; the message names the cause and the remedy."""
    ACCEPTED = "Accepted"
    """The policy or target is valid and in use."""
    INVALID = "Invalid"
    """The policy or target is not valid; the message names the field."""
    NEWER_THAN_OPERATOR = "NewerThanOperator"
    """The object has a field or value that this version does not know; what is admitted stays."""


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


class PlatformStatus(Model):
    """Status of an OnboardingPolicy or a HostingTarget."""

    observed_generation: int = Field(ge=-1, description="Generation that the operator has read; -1: none.")
    conditions: Annotated[tuple[Condition, ...], Field(max_length=5), MapList("type")] = Field(
        default=(),
        description="Ready: whether the operator can use it; the message names the field that is wrong. ArgoCDSafe, on "
        "a target: whether its Argo CDs have safe settings.",
    )


class PolicyChange(Model):
    """Effect of a change of the policy's spec on the projects."""

    generation: int = Field(ge=1, description="Generation of the spec that the change led to.")
    former_generation: int = Field(
        ge=1, description="Generation that it is compared with: the last one under which every project was reconciled."
    )
    environments_held: int = Field(
        ge=0,
        description="Environments that were not held under the former generation and get nothing new under this one: "
        "they wait, or their gate no longer opens, so that their next change waits.",
    )
    quotas_changed: int = Field(
        ge=0, description="Quotas of environments, one for each site, that have other amounts under this generation."
    )
    projects: int = Field(ge=0, description="Projects with such an environment or quota.")
    named: Annotated[tuple[ObjectName, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="The first ten of these projects, those with held environments first, then by name."
    )
    pending: int = Field(
        ge=0, description="Projects that have not been reconciled under this generation yet; 0 once the count is final."
    )
    not_compared: int = Field(
        ge=0,
        description="Projects that are not counted: new, edited at the same time, or not reconciled under the former "
        "generation since the operator started.",
    )
    holds_every_project: bool = Field(
        description="Whether no project is left that the change does not hold; of projects with environments."
    )


class PolicyStatus(PlatformStatus):
    """Status of an OnboardingPolicy."""

    last_change: PolicyChange | None = Field(
        default=None,
        description="Effect of the last change of the spec on the projects, for the policy in use; absent before the "
        "first change that the operator has seen.",
    )
