"""The operator's settings, read once from the environment at the start."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"


class Settings(BaseSettings):
    """Each setting is an environment variable ONBOARDING_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="ONBOARDING_", frozen=True)

    policy: str = Field(
        default="default",
        max_length=253,
        pattern="^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        description="Name of the active OnboardingPolicy; others are drafts.",
    )
    namespace: str = Field(
        default="project-onboarding",
        description="The operator's own namespace: installation identity and kubeconfig Secrets of sites.",
    )
    kubeconfig: Path | None = Field(
        default=None, description="Kubeconfig of the hub. Default: the pod's service account."
    )
    listen: str = Field(
        default="0.0.0.0:8080",
        pattern=f"^[A-Za-z0-9.:-]*:({_PORT})$",
        description="Address of /healthz, /readyz and /metrics; :8080 is every address, of IPv6 too.",
    )
    workers: int = Field(default=8, ge=1, le=64, description="Projects reconciled at the same time.")
    # As fast as 32 (measured), with half as many connections, whose TLS buffers are a quarter of a MiB each.
    writes_in_flight: int = Field(default=16, ge=1, le=256, description="Writes under way at once, per cluster.")
    request_timeout: float = Field(
        default=30, gt=0, description="Seconds that one request may take; the client's default would be 5 minutes."
    )
    idle_timeout: float = Field(
        default=75,
        gt=0,
        description="Seconds without a byte after which a watch is closed and opened again; bookmarks come every 60 s.",
    )
    teardown_limit: int = Field(
        default=10,
        ge=1,
        description="Projects being deleted at once above which all teardowns stop: a flood is taken for an accident.",
    )
    allow_login_commands: bool = Field(
        default=False,
        description="Whether kubeconfigs of sites may run a command to log in, inside the operator's pod.",
    )
    allow_unverified_servers: bool = Field(
        default=False, description="Whether kubeconfigs of sites may skip the check of the server's certificate."
    )
    log_format: str | None = Field(
        default=None,
        pattern="^(json|console)$",
        description="json or console. Default: console if standard output and standard error are terminals, else json.",
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$", description="Least level logged.")
