"""The gates of the journey and what blocks them: part of the OnboardingPolicy."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model, ObjectName, ShortName, Text
from onboarding.api.markers import MapList, Rule, SetList, rules


class Actor(StrEnum):
    """Who has to act."""

    PROJECT = "project"
    POA = "poa"
    """The operational application pilot, who answers for production and neither builds nor runs."""
    SERVICE_TEAM = "service-team"
    NETWORK = "network"
    DBA = "dba"
    SECURITY = "security"
    OPERATIONS = "operations"
    PLATFORM = "platform"
    OPERATOR = "operator"


class Track(StrEnum):
    """The two tracks of prerequisites."""

    ORGANISATIONAL = "Organisational"
    TECHNICAL = "Technical"


class Severity(StrEnum):
    """What a check that does not pass means at its gate."""

    BLOCKING = "Blocking"
    WARNING = "Warning"
    IGNORED = "Ignored"


CheckId = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z0-9]*$")]
"""Identity of a check, such as ImageCompliant."""

Names = Annotated[tuple[ObjectName, ...], Field(max_length=20), SetList()]
Stages = Annotated[tuple[ShortName, ...], Field(max_length=20), SetList()]


class Approval(Model):
    """A decision of a person that a gate demands."""

    name: ShortName = Field(description="Name of the approval; the right to it is `approve` on `<gate>:<name>`.")
    actor: Actor = Field(description="Who gives it.")


class Opening(Model):
    """Environments behind a gate."""

    stages: Annotated[tuple[ShortName, ...], Field(min_length=1, max_length=20), SetList()] = Field(
        description="Stages of these environments."
    )
    targets: Names = Field(default=(), description="Targets of these environments. Default: every target.")


class Gate(Model):
    """The gate into a step of the journey."""

    name: ShortName = Field(description="Name of the step that lies behind the gate.")
    description: Text = Field(default="", description="What the step is, in a sentence.")
    opens: Annotated[tuple[Opening, ...], Field(max_length=10)] = Field(
        default=(), description="Environments that this gate opens. Default: none, a step of people."
    )
    approvals: Annotated[tuple[Approval, ...], Field(max_length=5), MapList("name")] = Field(
        default=(), description="Decisions of people that the gate demands."
    )


class CheckRule(Model):
    """Where a check counts."""

    id: CheckId = Field(description="The check, by its identity in the catalogue.")
    gate: ShortName = Field(description="The one gate that it blocks; at the gates before it warns.")
    severity: Severity = Field(default=Severity.BLOCKING, description="What it means there.")


@rules(
    Rule(
        "has(self.journey) || has(self.track) || has(self.target) || has(self.checks)",
        "an override names a journey, a track, a target or checks: one that names nothing would change every check",
    )
)
class Override(Model):
    """Another severity for some checks; the last that matches wins."""

    journey: ShortName | None = Field(default=None, description="Projects of this journey. Default: all.")
    track: Track | None = Field(default=None, description="Checks of this track. Default: both.")
    target: ObjectName | None = Field(default=None, description="Environments on this target. Default: all.")
    checks: Annotated[tuple[CheckId, ...], Field(max_length=60), SetList()] = Field(
        default=(), description="These checks. Default: all."
    )
    severity: Severity = Field(description="What they mean there.")
