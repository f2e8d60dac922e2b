"""OnboardingDecision: one decision by a person who has the right to it; immutable and bound to a project's UID."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model, ObjectName, ShortName
from onboarding.api.markers import Rule, SetList, rules

Username = Annotated[str, Field(min_length=1, max_length=253)]


class Decision(StrEnum):
    """What is decided."""

    CONFIRM_DELETE = "ConfirmDelete"


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


@rules(Rule("self == oldSelf", "a decision is never changed: delete it and write another"))
class OnboardingDecisionSpec(Model):
    """What is decided, about which project, by whom and why."""

    decision: Decision = Field(description="What is decided.")
    project: ProjectReference = Field(description="The project it is about.")
    environment: ShortName | None = Field(
        default=None, description="Environment whose removal is confirmed. Default: the whole project's."
    )
    by: Author = Field(description="Who decides.")
    reason: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="Why, in a sentence.")
