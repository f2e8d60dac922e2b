"""Longest life of decisions: part of the OnboardingPolicy."""

from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model

Days = Annotated[int, Field(ge=1, le=3650)]


class DecisionLimits(Model):
    """Days after its creation for which a decision counts at most, whatever its `expires` says."""

    maximum_waiver_days: Days | None = Field(default=None, description="Days of a Waive decision. Default: no limit.")
    maximum_attestation_days: Days | None = Field(
        default=None, description="Days of an Attest decision. Default: no limit."
    )
    maximum_grant_days: Days | None = Field(default=None, description="Days of a Grant decision. Default: no limit.")
