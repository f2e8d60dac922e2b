"""Journeys that a project chooses from, each with its end and its limits: part of the OnboardingPolicy."""

from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model, ShortName, Text
from onboarding.api.markers import SetList

ApprovalName = Annotated[
    str, Field(min_length=3, max_length=41, pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?:[a-z]([a-z0-9-]*[a-z0-9])?$")
]
"""An approval with its gate, such as ``awareness:demand-pilot``."""


class JourneyRule(Model):
    """End and limits of one journey."""

    name: ShortName = Field(description="Name of the journey, which projects write into spec.journey.")
    description: Text = Field(default="", description="Description of the journey, in a sentence.")
    last_gate: ShortName = Field(
        description="Last gate of the journey: an environment behind a later gate is held, and later gates ask nobody."
    )
    maximum_size: ShortName | None = Field(
        default=None,
        description="Size of the policy that no resource of an environment is above. Default: any size. An environment "
        "that has more already keeps it.",
    )
    expires_after_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        default=None,
        description="Days from the creation of the project to the day on which the journey expires; the status shows "
        "the day, and a warning from 30 days before. Default: it does not expire.",
    )
    lifted_approvals: Annotated[tuple[ApprovalName, ...], Field(max_length=20), SetList()] = Field(
        default=(),
        description="Approvals, as <gate>:<approval>, that projects of this journey do not need; none of a gate that "
        "opens a production stage.",
    )
