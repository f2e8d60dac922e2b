"""Guard rails of others in the namespaces of projects: part of the OnboardingPolicy."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model
from onboarding.api.gates import Severity
from onboarding.api.markers import AtomicList


class GuardKind(StrEnum):
    """A kind that restricts or grants in a namespace."""

    RESOURCE_QUOTA = "ResourceQuota"
    LIMIT_RANGE = "LimitRange"
    NETWORK_POLICY = "NetworkPolicy"
    ROLE_BINDING = "RoleBinding"


class ExpectedGuard(Model):
    """Objects that belong into a namespace although the operator has not made them."""

    kind: GuardKind = Field(description="Kind of the objects.")
    name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:*_-]+$")] = Field(
        description="Name of the objects; * stands for any text."
    )


ON_OPENSHIFT = tuple(
    ExpectedGuard(kind=GuardKind.ROLE_BINDING, name=f"system:{name}")
    for name in ("deployers", "image-builders", "image-pullers")
)
"""RoleBindings that OpenShift makes in every namespace."""


class ForeignGuards(Model):
    """Guard rails that the operator has not made: they change what its own ones mean."""

    severity: Severity = Field(
        default=Severity.WARNING,
        description="Effect: Blocking makes Ready False; Warning is part of its message; Ignored shows none.",
    )
    expected: Annotated[tuple[ExpectedGuard, ...], Field(max_length=50), AtomicList()] | None = Field(
        default=None,
        description="Objects that belong there. Default: the RoleBindings system:deployers, system:image-builders and "
        "system:image-pullers of OpenShift.",
    )
