"""The people and groups of a project, who cannot decide about it, and those who decide for it; pure.

The author of a decision is known by the name that the API server of the hub gave them, the people of a project by what
the project wrote. Who is kept out is compared folded, with and without prefixes: closed by default. Who gets a say, as
a member of a deciding persona, is compared to the letter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.team import Person
from onboarding.api.text import listed
from onboarding.checks.identity import GroupSet, Naming


@dataclass(frozen=True, slots=True)
class Insiders:
    """The people and groups of a project: they cannot decide about it, but for the groups of deciding personas."""

    naming: Naming
    groups: GroupSet
    people: Mapping[str, str]
    """The name and the field of each person, by each form of their mail address and user name."""
    deciders: "Deciders"

    @classmethod
    def of(cls, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> "Insiders":
        """Return the insiders of a project; a group that only deciding personas have is none."""
        naming = Naming.of(policy.identity)
        people = {form: f"{person.name}, {field}" for field, person in _people(spec) for form in naming.person(person)}
        return cls(naming, GroupSet(naming, _groups(spec, policy)), people, Deciders(spec, policy, naming))

    def membership(self, decision: OnboardingDecisionSpec) -> str:
        """Return how the author of a decision belongs to the project; the empty string if they do not."""
        shared = sorted(found for group in decision.by.groups if (found := self.groups.find(group)))
        if shared:
            return f"its author is in group {shared[0]} of the project"
        forms = self.naming.user(decision.by.username)
        found = next((self.people[form] for form in sorted(forms) if form in self.people), "")
        return f"its author belongs to the project ({found})" if found else ""


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
        what = (
            f"approval {decision.approval} of gate {decision.gate} is for the project's own groups of persona {persona}"
        )
        if not declared:
            return f"{what}, and the project names none: name them in spec.team.groups.{persona}"
        if self.naming.on_hub(declared).isdisjoint(decision.by.groups):
            return f"{what} ({listed(declared)}), and its author is in none of them: one of them must decide"
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


def _groups(spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> Iterator[str]:
    """Yield the groups that a project names anywhere but under a deciding persona."""
    deciding = {persona.name for persona in policy.personas if persona.decides}
    for named in (spec.team.groups, *(environment.groups for environment in spec.environments)):
        for persona in named.keys() - deciding:
            yield from named[persona]
    for person in spec.team.people:
        yield from person.groups


def _people(spec: ProjectOnboardingSpec) -> Iterator[tuple[str, Person]]:
    """Yield the people who ask for the project, answer for it, build it or run it, each with the field."""
    for person in spec.team.people:
        yield "spec.team.people", person
    if spec.sponsor:
        yield "spec.sponsor", spec.sponsor
    for environment in spec.environments:
        if environment.owner:
            yield f"spec.environments[{environment.name}].owner", environment.owner
    yield "spec.owner", spec.owner
