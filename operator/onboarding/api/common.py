"""What several kinds share: the base model and the types whose limits keep names, quantities and texts safe."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from onboarding.api.markers import Pattern, Rule
from onboarding.api.text import SEEN


class Model(BaseModel):
    """Base of every API model: camelCase outside, frozen inside; a field that it does not know is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


DNS_LABEL = r"^[a-z]([a-z0-9-]*[a-z0-9])?$"

ShortName = Annotated[str, Field(min_length=1, max_length=20, pattern=DNS_LABEL)]
"""Name of something inside an object (environment, stage, size): a lower-case DNS label of at most 20 characters."""
SiteName = Annotated[str, Field(min_length=1, max_length=10, pattern=DNS_LABEL)]
"""Name of a site; short, because it ends the names of Applications on targets with several sites."""
ObjectName = Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL)]
"""Name of another object, as a DNS label."""

Quantity = Annotated[
    str,
    Field(
        max_length=20,
        pattern=r"^([0-9]{1,15}m|[0-9]{1,15}(\.[0-9]{1,3})?|[0-9]{1,9}(\.[0-9]{1,3})?(k|M|G|Ki|Mi|Gi)"
        r"|[0-9]{1,5}(\.[0-9]{1,3})?(T|Ti)|[0-9]{1,3}(\.[0-9]{1,3})?(P|Pi))$",
    ),
]
"""A Kubernetes quantity such as ``500m``, ``2``, ``4Gi``; no exponent, nothing negative, nothing beyond int64."""

Seen = Pattern(SEEN)
"""Marks a text that people read: it holds no character that they cannot see."""
Text = Annotated[str, Field(max_length=255), Seen]
_MAIL_PART: Final = r"[^@\p{Z}\p{Cc}\p{Cf}]+"
Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    Pattern(rf"^{_MAIL_PART}@{_MAIL_PART}\.{_MAIL_PART}$"),
]
Domain = Annotated[str, Field(max_length=253, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")]
Cidr = Annotated[
    str,
    Field(
        max_length=43,
        pattern=r"^(((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])/(3[0-2]|[12]?[0-9])"
        r"|[0-9a-fA-F]*:[0-9a-fA-F:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$",
    ),
]
ZoneName = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$")]
"""Name of a sensitivity zone (NP) or of a network zone (rie)."""
Exposure = ZoneName
"""Name of a network that an environment may be exposed to, such as rie or internet."""
Day = Annotated[str, Field(max_length=10, json_schema_extra={"format": "date"})]
"""A day that the calendar has, such as 2026-12-31."""
Moment = Annotated[
    str,
    Field(
        max_length=30,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        json_schema_extra={"format": "date-time"},
    ),
]
"""A moment in UTC, such as 2026-12-31T23:59:59Z."""
Port = Annotated[int, Field(ge=1, le=65535)]

Group = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9/_.@:-]+$"),
    Rule(
        "!self.startsWith('system:')",
        "groups named system:* belong to Kubernetes: name a group of your identity provider",
    ),
]
"""A group of the identity provider, in the characters that Kubernetes RBAC and Argo CD's policies both take."""

LABEL_KEY = (
    r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
)
"""Pattern of a label's key: an optional DNS prefix and a name."""
LABEL_KEY_RULE = Rule(
    f"self.all(k, k.matches('{LABEL_KEY}') && size(k) <= 100)",
    "a label key is an optional DNS prefix and a name of at most 63 letters, digits, '-', '_' and '.'",
)
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$")]


class DeletionPolicy(StrEnum):
    """Handling of the namespaces of a removed project or environment."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Mode(StrEnum):
    """Mode of the operator: apply changes, or only show them."""

    APPLY = "Apply"
    PLAN = "Plan"


class Amounts(Model):
    """CPU, memory and ephemeral storage of one container."""

    cpu: Quantity = Field(description="CPU, such as 250m.")
    memory: Quantity = Field(description="Memory, such as 256Mi.")
    ephemeral_storage: Quantity = Field(description="Ephemeral storage, such as 1Gi.")


StorageClasses = Annotated[
    dict[str, Quantity],
    Field(max_length=10),
    Rule(
        "self.all(k, k.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$') && size(k) <= 63)",
        "a storage class is named in lower-case letters, digits, dots and hyphens",
    ),
]


class Resources(Model):
    """Resources of one environment, which become the ResourceQuota of its namespace."""

    cpu: Quantity = Field(description="Sum of CPU requests and, separately, of limits of all pods.")
    memory: Quantity = Field(description="Sum of memory requests and, separately, of limits of all pods.")
    ephemeral_storage: Quantity = Field(description="Sum of ephemeral storage of all pods.")
    storage: Quantity = Field(description="Sum of all persistent volume claims.")
    storage_classes: StorageClasses = Field(
        default_factory=dict, description="Sum of persistent volume claims per storage class, within `storage`."
    )
    gpu: int = Field(default=0, ge=0, le=1000, description="Number of GPUs that pods may request.")
    pods: int = Field(ge=1, le=10000, description="Number of pods in a non-terminal phase.")


class SecretKey(Model):
    """One key of a Secret in the operator's namespace."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")] = Field(
        default="kubeconfig", description="Key within the Secret."
    )
