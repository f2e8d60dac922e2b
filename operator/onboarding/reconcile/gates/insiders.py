"""The people and groups of a project, who cannot decide about it; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.team import Person
from onboarding.checks.people import folded


@dataclass(frozen=True, slots=True)
class Insiders:
    """The people and groups of a project: they cannot decide about it."""

    groups: frozenset[str]
    people: Mapping[str, str]
    """The name and the field of each person, by the folded mail address."""

    @classmethod
    def of(cls, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec) -> "Insiders":
        """Return the insiders of a project; groups of deciding personas are none."""
        deciding = {persona.name for persona in policy.personas if persona.decides}
        lists = (spec.team.groups, *(environment.groups for environment in spec.environments))
        groups = {group for named in lists for persona in named.keys() - deciding for group in named[persona]}
        people = {folded(person.email): f"{person.name}, {field}" for field, person in _people(spec)}
        return cls(frozenset(groups), people)

    def membership(self, decision: OnboardingDecisionSpec) -> str:
        """Return how the author of a decision belongs to the project; the empty string if they do not."""
        shared = sorted(self.groups & set(decision.by.groups))
        if shared:
            return f"its author is in group {shared[0]} of the project"
        found = self.people.get(folded(decision.by.username))
        return f"its author belongs to the project ({found})" if found else ""


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
