"""Checks on what a project says of itself: who stands behind it, who works on it, how sensitive it is."""

import unicodedata
from collections.abc import Iterator

from onboarding.api.gates import Track
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import Evidence
from onboarding.checks.finding import Finding, check
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
    theirs = folded(poa.email)
    same = next((field for field, mail in _workers(inputs.spec) if folded(mail) == theirs), None)
    return Finding(f"the mail address of {poa.name} (spec.team.poa) is also that of {same}") if same else None


def _workers(spec: ProjectOnboardingSpec) -> Iterator[tuple[str, str]]:
    """Yield the field and the mail address of whoever asks for the project, builds it or runs it."""
    yield "spec.owner", spec.owner.email
    for environment in spec.environments:
        if environment.owner:
            yield f"spec.environments[{environment.name}].owner", environment.owner.email
    for index, person in enumerate(spec.team.people):
        if person.roles:
            yield f"spec.team.people[{index}], who has the role {person.roles[0]}", person.email


def folded(mail: str) -> str:
    """Return what two spellings of an address share that look the same to a reader.

    Letters of another width or composed otherwise are one letter, capitals are small, invisible characters go.
    """
    if mail.isascii():
        return mail.casefold()
    seen = "".join(letter for letter in mail if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
