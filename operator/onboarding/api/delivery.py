"""How Argo CD deploys: repositories and release windows of a project, and the platform's rules for both."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from onboarding.api.common import Model, ObjectName, Seen, ShortName, Text
from onboarding.api.markers import AtomicList, MapList, Rule, SetList, rules

RepositoryUrl = Annotated[
    str,
    Field(
        max_length=500,
        pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]+)?/|ssh://git@[A-Za-z0-9.-]+(:[0-9]+)?/|git@[A-Za-z0-9.-]+:)[A-Za-z0-9._~/-]+$",
    ),
    Rule("!self.contains('..')", "a repository URL holds no '..': write the path in full"),
    Rule(
        "!self.matches('(^git@.*|://.*)//') && !self.matches('[/:][.](/|$)')",
        "a repository URL names each folder once, between single slashes: leave '//' and '.' out",
    ),
]
"""A Git URL (https, http, ssh or scp-like) without credentials, globs or control characters."""

UrlPrefix = Annotated[str, Field(min_length=1, max_length=300), Seen]

GitRevision = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._/][A-Za-z0-9._/-]*$")]
GitPath = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._-][A-Za-z0-9._/-]*$"),
    Rule("!self.contains('..')", "a path stays inside its repository: it holds no '..'"),
]
ENVIRONMENT: Final = "<env>"
"""Stands in the name of a value file for the name of the environment."""
ValueFile = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^([A-Za-z0-9._-]|<env>)([A-Za-z0-9._/-]|<env>)*$"),
    Rule("!self.contains('..')", "a value file lies inside its repository: its path holds no '..'"),
]
ValueFiles = Annotated[tuple[ValueFile, ...], Field(max_length=10), AtomicList()]


class Helm(Model):
    """How a Helm chart is rendered."""

    release_name: ShortName | None = Field(default=None, description="Name of the release. Default: the Application's.")
    value_files: ValueFiles = Field(
        default=(),
        description="Value files, later ones win. <env> in a name stands for the environment's. Relative to the path, "
        "or to the root of valuesRepository.",
    )
    values_repository: ShortName | None = Field(
        default=None, description="Repository of this project that holds the value files. Default: the chart's own."
    )


@rules(
    Rule(
        "!has(self.chart) || !has(self.path) || self.path == '.'",
        "a chart comes from a Helm repository and has no path: give either chart or path",
    ),
    Rule(
        "!has(self.chart) || self.url.startsWith('https://') || self.url.startsWith('http://')",
        "a Helm repository is reached over http or https: give such a URL",
    ),
    Rule(
        "!has(self.chart) || (has(self.revision) && self.revision != 'HEAD')",
        "a chart has no HEAD: give its version as revision",
    ),
    Rule("!has(self.chart) || !has(self.recurse) || !self.recurse", "recurse is for plain directories, not for charts"),
    Rule("!has(self.recurse) || !self.recurse || !has(self.helm)", "recurse is for plain directories, not for Helm"),
)
class Repository(Model):
    """One infrastructure repository: every environment gets an Argo CD Application for it."""

    name: ShortName = Field(description="Name of the repository within the project; part of the Application's name.")
    url: RepositoryUrl = Field(description="Git URL without credentials, or the URL of a Helm repository.")
    revision: GitRevision = Field(default="HEAD", description="Branch, tag, commit or chart version to follow.")
    path: GitPath = Field(default=".", description="Folder in the repository that holds the manifests.")
    chart: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$")] | None = Field(
        default=None, description="Name of a chart, if the URL is that of a Helm repository."
    )
    helm: Helm | None = Field(
        default=None, description="Options for rendering the chart. Default: Argo CD detects them."
    )
    recurse: bool = Field(default=False, description="Whether plain manifests in folders below the path count too.")
    deploys: bool = Field(
        default=True, description="Whether environments get an Application for it; false if it only holds values."
    )
    credentials: ShortName | None = Field(
        default=None, description="Login that the policy offers. Default: the logins that Argo CD already has."
    )

    @property
    def values_from(self) -> str:
        """Name of the repository that holds its value files; the empty string where it holds its own."""
        return (self.helm.values_repository or "") if self.helm else ""


class Deployment(Model):
    """Deviation of one environment from a repository, such as the revision that promotes a version."""

    repository: ShortName = Field(description="Name of the repository.")
    revision: GitRevision | None = Field(default=None, description="Revision here. Default: the repository's.")
    path: GitPath | None = Field(default=None, description="Folder here. Default: the repository's.")
    value_files: ValueFiles = Field(default=(), description="Value files here. Default: the repository's.")


class WindowKind(StrEnum):
    """Whether a window lets syncs happen or holds them back."""

    ALLOW = "Allow"
    DENY = "Deny"


class Window(Model):
    """A span of time that comes again and again."""

    kind: WindowKind = Field(
        default=WindowKind.ALLOW, description="Whether syncs run only inside (Allow) or only outside (Deny) the window."
    )
    schedule: Annotated[str, Field(min_length=9, max_length=100, pattern=r"^[0-9A-Za-z*,/ -]+$")] = Field(
        description="Start of the window, as five cron fields: minute, hour, day of month, month, day of week."
    )
    duration: Annotated[str, Field(min_length=2, max_length=10, pattern=r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$")] = Field(
        description="Duration, such as 8h or 90m."
    )
    time_zone: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_+/-]+$")] = Field(
        default="UTC", description="Time zone of the schedule, such as Europe/Paris."
    )
    manual: bool = Field(
        default=False,
        description="Whether a person may sync while the window holds syncs back; a project's window allows it only if "
        "the policy's windows do.",
    )
    description: Text = Field(default="", description="Purpose of the window.")


class PlatformWindow(Window):
    """A window of the platform, such as working hours, nights or a freeze."""

    name: ShortName = Field(description="Name of the window.")
    stages: Annotated[tuple[ShortName, ...], Field(max_length=20), SetList()] = Field(
        default=(), description="Stages that the window applies to. Default: every production stage."
    )


class ResourceKind(Model):
    """A kind of objects."""

    group: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9.-]*$")] = Field(
        default="", description="API group; the core group is the empty string."
    )
    kind: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z0-9]*$")] = Field(
        description="Kind, such as Deployment."
    )


class CredentialKind(StrEnum):
    """Method of login."""

    HTTPS = "HTTPS"
    """Keys username and password of the Secret."""
    SSH = "SSH"
    """Key sshPrivateKey of the Secret."""


class RepositoryCredential(Model):
    """A login to repositories that projects may name."""

    name: ShortName = Field(description="Name that projects use.")
    secret: ObjectName = Field(description="Secret in the operator's namespace.")
    kind: CredentialKind = Field(default=CredentialKind.HTTPS, description="Method of login.")
    prefixes: Annotated[tuple[UrlPrefix, ...], Field(min_length=1, max_length=20), SetList()] = Field(
        description="URL prefixes that the login applies to, each up to a slash."
    )
    projects: Annotated[tuple[ObjectName, ...], Field(max_length=200), SetList()] = Field(
        default=(),
        description="Projects that may use the login; no other project may name its URLs. Default: every project.",
    )


class Delivery(Model):
    """The platform's rules for Argo CD."""

    repository_prefixes: Annotated[tuple[UrlPrefix, ...], Field(max_length=50), SetList()] = Field(
        default=(),
        description="Prefixes of the repository URLs that projects may use, each up to a slash. Default: any.",
    )
    allowed_kinds: Annotated[tuple[ResourceKind, ...], Field(max_length=100), AtomicList()] = Field(
        default=(), description="Kinds that projects may sync. Default: a list of workload kinds, see docs/promises.md."
    )
    additional_kinds: Annotated[tuple[ResourceKind, ...], Field(max_length=100), AtomicList()] = Field(
        default=(), description="Kinds that projects may sync in addition."
    )
    impersonation: bool = Field(
        default=True, description="Whether Argo CD syncs as the account of the environment (argocd-cm must say so too)."
    )
    windows: Annotated[tuple[PlatformWindow, ...], Field(max_length=20), MapList("name")] = Field(
        default=(), description="Windows of the platform, such as nights and freezes."
    )
    credentials: Annotated[tuple[RepositoryCredential, ...], Field(max_length=50), MapList("name")] = Field(
        default=(), description="Logins to repositories that projects may name."
    )
