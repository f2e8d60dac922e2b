"""Personas: the rights of the groups of a project, by stage; part of the OnboardingPolicy."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model, ShortName
from onboarding.api.markers import AtomicList, Rule, SetList, rules


class ArgoAction(StrEnum):
    """Action of a persona on the project's Applications in Argo CD (resource `applications` of its RBAC)."""

    GET = "get"
    SYNC = "sync"
    ACTION = "action/*"
    LOGS = "logs"


ClusterRoleName = Annotated[
    str,
    Field(min_length=1, max_length=100, pattern=r"^[a-z][a-z0-9:.-]*[a-z0-9]$"),
    Rule(
        "self != 'cluster-admin' && !self.startsWith('system:')",
        "cluster-admin and system:* are never given to a project: name a tenant role",
    ),
]
ArgoActions = Annotated[tuple[ArgoAction, ...], Field(max_length=10), SetList()]


class Right(Model):
    """Rights of a persona in the environments of some stages."""

    stages: Annotated[tuple[ShortName, ...], Field(min_length=1, max_length=20), SetList()] | None = Field(
        default=None, description="Stages of these environments. Default: every stage."
    )
    cluster_role: ClusterRoleName | None = Field(
        default=None, description="ClusterRole bound to the groups in these namespaces. Default: none."
    )
    argocd: ArgoActions = Field(
        default=(), description="Actions of the groups on the Applications of these environments. Default: none."
    )


@rules(
    Rule(
        "has(self.rights) ? !has(self.clusterRole) && !has(self.argocd) : has(self.clusterRole)",
        "a persona has either rights by stage, or a clusterRole (and argocd) for every stage: give one of both",
    )
)
class Persona(Model):
    """Kind of team member: the rights of its groups in the namespaces and in Argo CD."""

    name: ShortName = Field(description="Name of the persona, used as key in spec.team.groups of projects.")
    cluster_role: ClusterRoleName | None = Field(
        default=None, description="ClusterRole bound to the groups in every namespace, unless there are `rights`."
    )
    argocd: ArgoActions = Field(
        default=(), description="Actions of the groups on all Applications of the project, unless there are `rights`."
    )
    rights: Annotated[tuple[Right, ...], Field(min_length=1, max_length=20), AtomicList()] | None = Field(
        default=None,
        description="Rights by stage, instead of clusterRole and argocd: the first entry with the stage of an "
        "environment counts there; if there is none, the groups have no rights there.",
    )
    decides: bool = Field(
        default=False,
        description="Whether this persona approves for the project: it neither builds nor runs, so it may see "
        "(argocd: get, logs) and decide, and its groups do not count as the project's own.",
    )

    @cached_property
    def held(self) -> tuple[Right, ...]:
        """The rights by stage, in order; one for every stage if the persona does not tell stages apart."""
        return self.rights or (Right(cluster_role=self.cluster_role, argocd=self.argocd),)

    def right_in(self, stage: str) -> Right | None:
        """Return the rights in environments of a stage; None if there are none."""
        return next((right for right in self.held if right.stages is None or stage in right.stages), None)
