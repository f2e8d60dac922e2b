"""Placement of projects by sensitivity: data of environments, reservations of targets, and the table of trust."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from onboarding.api.common import Model, ObjectName, Seen, ShortName, ZoneName
from onboarding.api.hosting import Classification, Criticality
from onboarding.api.markers import MapList, SetList

Trust = Annotated[int, Field(ge=0, le=100)]
TerritoryName = Annotated[str, Field(min_length=1, max_length=10, pattern=r"^[A-Z]+$")]

_CRITICALITY: Final = tuple(Criticality)
"""From the least to the most."""


class Data(StrEnum):
    """Kind of data that an environment holds."""

    NONE = "None"
    FICTIVE = "Fictive"
    REAL = "Real"


class Reservation(Model):
    """The projects that a target takes; without any entry it takes none."""

    projects: Annotated[tuple[ObjectName, ...], Field(max_length=200), SetList()] = Field(
        default=(), description="Names of projects."
    )
    organisations: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100), Seen], ...], Field(max_length=50), SetList()
    ] = Field(
        default=(),
        description="Names of organisations, compared exactly with spec.organisation.name. A project names its "
        "organisation itself: list projects if that does not suffice.",
    )

    def takes(self, project: str, organisation: str | None) -> bool:
        """Return whether a project may use the target."""
        return project in self.projects or organisation in self.organisations


class PlacementRule(Model):
    """Least trust of the targets of some projects: those to which every field of the rule applies."""

    name: ShortName = Field(description="Name of the rule.")
    zone: ZoneName | None = Field(
        default=None,
        description="Projects of this sensitivity zone. A project without a zone, or with one that no rule names, "
        "counts as one of each. Default: every project.",
    )
    criticality: Criticality | None = Field(
        default=None, description="Projects of this criticality or a higher one. Default: every project."
    )
    personal_data: bool | None = Field(
        default=None, description="Projects that process personal data, or those that do not. Default: both."
    )
    trust: Trust = Field(description="Least trust of their targets; of several rules that apply, the highest counts.")


class Territory(Model):
    """A territory that data may be kept in, and those that it lies in."""

    name: TerritoryName = Field(description="Name of the territory, such as FR.")
    within: Annotated[tuple[TerritoryName, ...], Field(max_length=10), SetList()] = Field(
        default=(), description="Territories that it is a part of, such as EU."
    )


PlacementRules = Annotated[tuple[PlacementRule, ...], Field(max_length=50), MapList("name")]
Territories = Annotated[tuple[Territory, ...], Field(max_length=50), MapList("name")]
_BUILT_IN: Final = (Territory(name="FR", within=("EU",)),)
"""The territories of a policy that names none."""


class Demand(NamedTuple):
    """The least trust that a classification demands, and the fields of it that do."""

    trust: int = 0
    reason: str = ""


def demand(rules: Iterable[PlacementRule], classification: Classification) -> Demand:
    """Return the highest trust that the rules demand; nobody is trusted with a zone that the table does not name."""
    table = tuple(rules)
    zones = {rule.zone for rule in table if rule.zone}
    found = [rule for rule in table if _applies(rule, classification, zones)]
    if not found:
        return Demand()
    highest = max(found, key=lambda rule: rule.trust)
    return Demand(highest.trust, _reason(highest, classification))


def _applies(rule: PlacementRule, classification: Classification, zones: set[str]) -> bool:
    if rule.zone and classification.zone in zones and classification.zone != rule.zone:
        return False
    if rule.criticality and _level(classification.criticality) < _level(rule.criticality):
        return False
    return rule.personal_data in (None, classification.personal_data)


def _level(criticality: Criticality) -> int:
    return _CRITICALITY.index(criticality)


def _reason(rule: PlacementRule, classification: Classification) -> str:
    """Return the fields of the classification that a rule goes by."""
    found = []
    if rule.zone and classification.zone is None:
        found.append("no zone, which counts as the most sensitive one")
    elif rule.zone:
        known = classification.zone == rule.zone
        found.append(f"zone {classification.zone!r}" + ("" if known else ", which counts as the most sensitive one"))
    if rule.criticality:
        found.append(f"criticality {classification.criticality.value!r}")
    if rule.personal_data is not None:
        found.append("personal data" if classification.personal_data else "no personal data")
    return " and ".join(found) or "any classification"


def lies_in(territories: Iterable[Territory], inner: str, outer: str) -> bool:
    """Return whether all of a territory lies in another one."""
    within = {item.name: item.within for item in tuple(territories) or _BUILT_IN}
    seen, coming = {inner}, [inner]
    while coming:
        coming = [name for item in coming for name in within.get(item, ()) if name not in seen]
        seen |= {*coming}
    return outer in seen
