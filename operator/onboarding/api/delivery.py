"""How Argo CD deploys: repositories and release windows of a project, and the platform's rules for both."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from onboarding.api.common import Model, ObjectName, ShortName, Text
from onboarding.api.markers import AtomicList, MapList, Rule, SetList, rules

RepositoryUrl = Annotated[
    str,
    Field(
        max_length=500,
        pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]+)?/|ssh://git@[A-Za-z0-9.-]+(:[0-9]+)?/|git@[A-Za-z0-9.-]+:)[A-Za-z0-9._~/-]+$",
    ),
    Rule("!self.contains('..')", "a repository URL holds no '..': write the path in full"),
]
"""A Git URL (https, http, ssh or scp-like) without credentials, globs or control characters."""

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
    url: RepositoryUrl = Field(description="Git URL without credentials, or that of a Helm repository.")
    revision: GitRevision = Field(default="HEAD", description="Branch, tag, commit or chart version to follow.")
    path: GitPath = Field(default=".", description="Folder in the repository that holds the manifests.")
    chart: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$")] | None = Field(
        default=None, description="Name of a chart, where the URL is that of a Helm repository."
    )
    helm: Helm | None = Field(default=None, description="How the chart is rendered. Default: as Argo CD finds it.")
    recurse: bool = Field(default=False, description="Whether plain manifests in folders below the path count too.")
    deploys: bool = Field(
        default=True, description="Whether environments get an Application for it; not if it only holds values."
    )
    credentials: ShortName | None = Field(
        default=None, description="Login, one of those that the policy offers. Default: what Argo CD knows by itself."
    )

    @property
    def values_from(self) -> str:
        """Name of the repository that holds its value files; the empty string where it holds its own."""
        return (self.helm.values_repository or "") if self.helm else ""


class Deployment(Model):
    """What one environment deploys of a repository: this is how a version is promoted."""

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

    kind: WindowKind = Field(default=WindowKind.ALLOW, description="Whether syncs happen only inside, or only outside.")
    schedule: Annotated[str, Field(min_length=9, max_length=100, pattern=r"^[0-9A-Za-z*,/ -]+$")] = Field(
        description="When it begins, as five fields of cron: minute, hour, day of month, month, day of week."
    )
    duration: Annotated[str, Field(min_length=2, max_length=10, pattern=r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$")] = Field(
        description="How long it lasts, such as 8h or 90m."
    )
    time_zone: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_+/-]+$")] = Field(
        default="UTC", description="Time zone of the schedule, such as Europe/Paris."
    )
    manual: bool = Field(
        default=False,
        description="Whether a person may sync although the window holds syncs back; of a project's window only where "
        "the policy's windows say so too.",
    )
    description: Text = Field(default="", description="What it is for.")


class PlatformWindow(Window):
    """A window of the platform, such as working hours, nights or a freeze."""

    name: ShortName = Field(description="Name of the window.")
    stages: Annotated[tuple[ShortName, ...], Field(max_length=20), SetList()] = Field(
        default=(), description="Stages that it is for. Default: every production stage."
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
    """How Argo CD logs in."""

    HTTPS = "HTTPS"
    """Keys username and password of the Secret."""
    SSH = "SSH"
    """Key sshPrivateKey of the Secret."""


class RepositoryCredential(Model):
    """A login to repositories that projects may name."""

    name: ShortName = Field(description="Name that projects use.")
    secret: ObjectName = Field(description="Secret in the operator's namespace.")
    kind: CredentialKind = Field(default=CredentialKind.HTTPS, description="How Argo CD logs in.")
    prefixes: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=300)], ...], Field(min_length=1, max_length=20), SetList()
    ] = Field(description="Beginnings of the URLs that it is for, each up to a slash.")
    projects: Annotated[tuple[ObjectName, ...], Field(max_length=200), SetList()] = Field(
        default=(), description="Projects that may use it, and no other may name its URLs. Default: every project."
    )


class Delivery(Model):
    """The platform's rules for Argo CD."""

    repository_prefixes: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=300)], ...], Field(max_length=50), SetList()
    ] = Field(
        default=(),
        description="Beginnings of the repository URLs that projects may use, each up to a slash. Default: any.",
    )
    allowed_kinds: Annotated[tuple[ResourceKind, ...], Field(max_length=100), AtomicList()] = Field(
        default=(), description="Kinds that projects may sync. Default: a list of workload kinds, see docs/promises.md."
    )
    additional_kinds: Annotated[tuple[ResourceKind, ...], Field(max_length=100), AtomicList()] = Field(
        default=(), description="Kinds that projects may sync beside those."
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


def lies_under(url: str, prefix: str) -> bool:
    """Return whether a URL begins with a prefix that ends at a slash, or at the colon after the host of scp's form."""
    return url == prefix or url.startswith(prefix if prefix.endswith((":", "/")) else f"{prefix}/")


def normalized(url: str) -> str:
    """Return what Argo CD takes a repository's URL for (``git.NormalizeGitURL``)."""
    lower = url.lower()
    if "://" not in lower:
        lower = lower.replace(":", "/", 1)
    return lower.removesuffix(".git").removeprefix("ssh://")
