"""OnboardingPolicy: the platform's rules. One is active, named by the operator's settings."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from onboarding.api.actors import ActorEntry
from onboarding.api.capacity import Ceilings
from onboarding.api.common import Amounts, Model, ObjectName, Resources, Seen, ShortName
from onboarding.api.delivery import Delivery
from onboarding.api.gates import Actor, CheckRule, Gate, Override
from onboarding.api.guards import ForeignGuards
from onboarding.api.identity import Identity
from onboarding.api.journeys import JourneyRule
from onboarding.api.lifetimes import DecisionLimits
from onboarding.api.markers import AtomicList, MapList, Rule, SetList
from onboarding.api.namespaces import OWN_LABELS, PLATFORM_NAMES, LabelPrefixes, ReservedNames
from onboarding.api.personas import Persona
from onboarding.api.placement import PlacementRules, Territories
from onboarding.api.probes import Probes

ALWAYS_ACTORS: Final = (Actor.PROJECT, Actor.PLATFORM, Actor.OPERATOR)
"""Actors that every policy has: each check and each hold may name them."""


class PodSecurityLevel(StrEnum):
    """A level of the Pod Security Standards."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


class Access(StrEnum):
    """Handling of the team's access to a detached environment."""

    KEEP = "Keep"
    REVOKE = "Revoke"


class UnknownAuthors(StrEnum):
    """Handling of approvals while it is unknown who wrote the spec of a project."""

    ALLOW = "Allow"
    HOLD = "Hold"


class Stage(Model):
    """One step of the onboarding journey."""

    name: ShortName = Field(description="Name of the stage.")
    production: bool = Field(default=False, description="Whether environments of this stage serve production.")
    default_size: ShortName = Field(description="Size of an environment that names neither size nor resources.")
    default_target: ObjectName = Field(description="HostingTarget of an environment that names none.")
    fictive_data: bool | None = Field(
        default=None,
        description="Whether environments of this stage may hold fictive data or none, so that the classification does "
        "not restrict their target; never in production. Default: no.",
    )
    pinned: bool | None = Field(
        default=None,
        description="Whether environments of this stage deploy full commits and exact chart versions only, which do "
        "not move under an approval. Default: no.",
    )


class Size(Resources):
    """Named amount of resources, which becomes the quota of an environment of this size."""

    name: ShortName = Field(description="Name of the size.")


class PodSecurity(Model):
    """Pod Security Standards of every namespace."""

    enforce: PodSecurityLevel = Field(
        default=PodSecurityLevel.RESTRICTED, description="Level whose violation refuses a pod."
    )
    warn: PodSecurityLevel = Field(
        default=PodSecurityLevel.RESTRICTED, description="Level whose violation causes a warning."
    )
    audit: PodSecurityLevel = Field(
        default=PodSecurityLevel.RESTRICTED, description="Level whose violation is written to the audit log."
    )
    version: Annotated[str, Field(max_length=10, pattern=r"^(latest|v1\.[0-9]+)$")] = Field(
        default="v1.36", description="Version of the standards, pinned so that an upgrade changes nothing unnoticed."
    )


class ContainerDefaults(Model):
    """Defaults of a container whose manifest sets no resources, cut to the quota of its environment."""

    request: Amounts = Field(description="Default request.")
    limit: Amounts = Field(description="Default limit, at least the request.")
    minimum: Amounts | None = Field(default=None, description="Minimum request of a container. Default: none.")
    maximum: Amounts | None = Field(default=None, description="Maximum limit of a container. Default: none.")


ObjectCounts = Annotated[
    dict[str, Annotated[int, Field(ge=0, le=100000)]],
    Field(max_length=40),
    Rule(
        "self.all(k, k.matches('^[a-z0-9]([a-z0-9./-]*[a-z0-9])?$') && size(k) <= 100)",
        "an object count is keyed as in a ResourceQuota, such as secrets or count/deployments.apps",
    ),
    Rule("!('services.nodeports' in self)", "node ports are always refused: remove services.nodeports"),
]


Platform = Annotated[str, Field(max_length=40), Seen]


class WorkloadRules(Model):
    """Requirements of the checks on workloads."""

    registries: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[a-z0-9.:/_-]+$")], ...],
        Field(max_length=30),
        SetList(),
    ] = Field(default=(), description="Prefixes of images that may run, such as ghcr.io/team. Default: any registry.")
    labels: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100), Seen], ...], Field(max_length=20), SetList()
    ] = Field(default=(), description="Labels that the pods of every workload carry.")
    replicas: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2, description="Minimum replicas of a Deployment or StatefulSet."
    )
    platforms: Annotated[tuple[Annotated[str, Field(max_length=40), Seen], ...], Field(max_length=5), SetList()] = (
        Field(default=(), description="Platforms that an image has to be built for, such as linux/amd64. Default: any.")
    )
    certificate_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=30, description="Days that a certificate has to be valid for."
    )


class OnboardingPolicySpec(Model):
    """Rules of the platform for every project."""

    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=20), MapList("name")] = Field(
        description="Stages, in the order of the journey."
    )
    sizes: Annotated[tuple[Size, ...], Field(min_length=1, max_length=20), MapList("name")] = Field(
        description="Sizes that projects choose from; a size becomes the quota of an environment."
    )
    personas: Annotated[tuple[Persona, ...], Field(min_length=1, max_length=8), MapList("name")] = Field(
        description="Personas that projects assign groups to."
    )
    actors: Annotated[tuple[ActorEntry, ...], Field(max_length=20), MapList("name")] = Field(
        default=(),
        description="Parties that have to act. project, platform and operator are always there; a check whose actor "
        "is not listed asks the platform. Default: those of the reference.",
    )
    identity: Identity | None = Field(
        default=None,
        description="Form of user names and groups at the API servers. Default: as projects declare them.",
    )
    externals_in_production: Annotated[tuple[ShortName, ...], Field(max_length=8), SetList()] = Field(
        default=(),
        description="Personas whose groups may hold externals in production, for the check ExternalsAllowed. "
        "Default: none.",
    )
    container: ContainerDefaults = Field(description="Defaults of a container, for the LimitRange.")
    object_counts: ObjectCounts = Field(
        default_factory=dict, description="Maximum number of objects per kind in one namespace."
    )
    pod_security: PodSecurity = Field(default_factory=PodSecurity, description="Pod Security of every namespace.")
    allow_namespace_names: bool = Field(
        default=False, description="Whether environments may choose the name of their namespace."
    )
    # Without defaults of the definition, as below: a former release does not know these fields.
    namespace_labels: LabelPrefixes | None = Field(
        default=None,
        description="Prefixes of the labels that projects may set on their namespaces, each with its slash; <project> "
        "stands for the name of the project. What is admitted with another label keeps it. Default: "
        "<project>.projects/ alone.",
    )
    reserved_namespaces: ReservedNames | None = Field(
        default=None,
        description="Names of namespaces that projects may not take: whole names, or with * for what comes before or "
        "after a hyphen. Those that a HostingTarget names, and the operator's own, always are. Default: "
        f"{', '.join(PLATFORM_NAMES)}.",
    )
    gates: Annotated[tuple[Gate, ...], Field(max_length=12), MapList("name")] = Field(
        default=(),
        description="Gates of the journey, in order: a gate opens only if the gate before it is open. Default: no "
        "gates; an environment is admitted by its own checks.",
    )
    checks: Annotated[tuple[CheckRule, ...], Field(max_length=80), MapList("id")] = Field(
        default=(), description="Gate that each check blocks. A check that is not listed here does not run."
    )
    overrides: Annotated[tuple[Override, ...], Field(max_length=20), AtomicList()] = Field(
        default=(), description="Other severities by journey, track, target or gate; the last that matches wins."
    )
    journeys: Annotated[tuple[ShortName, ...], Field(max_length=10), SetList()] = Field(
        default=(),
        description="Journeys that a project chooses from, such as workshop or standard. One that journeyRules does "
        "not name ends before the first gate that opens a production stage.",
    )
    journey_rules: Annotated[tuple[JourneyRule, ...], Field(max_length=10), MapList("name")] = Field(
        default=(), description="End and limits of journeys. A journey that is named here alone can be chosen, too."
    )
    default_journey: ShortName | None = Field(
        default=None,
        description="Journey of a project that names none. Default: none; such a project meets every gate, and no "
        "override by journey.",
    )
    placement: PlacementRules = Field(
        default=(), description="Least trust of targets by the classification of a project. Default: any target."
    )
    territories: Territories = Field(
        default=(), description="Territories that lie in others, for the residency of data. Default: FR lies in EU."
    )
    ceilings: Ceilings = Field(
        default_factory=Ceilings, description="Sum of resources that one project may use, unless a Grant raises it."
    )
    workloads: WorkloadRules = Field(
        default_factory=WorkloadRules, description="Requirements of the checks on workloads, images and certificates."
    )
    delivery: Delivery = Field(default_factory=Delivery, description="The platform's rules for Argo CD.")
    probes: Probes = Field(default_factory=Probes, description="Networks that probes may reach, and their logins.")
    foreign_guards: ForeignGuards | None = Field(
        default=None,
        description="ResourceQuotas, LimitRanges, NetworkPolicies and RoleBindings in namespaces of projects that the "
        "operator has not made. Default: they are a warning.",
    )
    unknown_authors: UnknownAuthors | None = Field(
        default=None,
        description="Gates with approvals while it is unknown who wrote the spec of a project: Allow shows that in the "
        "status, Hold keeps them closed. Default: Allow.",
    )
    decisions: DecisionLimits | None = Field(
        default=None, description="Longest life of decisions that expire. Default: as long as each decision says."
    )
    # Without a default of the definition: it would hide the former field of every policy that is stored, and the former
    # release, which does not know the field, would hold all projects as soon as the definitions are applied.
    detached_access: Access | None = Field(
        default=None, description="Handling of the team's access to a namespace that is detached. Default: Keep."
    )
    released_access: Access | None = Field(
        default=None, description="Deprecated: the former name of detachedAccess, which counts if that is absent."
    )

    @property
    def actor_names(self) -> tuple[str, ...]:
        """Names of the actors: those of the list and those that are always there, or the default ones."""
        if not self.actors:
            return tuple(Actor)
        return tuple(dict.fromkeys((*(actor.name for actor in self.actors), *ALWAYS_ACTORS)))

    def actor_for(self, actor: str) -> str:
        """Return who acts for an actor: itself, or the platform if the policy does not list it."""
        return actor if actor in self.actor_names else Actor.PLATFORM

    def contact_of(self, actor: str) -> str | None:
        """Return where an actor is reached; None if the policy does not say."""
        return next((entry.contact for entry in self.actors if entry.name == actor), None)

    @property
    def own_labels(self) -> tuple[str, ...]:
        """Prefixes of the labels that projects may set."""
        return OWN_LABELS if self.namespace_labels is None else self.namespace_labels

    @property
    def platform_names(self) -> tuple[str, ...]:
        """Reserved names of namespaces, without those that a HostingTarget names."""
        return PLATFORM_NAMES if self.reserved_namespaces is None else self.reserved_namespaces

    @property
    def access_to_detached(self) -> Access:
        """Handling of the team's access to a namespace that is detached, under either name."""
        return self.detached_access or self.released_access or Access.KEEP
