"""OnboardingDecision: one decision of a person with the right to it, about one project."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.capacity import Budget
from onboarding.api.common import Model, Moment, ObjectName, Seen, ShortName
from onboarding.api.gates import CheckId
from onboarding.api.markers import Rule, SetList, rules

Username = Annotated[str, Field(min_length=1, max_length=253), Seen]
Digest = Annotated[str, Field(max_length=67, pattern=r"^v[12]:[0-9a-f]{64}$")]
"""Digest of exactly what was examined, fields or namespaces, as the project's status shows it."""


class Decision(StrEnum):
    """Kind of decision."""

    APPROVE = "Approve"
    """A gate: counts while the fields that its checks read stay unchanged."""
    REJECT = "Reject"
    """A gate: holds it until the author deletes the decision."""
    WAIVE = "Waive"
    """A check: does not count until a date."""
    ATTEST = "Attest"
    """A check that a person answers for: passes until a date."""
    GRANT = "Grant"
    """A higher budget, until a date."""
    SUSPEND = "Suspend"
    """A project or one environment: admits nothing new; existing objects stay and are repaired."""
    CONFIRM_DELETE = "ConfirmDelete"
    """The deletion of a project or of one environment."""


class ProjectReference(Model):
    """The project that a decision is about; the UID keeps it from counting for a project re-created under the name."""

    name: ObjectName = Field(description="Name of the ProjectOnboarding.")
    uid: Annotated[str, Field(min_length=36, max_length=36, pattern=r"^[0-9a-f-]+$")] = Field(
        description="metadata.uid of the ProjectOnboarding."
    )


class Author(Model):
    """Author of a decision; the admission policy demands that it equals the authenticated user."""

    username: Username = Field(description="Name of the user, as the API server knows it.")
    groups: Annotated[tuple[Username, ...], Field(max_length=200), SetList()] = Field(
        default=(), description="All groups of the user, as the API server knows them."
    )


class Grant(Model):
    """A higher budget."""

    production: Budget | None = Field(default=None, description="Replaces the ceiling of production stages.")
    non_production: Budget | None = Field(default=None, description="Replaces the ceiling of all other stages.")


def _needs(field: str, *decisions: Decision, optional: Decision | None = None) -> Rule:
    """Return the rule that a field is given with these decisions alone; with an ``optional`` one it may be."""
    kinds = ", ".join(f"'{decision.value}'" for decision in decisions)
    named = " and ".join(decision.value for decision in decisions)
    rule = f"(self.decision in [{kinds}]) == has(self.{field})"
    if optional is None:
        return Rule(rule, f"{field} is given with {named}, and with nothing else")
    return Rule(
        f"self.decision == '{optional.value}' || {rule}",
        f"{field} is given with {named}, and may be with {optional.value}, and with nothing else",
    )


@rules(
    Rule("self == oldSelf", "a decision is never changed: delete it and write another"),
    _needs("gate", Decision.APPROVE, Decision.REJECT),
    _needs("approval", Decision.APPROVE, Decision.REJECT),
    _needs("check", Decision.WAIVE, Decision.ATTEST),
    _needs("digest", Decision.APPROVE, Decision.ATTEST, optional=Decision.CONFIRM_DELETE),
    _needs("expires", Decision.WAIVE, Decision.ATTEST, Decision.GRANT),
    _needs("grant", Decision.GRANT),
    Rule(
        "!has(self.environment) || self.decision != 'Grant'",
        "a Grant is about the whole project: leave environment out",
    ),
)
class OnboardingDecisionSpec(Model):
    """One decision: its kind, project, author and reason."""

    decision: Decision = Field(description="Kind of decision.")
    project: ProjectReference = Field(description="Project that the decision is about.")
    gate: ShortName | None = Field(default=None, description="Gate that is approved or rejected.")
    approval: ShortName | None = Field(
        default=None, description="Approval of the gate that this decision gives or refuses."
    )
    check: CheckId | None = Field(default=None, description="Check that is waived or attested.")
    environment: ShortName | None = Field(
        default=None, description="Environment that the decision is about. Default: the whole project."
    )
    digest: Digest | None = Field(
        default=None,
        description="Digest of what was examined, from status.gates, status.checks or status.removals of the project. "
        "A ConfirmDelete without one confirms the namespaces that were created before it.",
    )
    grant: Grant | None = Field(default=None, description="Higher budget.")
    expires: Moment | None = Field(default=None, description="Time at which the decision stops counting.")
    by: Author = Field(description="Author of the decision.")
    reason: Annotated[str, Field(min_length=1, max_length=500), Seen] = Field(description="Reason, in a sentence.")
