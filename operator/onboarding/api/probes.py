"""How probes reach the outside world: part of the OnboardingPolicy, because only the platform may decide that."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Cidr, Model, SecretKey
from onboarding.api.markers import AtomicList, MapList, Rule

HttpsUrl = Annotated[
    str,
    Field(max_length=300, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/%{}?=&\"+-]*)?$"),
    Rule("!self.contains('..')", "a URL holds no '..': write the path in full"),
]


class TokenSecret(SecretKey):
    """A token in a Secret of the operator's namespace."""

    key: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")] = Field(
        default="token", description="Key within the Secret."
    )


class Directory(StrEnum):
    """How the identity provider is asked for a group."""

    SCIM = "SCIM"
    """GET ``<url>/Groups?filter=displayName eq "<group>"`` (RFC 7644, section 3.4.2)."""
    LOOKUP = "Lookup"
    """GET the URL with ``{group}`` replaced: 200 with a body other than an empty list means found, 404 not found."""


class IdentityProvider(Model):
    """Identity provider for group lookups."""

    kind: Directory = Field(default=Directory.SCIM, description="Protocol of the group lookup.")
    url: HttpsUrl = Field(description="Base URL of SCIM, or the URL of a lookup with {group} in it.")
    token_secret: TokenSecret | None = Field(
        default=None, description="Bearer token, from a Secret in the operator's namespace. Default: none."
    )


class Credential(Model):
    """A login for one host."""

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")] = Field(
        description="Host, with a port if it is not the scheme's default."
    )
    username: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9@._+-]*$")] = Field(
        default="", description="User of HTTP basic authentication. Default: the token is sent as bearer."
    )
    token_secret: TokenSecret = Field(description="Token or password, from a Secret in the operator's namespace.")


class Probes(Model):
    """Networks that probes may reach, and their logins."""

    allowed_networks: Annotated[tuple[Cidr, ...], Field(max_length=20), AtomicList()] = Field(
        default=(),
        description="Private networks that probes may reach. Other loopback, link-local, private and metadata "
        "addresses are refused; link-local and metadata addresses are refused even if listed.",
    )
    credentials: Annotated[tuple[Credential, ...], Field(max_length=20), MapList("host")] = Field(
        default=(), description="Logins for Git servers and registries, one per host."
    )
    identity_provider: IdentityProvider | None = Field(
        default=None, description="Identity provider for group lookups. Default: none; checks of groups are Unknown."
    )
    minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=30, description="Minutes for which an answer is fresh; after that the probe runs again."
    )
    maximum_age_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24, description="Hours after which an answer that cannot be renewed no longer counts."
    )
