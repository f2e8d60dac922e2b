"""OnboardingDecision: one decision of a person with the right to it, about one project."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.capacity import Budget
from onboarding.api.common import Model, Moment, ObjectName, ShortName
from onboarding.api.gates import CheckId
from onboarding.api.markers import Rule, SetList, rules

Username = Annotated[str, Field(min_length=1, max_length=253)]
Digest = Annotated[str, Field(max_length=67, pattern=r"^v1:[0-9a-f]{64}$")]
"""Of exactly the fields that were looked at, as the project's status shows it."""


class Decision(StrEnum):
    """What is decided."""

    APPROVE = "Approve"
    """A gate: counts while the fields that its checks read stay as they are."""
    REJECT = "Reject"
    """A gate: holds until its author takes it back."""
    WAIVE = "Waive"
    """A check, until a date."""
    ATTEST = "Attest"
    """A check that a person answers for, until a date."""
    GRANT = "Grant"
    """A higher budget, until a date."""
    SUSPEND = "Suspend"
    """A project or one environment: nothing new, what is there stays."""
    CONFIRM_DELETE = "ConfirmDelete"
    """The deletion of a project or of one environment."""


class ProjectReference(Model):
    """The project that a decision is about; the UID keeps it from counting for a project re-created under the name."""

    name: ObjectName = Field(description="Name of the ProjectOnboarding.")
    uid: Annotated[str, Field(min_length=36, max_length=36, pattern=r"^[0-9a-f-]+$")] = Field(
        description="metadata.uid of the ProjectOnboarding."
    )


class Author(Model):
    """Who decides; the admission policy demands that it equals the authenticated user."""

    username: Username = Field(description="Name of the user, as the API server knows it.")
    groups: Annotated[tuple[Username, ...], Field(max_length=200), SetList()] = Field(
        default=(), description="All groups of the user, as the API server knows them."
    )


class Grant(Model):
    """A higher budget."""

    production: Budget | None = Field(default=None, description="In place of the ceiling of production stages.")
    non_production: Budget | None = Field(default=None, description="In place of the ceiling of all other stages.")


def _needs(field: str, *decisions: Decision) -> Rule:
    kinds = ", ".join(f"'{decision.value}'" for decision in decisions)
    named = " and ".join(decision.value for decision in decisions)
    return Rule(
        f"(self.decision in [{kinds}]) == has(self.{field})",
        f"{field} is given with {named}, and with nothing else",
    )


@rules(
    Rule("self == oldSelf", "a decision is never changed: delete it and write another"),
    _needs("gate", Decision.APPROVE, Decision.REJECT),
    _needs("approval", Decision.APPROVE, Decision.REJECT),
    _needs("check", Decision.WAIVE, Decision.ATTEST),
    _needs("digest", Decision.APPROVE, Decision.ATTEST),
    _needs("expires", Decision.WAIVE, Decision.ATTEST, Decision.GRANT),
    _needs("grant", Decision.GRANT),
    Rule(
        "!has(self.environment) || self.decision in ['Waive', 'Suspend', 'ConfirmDelete']",
        "only Waive, Suspend and ConfirmDelete may be about one environment",
    ),
)
class OnboardingDecisionSpec(Model):
    """What is decided, about which project, by whom and why."""

    decision: Decision = Field(description="What is decided.")
    project: ProjectReference = Field(description="The project it is about.")
    gate: ShortName | None = Field(default=None, description="Gate that is approved or rejected.")
    approval: ShortName | None = Field(default=None, description="Which of the gate's approvals this is.")
    check: CheckId | None = Field(default=None, description="Check that is waived or attested.")
    environment: ShortName | None = Field(default=None, description="Environment it is about. Default: the project.")
    digest: Digest | None = Field(
        default=None, description="What was looked at, from status.gates or status.checks of the project."
    )
    grant: Grant | None = Field(default=None, description="The higher budget.")
    expires: Moment | None = Field(default=None, description="Until when it counts.")
    by: Author = Field(description="Who decides.")
    reason: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="Why, in a sentence.")
