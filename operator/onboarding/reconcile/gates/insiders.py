"""The people and groups of a project, who cannot decide about it; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.team import Person
from onboarding.checks.people import folded
from onboarding.reconcile.gates.record import Record


@dataclass(frozen=True, slots=True)
class Insiders:
    """The people and groups that ever belonged to a project: they cannot decide about it."""

    groups: frozenset[str]
    people: Mapping[str, str]
    """The name and the field of each person, by the folded mail address."""
    former_groups: Mapping[str, str]
    """The persona that the project gave to each group which its spec ever named."""
    former_people: Mapping[str, str]
    """Each person whom the spec ever named, by the folded mail address or user name."""
    authors: Mapping[str, str]
    """What each author of the spec did, by the folded user name."""

    @classmethod
    def of(cls, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, record: Record) -> "Insiders":
        """Return the insiders of a project; groups of deciding personas are none.

        A group that was named for several personas is none only if all of them decide.
        """
        deciding = {persona.name for persona in policy.personas if persona.decides}
        lists = (spec.team.groups, *(environment.groups for environment in spec.environments))
        groups = {group for named in lists for persona in named.keys() - deciding for group in named[persona]}
        people = {folded(person.email): f"{person.name}, {field}" for field, person in _people(spec)}
        return cls(
            frozenset(groups),
            people,
            {group: persona for persona, group in record.groups if persona not in deciding},
            _spellings(record),
            {folded(name): did for name, did in record.authors.items()},
        )

    def membership(self, decision: OnboardingDecisionSpec) -> str:
        """Return how the author of a decision belongs to the project; the empty string if they do not."""
        shared = sorted(self.groups & set(decision.by.groups))
        if shared:
            return f"its author is in group {shared[0]} of the project"
        username = folded(decision.by.username)
        if found := self.people.get(username):
            return f"its author belongs to the project ({found})"
        return self._former_membership(username, decision.by.groups)

    def _former_membership(self, username: str, groups: Iterable[str]) -> str:
        """Return how the author of a decision belonged to the project at any time."""
        if did := self.authors.get(username):
            return f"its author {did}"
        if mail := self.former_people.get(username):
            return f"its author was named by the project ({mail})"
        shared = min(self.former_groups.keys() & set(groups), default="")
        return f"its author is in group {shared}, once named as {self.former_groups[shared]}" if shared else ""


def _spellings(record: Record) -> dict[str, str]:
    """Return the mail address of each recorded person by both names that the person may decide under, folded."""
    return {folded(name): mail for mail, username in record.people for name in (mail, username) if name}


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
