"""Names of users and groups, as API servers and Argo CDs form them from those of the identity provider."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from onboarding.api.common import Model
from onboarding.api.markers import Rule

_KUBERNETES: Final = "system:"
_NOT_KUBERNETES: Final = Rule(
    f"!self.startsWith('{_KUBERNETES}')", "names that begin with system: belong to Kubernetes: choose another prefix"
)

UsernamePrefix = Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9/_.@:#-]*$"), _NOT_KUBERNETES]
GroupPrefix = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9/_.@:-]*$"), _NOT_KUBERNETES]
GroupPrefixes = tuple[GroupPrefix, ...]


class Claim(StrEnum):
    """Claim of the identity provider that API servers make user names of."""

    EMAIL = "email"
    USERNAME = "username"


class GroupNames(Model):
    """Form of groups at one API server or in one Argo CD."""

    group_prefix: GroupPrefix | None = Field(
        default=None,
        description="Prefix of groups there; the empty string is none. Default: at an API server that of the policy, "
        "in Argo CD none.",
    )


class Identity(Model):
    """Form of user names and groups at the API servers; a project declares them without prefixes."""

    username_prefix: UsernamePrefix | None = Field(
        default=None, description="Prefix of user names (--oidc-username-prefix of the API servers). Default: none."
    )
    group_prefix: GroupPrefix | None = Field(
        default=None,
        description="Prefix of groups (--oidc-groups-prefix of the API servers). A declared group that already begins "
        "with it is the same group. Default: none.",
    )
    claim: Claim | None = Field(
        default=None,
        description="Claim that user names are made of: email, or username, which is `username` of the people of a "
        "project. Default: email.",
    )
    plus_tags: bool | None = Field(
        default=None,
        description="Whether the identity provider lets one person have addresses with tags, such as ada+x@example.org "
        "for ada@example.org; then both are one person. Default: no.",
    )


def bare_group(group: str, prefixes: Iterable[str]) -> str:
    """Return a declared group without the longest of these prefixes that it has: the identity provider's name."""
    found = max((prefix for prefix in prefixes if group.startswith(prefix)), key=len, default="")
    return group[len(found) :] or group


def group_with(prefix: str, group: str, prefixes: Iterable[str] = ()) -> str:
    """Return a declared group in the form of a place with this prefix; ``prefixes`` are others that it may have.

    A group of Kubernetes never comes of it: such a group stays as it is declared.
    """
    name = prefix + bare_group(group, (prefix, *prefixes))
    return group if name.startswith(_KUBERNETES) else name
