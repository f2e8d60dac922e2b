"""Settings of an Argo CD, as far as they are unsafe or unknown."""

from enum import StrEnum
from typing import NamedTuple


class Setting(StrEnum):
    """A setting of Argo CD that the operator reads."""

    REVISION_OVERRIDE = "revision override"
    IMPERSONATION = "impersonation"
    HEALTH = "health of our kinds"
    EXCLUSIONS = "exclusions"


class UnsafeSetting(NamedTuple):
    """A setting that is unsafe, with the remedy."""

    setting: Setting
    message: str
    remedy: str


class ArgoSettings(NamedTuple):
    """The settings of one Argo CD, as far as they are unsafe or unknown."""

    subject: str
    """The ConfigMap, with its namespace and cluster, for messages."""
    unsafe: tuple[UnsafeSetting, ...] = ()
    unknown: str = ""
    """Why they cannot be read, and the remedy; the empty string if they can."""
