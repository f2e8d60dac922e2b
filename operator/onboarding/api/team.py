"""People and groups of a project: part of the ProjectOnboarding."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Email, Group, Model, Seen
from onboarding.api.markers import MapList, Rule, SetList

PersonName = Annotated[str, Field(min_length=1, max_length=100), Seen]
Groups = Annotated[tuple[Group, ...], Field(max_length=20), SetList()]
PersonaGroups = Annotated[
    dict[str, Groups],
    Field(max_length=8),
    Rule(
        "self.all(k, k.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$') && size(k) <= 20)",
        "a persona is named in lower-case letters, digits and hyphens, as in the OnboardingPolicy",
    ),
]
"""Groups of the identity provider by persona."""
Username = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._@:/#+=,|~\\-]+$")]
"""A user name of the identity provider, in ASCII, so that no letter passes for another."""
Role = Annotated[str, Field(min_length=1, max_length=63), Seen]


class Affiliation(StrEnum):
    """Employer of a person: the administration that the project belongs to, or somebody else."""

    INTERNAL = "Internal"
    EXTERNAL = "External"


class Person(Model):
    """A person with a mail address and, if the policy makes user names of it, a user name."""

    name: PersonName = Field(description="First name and last name.")
    email: Email = Field(description="Mail address that reaches this person.")
    username: Username | None = Field(
        default=None,
        description="User name at the identity provider, without the prefix of the API servers. Needed for approvals "
        "if the policy has `identity.claim: username`.",
    )


class TeamMember(Person):
    """Person of the team, with roles."""

    roles: Annotated[tuple[Role, ...], Field(max_length=10), SetList()] = Field(
        default=(), description="Roles in the project, such as development or operations."
    )
    affiliation: Affiliation | None = Field(
        default=None,
        description="Whether this person belongs to the organisation (Internal) or to a supplier (External). The check "
        "ExternalsAllowed takes an absent one for neither.",
    )
    groups: Groups = Field(
        default=(),
        description="Groups of the identity provider that this person is in, of those that the project names. This "
        "list gives no access; ExternalsAllowed needs it for externals.",
    )


class Team(Model):
    """Team of the project. People are documentation; access follows the groups alone."""

    people: Annotated[tuple[TeamMember, ...], Field(max_length=100), MapList("email")] = Field(
        default=(), description="People of the team; this list gives no access."
    )
    groups: PersonaGroups = Field(
        default_factory=dict,
        description="Groups of the identity provider per persona of the policy (admin, developer, viewer, ...).",
    )
    poa: Person | None = Field(
        default=None,
        description="Operational application pilot: answers for production, and neither builds nor runs the project.",
    )
