"""The people and groups that ever belonged to a project, who cannot decide about it; pure.

The author of a decision is known by the name that the API server of the hub gave them, the people of a project by what
the project wrote. They are compared folded, with and without prefixes: closed by default.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.team import Person
from onboarding.checks.identity import GroupSet, Naming
from onboarding.reconcile.gates.record import Record


@dataclass(frozen=True, slots=True)
class Insiders:
    """The people and groups that ever belonged to a project: they cannot decide about it.

    A group that only deciding personas have, and had, is none of them.
    """

    naming: Naming
    groups: GroupSet
    people: Mapping[str, str]
    """The name and the field of each person, by each form of their mail address and user name."""
    former_groups: GroupSet
    """The groups that the spec ever named."""
    personas: Mapping[str, str]
    """The persona that each of these was named for."""
    former_people: Mapping[str, str]
    """Each person whom the spec ever named, by each form of the mail address and user name."""
    authors: Mapping[str, str]
    """What each author of the spec did, by each form of the user name."""

    @classmethod
    def of(cls, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, record: Record) -> "Insiders":
        """Return the insiders of a project with its record."""
        naming, deciding = Naming.of(policy.identity), {item.name for item in policy.personas if item.decides}
        personas = {group: persona for persona, group in record.groups if persona not in deciding}
        return cls(
            naming,
            GroupSet(naming, _groups(spec, deciding)),
            {form: f"{person.name}, {field}" for field, person in _people(spec) for form in naming.person(person)},
            GroupSet(naming, personas),
            personas,
            _by_form(naming, ((name, mail) for mail, username in record.people for name in (mail, username))),
            _by_form(naming, record.authors.items()),
        )

    def membership(self, decision: OnboardingDecisionSpec) -> str:
        """Return how the author of a decision belongs to the project, or did; the empty string if they never did."""
        if shared := _shared(self.groups, decision):
            return f"its author is in group {shared} of the project"
        forms = sorted(self.naming.user(decision.by.username))
        for known, words in (
            (self.people, "belongs to the project ({})"),
            (self.authors, "{}"),
            (self.former_people, "was named by the project ({})"),
        ):
            if found := next((known[form] for form in forms if form in known), ""):
                return f"its author {words.format(found)}"
        former = _shared(self.former_groups, decision)
        return f"its author is in group {former}, once named as {self.personas[former]}" if former else ""


def _by_form(naming: Naming, named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what is said of each name, by the forms of the name; nothing of an empty one."""
    return {form: said for name, said in named for form in naming.user(name)}


def _shared(groups: GroupSet, decision: OnboardingDecisionSpec) -> str:
    """Return the first of these groups that the author of a decision is in; the empty string if they are in none."""
    return min((found for group in decision.by.groups if (found := groups.find(group))), default="")


def _groups(spec: ProjectOnboardingSpec, deciding: Container[str]) -> Iterator[str]:
    """Yield the groups that a project names anywhere but under a deciding persona."""
    for named in (spec.team.groups, *(environment.groups for environment in spec.environments)):
        for persona in (persona for persona in named if persona not in deciding):
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
