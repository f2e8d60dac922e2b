"""Sums of resources: what a site offers, and what one project may take in all."""

from pydantic import Field

from onboarding.api.common import Model, Quantity


class Budget(Model):
    """Sums over environments; what is not named is not limited."""

    cpu: Quantity | None = Field(default=None, description="Sum of CPU.")
    memory: Quantity | None = Field(default=None, description="Sum of memory.")
    storage: Quantity | None = Field(default=None, description="Sum of persistent volume claims.")
    gpu: int | None = Field(default=None, ge=0, le=100000, description="Number of GPUs.")


class Ceilings(Model):
    """What the environments of one project may take in all, on all sites together."""

    production: Budget = Field(default_factory=Budget, description="Environments of production stages.")
    non_production: Budget = Field(default_factory=Budget, description="All other environments.")
