"""Gates of the journey and the checks that block them: part of the OnboardingPolicy."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model, ObjectName, ShortName, Text
from onboarding.api.markers import MapList, Rule, SetList, rules


class Actor(StrEnum):
    """Actor: the party that has to act. These are those of a policy that lists none in `spec.actors`."""

    PROJECT = "project"
    """The project team."""
    POA = "poa"
    """The operational application pilot, who answers for production and neither builds nor runs."""
    SERVICE_TEAM = "service-team"
    """The service team, which accompanies projects on their journey."""
    NETWORK = "network"
    """The network team, which opens flows by hand."""
    DBA = "dba"
    """The database administrators."""
    SECURITY = "security"
    """The security team."""
    OPERATIONS = "operations"
    """The operations team."""
    PLATFORM = "platform"
    """The platform team, which owns policies, targets and clusters."""
    OPERATOR = "operator"
    """The operator itself; nobody else has to act."""


class Track(StrEnum):
    """The two tracks of prerequisites."""

    ORGANISATIONAL = "Organisational"
    TECHNICAL = "Technical"


class Severity(StrEnum):
    """Effect of a failed check at its gate."""

    BLOCKING = "Blocking"
    WARNING = "Warning"
    IGNORED = "Ignored"


CheckId = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z0-9]*$")]
"""Identity of a check, such as ImageCompliant."""

Names = Annotated[tuple[ObjectName, ...], Field(max_length=20), SetList()]
Stages = Annotated[tuple[ShortName, ...], Field(max_length=20), SetList()]


class Coverage(StrEnum):
    """Group of the declared fields of an environment that an approval covers."""

    ADMISSION = "Admission"
    """That it exists, its stage, target, sites and namespace, the journey, the classification, the deciding groups, and
    what the checks of the gate read."""
    CONFIGURATION = "Configuration"
    """Size or resources, groups with rights there, flows, domains, exposures, labels, windows, auto-sync, and URLs and
    logins of its repositories."""
    RELEASE = "Release"
    """Revision, path, chart, version and values of what is deployed."""


class Approval(Model):
    """Approval that a gate requires from a person; if the gate opens environments, for each of them."""

    name: ShortName = Field(description="Name of the approval; the right to it is `approve` on `<gate>:<name>`.")
    actor: ShortName = Field(
        description="Actor who gives the approval: one of spec.actors, or of the default ones if there are none."
    )
    covers: Annotated[tuple[Coverage, ...], Field(max_length=3), SetList()] = Field(
        default=(),
        description="Groups of fields of an environment that the approval covers: a change in one of them waits until "
        "it is approved. Release demands `pinned` of the stages behind the gate; a persona demands Admission. Default: "
        "Admission.",
    )
    persona: ShortName | None = Field(
        default=None,
        description="Deciding persona of the project: only a member of the groups that the project gives it approves. "
        "Default: anybody with the right to it.",
    )

    @property
    def covered(self) -> frozenset[Coverage]:
        """The groups of fields that the approval covers: with a persona also Admission, which has its groups."""
        given = frozenset(self.covers)
        return given if given and not self.persona else given | {Coverage.ADMISSION}


class Opening(Model):
    """Environments behind a gate."""

    stages: Annotated[tuple[ShortName, ...], Field(min_length=1, max_length=20), SetList()] = Field(
        description="Stages of these environments."
    )
    targets: Names = Field(default=(), description="Targets of these environments. Default: every target.")


class Gate(Model):
    """Gate that leads into a step of the journey."""

    name: ShortName = Field(description="Name of the step behind the gate.")
    description: Text = Field(default="", description="Description of the step, in a sentence.")
    opens: Annotated[tuple[Opening, ...], Field(max_length=10)] = Field(
        default=(), description="Environments that this gate opens. Default: none; the step consists of decisions only."
    )
    approvals: Annotated[tuple[Approval, ...], Field(max_length=5), MapList("name")] = Field(
        default=(), description="Approvals that the gate requires."
    )


class CheckRule(Model):
    """Assignment of a check to a gate."""

    id: CheckId = Field(description="Id of the check in the catalogue.")
    gate: ShortName = Field(description="Gate that the check blocks; at earlier gates the check warns.")
    severity: Severity = Field(default=Severity.BLOCKING, description="Effect of a failure at the gate.")


@rules(
    Rule(
        "has(self.journey) || has(self.track) || has(self.target) || has(self.checks)",
        "an override names a journey, a track, a target or checks: one that names nothing would change every check",
    )
)
class Override(Model):
    """Another severity for some checks; the last that matches wins."""

    journey: ShortName | None = Field(
        default=None,
        description="Projects of this journey, at gates up to its last one. Default: all projects, at all gates.",
    )
    track: Track | None = Field(default=None, description="Checks of this track. Default: both.")
    target: ObjectName | None = Field(default=None, description="Environments on this target. Default: all.")
    checks: Annotated[tuple[CheckId, ...], Field(max_length=60), SetList()] = Field(
        default=(), description="Ids of the checks. Default: all."
    )
    gates: Annotated[tuple[ShortName, ...], Field(max_length=12), SetList()] = Field(
        default=(),
        description="Gates at which it counts. Default: all. With a journey, none of them opens a production stage.",
    )
    severity: Severity = Field(description="Effect of a failure.")
