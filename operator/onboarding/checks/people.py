"""Checks on what a project says of itself: who stands behind it, who works on it, how sensitive it is."""

from collections.abc import Iterator

from onboarding.api.gates import Track
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import Evidence
from onboarding.api.team import Person
from onboarding.checks.finding import Finding, check
from onboarding.checks.identity import Naming
from onboarding.checks.inputs import ProjectInputs

ROLES = ("development", "operations", "test")
"""What somebody of the team has to do in every project."""


@check(
    "SponsorNamed",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="name a sponsor of the project in spec.sponsor",
    reads=("sponsor",),
)
def sponsor_is_named(inputs: ProjectInputs) -> Finding | None:
    """The project names a sponsor in its organisation."""
    return None if inputs.spec.sponsor else Finding("spec.sponsor names nobody")


@check(
    "ObjectivesNamed",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="list the objectives of the project in spec.objectives, a sentence each",
    reads=("objectives",),
)
def objectives_are_named(inputs: ProjectInputs) -> Finding | None:
    """The project lists its objectives."""
    if any(objective.strip() for objective in inputs.spec.objectives):
        return None
    return Finding("spec.objectives says nothing")


@check(
    "OrganisationNamed",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="name the organisation that the project belongs to in spec.organisation.name",
    reads=("organisation",),
)
def organisation_is_named(inputs: ProjectInputs) -> Finding | None:
    """The organisation that the project belongs to is named."""
    organisation = inputs.spec.organisation
    return None if organisation and organisation.name.strip() else Finding("spec.organisation.name says nothing")


@check(
    "ClassificationNamed",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="name the sensitivity zone of the project's data in spec.classification.zone",
    reads=("classification",),
)
def classification_is_named(inputs: ProjectInputs) -> Finding | None:
    """The project names its sensitivity zone, and approvals of the check's gate cover the whole classification."""
    return None if inputs.spec.classification.zone else Finding("spec.classification.zone says nothing")


@check(
    "TeamComplete",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="give each of these roles to somebody in spec.team.people[].roles",
    reads=("team.people",),
)
def team_is_complete(inputs: ProjectInputs) -> Finding | None:
    """The team has a member for each of development, operations and test."""
    held = {role.strip().casefold() for person in inputs.spec.team.people for role in person.roles}
    missing = [role for role in ROLES if role not in held]
    return Finding(f"nobody in spec.team.people has the role {', '.join(missing)}") if missing else None


@check(
    "PoaNamed",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="name the operational application pilot in spec.team.poa",
    reads=("team.poa",),
)
def poa_is_named(inputs: ProjectInputs) -> Finding | None:
    """The project names its operational application pilot, who answers for production."""
    return None if inputs.spec.team.poa else Finding("spec.team.poa names nobody")


@check(
    "PoaSeparate",
    Track.ORGANISATIONAL,
    Evidence.OBSERVED,
    remedy="name another person in spec.team.poa: whoever answers for production neither builds nor runs the project",
    reads=("team.poa", "team.people", "owner", "environments.owner"),
)
def poa_is_separate(inputs: ProjectInputs) -> Finding | None:
    """The operational application pilot is neither an owner nor anybody who builds or runs the project."""
    poa = inputs.spec.team.poa
    if poa is None:
        return None
    naming = Naming.of(inputs.policy.identity)
    mail, user = naming.user(poa.email), naming.user(poa.username) if poa.username else frozenset[str]()
    for field, person in _workers(inputs.spec):
        if not mail.isdisjoint(naming.person(person)):
            return Finding(f"the mail address of {poa.name} (spec.team.poa) is also that of {field}")
        if not user.isdisjoint(naming.person(person)):
            return Finding(f"the user name of {poa.name} (spec.team.poa) is also that of {field}")
    return None


def _workers(spec: ProjectOnboardingSpec) -> Iterator[tuple[str, Person]]:
    """Yield whoever asks for the project, builds it or runs it, each with the field."""
    yield "spec.owner", spec.owner
    for environment in spec.environments:
        if environment.owner:
            yield f"spec.environments[{environment.name}].owner", environment.owner
    for index, person in enumerate(spec.team.people):
        if person.roles:
            yield f"spec.team.people[{index}], who has the role {person.roles[0]}", person


@check(
    "UsernamesKnown",
    Track.ORGANISATIONAL,
    Evidence.DECLARED,
    remedy="give each of them the user name of the identity provider in username: approvals compare it with the author",
    reads=(
        "owner.username",
        "sponsor.username",
        "team.people.username",
        "team.poa.username",
        "environments.owner.username",
    ),
)
def usernames_are_known(inputs: ProjectInputs) -> Finding | None:
    """Each person has a user name, if the policy says that API servers make user names of it."""
    if not Naming.of(inputs.policy.identity).by_username:
        return None
    missing = [field for field, person in _everybody(inputs.spec) if not person.username]
    if not missing:
        return None
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return Finding(f"no username in {', '.join(missing[:3])}{more}")


def _everybody(spec: ProjectOnboardingSpec) -> Iterator[tuple[str, Person]]:
    """Yield every person that a project names, each with the field."""
    yield "spec.owner", spec.owner
    if spec.sponsor:
        yield "spec.sponsor", spec.sponsor
    if spec.team.poa:
        yield "spec.team.poa", spec.team.poa
    for environment in spec.environments:
        if environment.owner:
            yield f"spec.environments[{environment.name}].owner", environment.owner
    for person in spec.team.people:
        yield f"spec.team.people[{person.email}]", person
