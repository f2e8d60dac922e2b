"""The groups of a project's deciding personas, whose members alone give the approvals that demand them; pure.

Who gets a say is compared to the letter.
"""

from dataclasses import dataclass

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.text import listed
from onboarding.checks.identity import Naming


@dataclass(frozen=True, slots=True)
class Deciders:
    """The groups of a project's deciding personas, as approvals demand them."""

    spec: ProjectOnboardingSpec
    policy: OnboardingPolicySpec
    naming: Naming

    def problem(self, decision: OnboardingDecisionSpec) -> str:
        """Return why a decision is not one of the persona that its approval demands; the empty string if it is.

        For a decision about an environment the groups that count there count, else those of the team.
        """
        persona = self._persona(decision)
        if persona is None:
            return ""
        declared = self._groups(persona, decision.environment)
        if not declared:
            return f"the project names no group of persona {persona}: name it in spec.team.groups.{persona}"
        if self.naming.on_hub(declared).isdisjoint(decision.by.groups):
            own = f"the project's persona {persona}"
            return f"its author is in no group of {own}: a member of {listed(declared)} decides"
        return ""

    def _persona(self, decision: OnboardingDecisionSpec) -> str | None:
        """Return the persona that the approval of a decision demands; None if it demands none."""
        approvals = (
            approval for gate in self.policy.gates if gate.name == decision.gate for approval in gate.approvals
        )
        return next((approval.persona for approval in approvals if approval.name == decision.approval), None)

    def _groups(self, persona: str, environment: str | None) -> tuple[str, ...]:
        named = (item for item in self.spec.environments if item.name == environment)
        there = next((self.spec.groups_in(item) for item in named), self.spec.team.groups)
        return there.get(persona, ())
