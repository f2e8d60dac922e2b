"""The operator's settings, read once from the environment at the start."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Each setting is an environment variable ONBOARDING_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="ONBOARDING_", frozen=True)

    policy: str = Field(default="default", description="Name of the active OnboardingPolicy; others are drafts.")
    namespace: str = Field(
        default="project-onboarding",
        description="The operator's own namespace: installation identity and kubeconfig Secrets of sites.",
    )
    kubeconfig: Path | None = Field(
        default=None, description="Kubeconfig of the hub. Default: the pod's service account."
    )
    listen: str = Field(default="0.0.0.0:8080", description="Address of /healthz, /readyz and /metrics.")
    workers: int = Field(default=8, ge=1, le=64, description="Projects that are worked on at the same time.")
    # As fast as 32 (measured), with half as many connections, whose TLS buffers are a quarter of a MiB each.
    writes_in_flight: int = Field(default=16, ge=1, le=256, description="Writes under way at once, per cluster.")
    request_timeout: float = Field(
        default=30, gt=0, description="Seconds that one request may take; the client's default would be 5 minutes."
    )
    silence_limit: float = Field(
        default=75,
        gt=0,
        description="Seconds without a byte after which a watch is taken for dead; bookmarks come every 60 s.",
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
    log_format: str = Field(default="json", pattern="^(json|console)$", description="json or console.")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$", description="Least level logged.")
