"""What a project says of its data and its traffic: parts of ProjectOnboarding that placement and network rest on."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.addresses import NetworkCidr
from onboarding.api.common import Model, Port, Seen, ShortName, ZoneName
from onboarding.api.markers import AtomicList, Rule, SetList, rules


class Criticality(StrEnum):
    """How much depends on the project."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VITAL = "vital"


class Classification(Model):
    """Sensitivity of the project."""

    zone: ZoneName | None = Field(default=None, description="Sensitivity zone that the data demands, such as NP or DR.")
    criticality: Criticality = Field(default=Criticality.LOW, description="Criticality of the project.")
    residency: Annotated[str, Field(max_length=10, pattern=r"^[A-Z]*$")] = Field(
        default="", description="Territory that data must not leave, such as FR. Default: none."
    )
    personal_data: bool = Field(default=False, description="Whether personal data is processed.")


class Direction(StrEnum):
    """Which way connections are opened."""

    EGRESS = "Egress"
    INGRESS = "Ingress"


class Protocol(StrEnum):
    """A transport protocol."""

    TCP = "TCP"
    UDP = "UDP"


@rules(
    Rule(
        "has(self.zone) != has(self.environment)",
        "a flow has one other end: give either zone or environment",
    ),
    Rule("has(self.zone) || !has(self.cidrs)", "cidrs narrow a zone: give zone, or leave cidrs out"),
)
class Flow(Model):
    """Connections that the project needs; all others are refused."""

    name: ShortName = Field(description="Name of the flow within the project; part of the NetworkPolicy's name.")
    direction: Direction = Field(default=Direction.EGRESS, description="Direction in which connections are opened.")
    zone: ZoneName | None = Field(default=None, description="Network zone of the target at the other end.")
    environment: ShortName | None = Field(
        default=None, description="Environment of this project at the other end, on the same cluster."
    )
    cidrs: Annotated[tuple[NetworkCidr, ...], Field(max_length=20), AtomicList()] = Field(
        default=(), description="Networks within the zone. Default: the whole zone."
    )
    port: Port = Field(description="Port at the end that is connected to.")
    protocol: Protocol = Field(default=Protocol.TCP, description="Transport protocol.")
    environments: Annotated[tuple[ShortName, ...], Field(max_length=20), SetList()] = Field(
        default=(), description="Environments that need the flow. Default: all."
    )
    justification: Annotated[str, Field(min_length=1, max_length=255), Seen] = Field(description="Purpose of the flow.")

    def concerns(self, environment: str) -> bool:
        """Return whether an environment of this name needs the flow; none needs one to itself."""
        return environment != self.environment and (not self.environments or environment in self.environments)
