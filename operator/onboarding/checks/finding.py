"""What a check looks at and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass

from onboarding.api.policy import OnboardingPolicySpec, Persona, Size, Stage
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.api.status import Actor
from onboarding.api.target import HostingTargetSpec, Site


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that does not pass: what was found, what mends it, and who has to act."""

    id: str
    message: str
    remedy: str
    actor: Actor = Actor.PROJECT
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the checks of one environment look at."""

    spec: ProjectOnboardingSpec
    environment: Environment
    policy: OnboardingPolicySpec
    targets: Mapping[str, HostingTargetSpec]

    @property
    def stage(self) -> Stage | None:
        """The stage of the environment, if the policy has it."""
        return next((stage for stage in self.policy.stages if stage.name == self.environment.stage), None)

    @property
    def size_name(self) -> str | None:
        """The size that the environment names, or the default of its stage."""
        return self.environment.size or (self.stage.default_size if self.stage else None)

    @property
    def size(self) -> Size | None:
        """The size of the environment, if the policy has it."""
        return next((size for size in self.policy.sizes if size.name == self.size_name), None)

    @property
    def target_name(self) -> str | None:
        """The target that the environment names, or the default of its stage."""
        return self.environment.target or (self.stage.default_target if self.stage else None)

    @property
    def target(self) -> HostingTargetSpec | None:
        """The target of the environment, if it exists."""
        return self.targets.get(self.target_name or "")

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that the environment runs on: those it names, or all of its target."""
        if self.target is None:
            return ()
        chosen = self.environment.sites
        return tuple(site for site in self.target.sites if not chosen or site.name in chosen)

    def persona(self, name: str) -> Persona | None:
        """Return a persona of the policy."""
        return next((persona for persona in self.policy.personas if persona.name == name), None)
