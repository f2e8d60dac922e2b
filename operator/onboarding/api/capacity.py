"""Sums of resources: capacity of a site, ceilings of a project."""

from pydantic import Field

from onboarding.api.common import Model, Quantity


class Budget(Model):
    """Sums over environments; an absent field sets no limit."""

    cpu: Quantity | None = Field(default=None, description="Sum of CPU.")
    memory: Quantity | None = Field(default=None, description="Sum of memory.")
    storage: Quantity | None = Field(default=None, description="Sum of persistent volume claims.")
    gpu: int | None = Field(default=None, ge=0, le=100000, description="Number of GPUs.")


class Ceilings(Model):
    """Sums that the environments of one project may use, on all sites together."""

    production: Budget = Field(default_factory=Budget, description="Environments of production stages.")
    non_production: Budget = Field(default_factory=Budget, description="All other environments.")
