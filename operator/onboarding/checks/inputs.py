"""Inputs of the checks: declarations, capacity, a project with its probe results, and running environments.

The type of its inputs limits the fields that a check can read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from onboarding.api.capacity import Budget
from onboarding.api.common import Resources
from onboarding.api.personas import Persona
from onboarding.api.placement import Data
from onboarding.api.policy import OnboardingPolicySpec, Size, Stage
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec, Site
from onboarding.checks.argocd_settings import ArgoSettings
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

    Declaration checks read nothing else: no probe results, attestations, capacity or time of day.
    """

    name: str
    spec: ProjectOnboardingSpec
    policy: OnboardingPolicySpec
    targets: Mapping[str, HostingTargetSpec]
    today: date
    """The day in UTC."""
    target_problems: Mapping[str, str] = field(default_factory=dict)
    """The problems of unusable targets, by name."""
    argocd: Mapping[tuple[str, str], ArgoSettings] = field(default_factory=dict)
    """The settings of the Argo CD of each site, by target and site, for the checks of them alone."""
    reserved: Mapping[str, str] = field(default_factory=dict)
    """The namespaces of the platform that no policy names, each with a clause that says whose it is."""

    def persona(self, name: str) -> Persona | None:
        """Return a persona of the policy."""
        return next((persona for persona in self.policy.personas if persona.name == name), None)


class Former(NamedTuple):
    """What an environment has been admitted as, on one site."""

    target: str
    namespace: str
    stage: str
    site: str = ""
    labels: Mapping[str, str] = MappingProxyType({})
    """The declared labels of the namespace."""


@dataclass(frozen=True)
class EnvironmentDeclaration:
    """A declared environment, with what it has been admitted as."""

    project: ProjectDeclaration
    environment: Environment
    namespace: str = ""
    """Name of its namespace as declared."""
    former: tuple[Former, ...] = ()
    """One for each of its admitted revisions."""
    before: str = ""
    """The environment that has its namespace on a cluster of it, by admission or else by the order of the spec."""

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
        """The usable targets, by name."""
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

    @property
    def fictive(self) -> bool:
        """Whether the environment holds no real data, in a stage that the policy permits that in."""
        stage, data = self.stage, self.environment.data
        allowed = stage is not None and bool(stage.fictive_data) and not stage.production
        return allowed and data in (Data.NONE, Data.FICTIVE)

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The sites that the environment runs on: those it names, or all of its target, without lost ones."""
        if self.target is None:
            return ()
        chosen = self.environment.sites
        return tuple(site for site in self.target.sites if not site.lost and (not chosen or site.name in chosen))

    def is_everywhere(self, admitted: Callable[[Former], bool]) -> bool:
        """Return whether it has been admitted as something on every site that it runs on."""
        there = {item.site for item in self.former if item.target == self.target_name and admitted(item)}
        return all(site.name in there for site in self.sites)


@dataclass(frozen=True, slots=True)
class RevisionInputs:
    """The resolved revisions of an environment, reduced to their size."""

    largest: int
    """Size of the largest of them, in bytes."""


@dataclass(frozen=True, slots=True)
class AppProjectInputs:
    """The AppProjects that all declared environments lead to, reduced to the policies of their roles."""

    policies: int
    """Policies of the largest of them."""


@dataclass(frozen=True, slots=True)
class Headroom:
    """Used capacity on the sites of an environment, without the environment itself."""

    taken: Mapping[str, Totals] = field(default_factory=dict)
    """By site: the sum of the quotas of all other environments, of all projects."""
    committed: Totals = field(default_factory=Totals)
    """The quotas of the project's other environments of the same kind (production or not), on all sites."""
    ceiling: Budget = field(default_factory=Budget)
    """The budget for all environments of that kind together."""
    current: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By site: the present quota of the environment, by its admitted revision."""
    used: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By site: the used amounts of the environment's quota (``status.used`` of its ResourceQuota)."""


@dataclass(frozen=True, slots=True)
class CapacityInputs:
    """A declared environment, with the capacity that all others leave."""

    declared: EnvironmentDeclaration
    room: Headroom = field(default_factory=Headroom)


@dataclass(frozen=True, slots=True)
class ProjectInputs:
    """A declared project, with the probe results, the attestations and the time."""

    declared: ProjectDeclaration
    now: datetime
    answers: Answers = field(default_factory=no_answers)
    """The newest probe results."""
    attested: frozenset[str] = frozenset()
    """The checks with a valid attestation."""

    @property
    def spec(self) -> ProjectOnboardingSpec:
        """The project's spec."""
        return self.declared.spec

    @property
    def policy(self) -> OnboardingPolicySpec:
        """The active policy."""
        return self.declared.policy

    def answer(self, request: Request[Facts_co]) -> Answer[Facts_co] | None:
        """Return the newest result of a probe request; None if there is none yet."""
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
    """The number of its Applications."""
    applications: tuple[str, ...] = ()
    """Health of each Application that Argo CD has reported on, such as Healthy."""

    @cached_property
    def what_runs(self) -> WorkloadsRequest:
        """The probe request for its workloads."""
        return WorkloadsRequest(self.cluster, self.namespace)

    @cached_property
    def workloads(self) -> Answer[WorkloadsFacts] | None:
        """The newest result of that request; None if there is none yet."""
        return self.project.answer(self.what_runs)
