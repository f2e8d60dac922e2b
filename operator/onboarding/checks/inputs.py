"""Inputs of the checks: a declaration, the room for it, a project with its answers, and an environment that runs.

Each check is given the type that has the fields which it may read, and no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from onboarding.api.capacity import Budget
from onboarding.api.common import Resources
from onboarding.api.policy import OnboardingPolicySpec, Persona, Size, Stage
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec, Site
from onboarding.checks.probe import (
    Answer,
    Answers,
    Facts_co,
    Request,
    WorkloadsFacts,
    WorkloadsRequest,
    no_answers,
)
from onboarding.checks.totals import Totals


@dataclass(frozen=True, slots=True)
class ProjectDeclaration:
    """A declared project, with the policy and the targets that apply to it on a day.

    Declaration checks read nothing else: no answer of a probe, no attestation, no room and no time of day.
    """

    name: str
    spec: ProjectOnboardingSpec
    policy: OnboardingPolicySpec
    targets: Mapping[str, HostingTargetSpec]
    today: date
    """The day in UTC."""
    target_problems: Mapping[str, str] = field(default_factory=dict)
    """Why targets cannot be used, by name."""

    def persona(self, name: str) -> Persona | None:
        """Return a persona of the policy."""
        return next((persona for persona in self.policy.personas if persona.name == name), None)


@dataclass(frozen=True)
class EnvironmentDeclaration:
    """A declared environment, with the target and the namespaces that it has been admitted to."""

    project: ProjectDeclaration
    environment: Environment
    namespace: str = ""
    """Name of the namespace that it would have."""
    former: tuple[tuple[str, str], ...] = ()
    """Target and namespace of each of its admitted revisions."""

    @property
    def spec(self) -> ProjectOnboardingSpec:
        """The project's spec."""
        return self.project.spec

    @property
    def policy(self) -> OnboardingPolicySpec:
        """The active policy."""
        return self.project.policy

    @property
    def targets(self) -> Mapping[str, HostingTargetSpec]:
        """Every target that can be used."""
        return self.project.targets

    @cached_property
    def stage(self) -> Stage | None:
        """The stage of the environment, if the policy has it."""
        return next((stage for stage in self.policy.stages if stage.name == self.environment.stage), None)

    @cached_property
    def size_name(self) -> str | None:
        """The size that the environment names, or the default of its stage."""
        return self.environment.size or (self.stage.default_size if self.stage else None)

    @cached_property
    def size(self) -> Size | None:
        """The size of the environment, if the policy has it."""
        return next((size for size in self.policy.sizes if size.name == self.size_name), None)

    @cached_property
    def resources(self) -> Resources | None:
        """The resources that the environment names, or those of its size; None if the policy lacks that size."""
        size = self.size
        if self.environment.resources or size is None:
            return self.environment.resources
        # Without the name of the size: an admitted revision does not change with it.
        return Resources.model_construct(**{name: getattr(size, name) for name in Resources.model_fields})

    @cached_property
    def target_name(self) -> str | None:
        """The target that the environment names, or the default of its stage."""
        return self.environment.target or (self.stage.default_target if self.stage else None)

    @cached_property
    def target(self) -> HostingTargetSpec | None:
        """The target of the environment, if it exists."""
        return self.targets.get(self.target_name or "")

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The sites that the environment runs on: those it names, or all of its target."""
        if self.target is None:
            return ()
        chosen = self.environment.sites
        return tuple(site for site in self.target.sites if not chosen or site.name in chosen)


@dataclass(frozen=True, slots=True)
class RevisionInputs:
    """The resolved revisions of an environment, as checks see them."""

    largest: int
    """Size of the largest of them, in bytes."""


@dataclass(frozen=True, slots=True)
class Headroom:
    """What is taken where an environment wants to be; everything without the environment itself."""

    taken: Mapping[str, Totals] = field(default_factory=dict)
    """By site: the quotas of all other environments there, of all projects."""
    committed: Totals = field(default_factory=Totals)
    """The quotas of the project's other environments of the same kind (production or not), on all sites."""
    ceiling: Budget = field(default_factory=Budget)
    """What environments of that kind may take in all."""
    current: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By site: the quota that the environment has there now, by its admitted revision."""
    used: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By site: what the environment uses of its quota now (``status.used`` of its ResourceQuota)."""


@dataclass(frozen=True, slots=True)
class CapacityInputs:
    """A declared environment and the room that all others leave it."""

    declared: EnvironmentDeclaration
    room: Headroom = field(default_factory=Headroom)


@dataclass(frozen=True, slots=True)
class ProjectInputs:
    """A declared project, with the answers of probes, the attestations and the time."""

    declared: ProjectDeclaration
    now: datetime
    answers: Answers = field(default_factory=no_answers)
    """The newest answers of the outside world."""
    attested: frozenset[str] = frozenset()
    """Checks that somebody with the right to it answers for, at present."""

    @property
    def spec(self) -> ProjectOnboardingSpec:
        """The project's spec."""
        return self.declared.spec

    @property
    def policy(self) -> OnboardingPolicySpec:
        """The active policy."""
        return self.declared.policy

    def answer(self, request: Request[Facts_co]) -> Answer[Facts_co] | None:
        """Return the newest answer to a request; None if there is none yet."""
        return self.answers.get(request)


@dataclass(frozen=True)
class RunningInputs:
    """An environment that runs on a site, with the inputs of its project."""

    project: ProjectInputs
    environment: str
    stage: str
    target: str
    site: str
    cluster: str
    namespace: str
    repositories: int = 0
    """How many Applications it has."""
    applications: tuple[str, ...] = ()
    """Health of each Application that Argo CD has reported on, such as Healthy."""

    @cached_property
    def what_runs(self) -> WorkloadsRequest:
        """The probe request for its workloads."""
        return WorkloadsRequest(self.cluster, self.namespace)

    @cached_property
    def workloads(self) -> Answer[WorkloadsFacts] | None:
        """The newest answer to it; None if there is none yet."""
        return self.project.answer(self.what_runs)
