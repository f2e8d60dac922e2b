"""The record of everybody who ever belonged to a project, which admission policies keep in an annotation; pure.

It has one line for each name: `creator:` and `author:` of the spec, `delivery:` for an account that applies what others
wrote, `person:` with a mail address and a user name, `group:` with persona and group. `generation:` says up to which
change of the spec it is complete, `unrecorded:` that an earlier one is missing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Record:
    """Everybody who ever belonged to a project, as its annotation names them."""

    unknown: str = ""
    """Why the people who wrote the spec are not all known; the empty string if they are."""
    authors: Mapping[str, str] = field(default_factory=dict)
    """What each user did to the project, by user name."""
    people: tuple[tuple[str, str], ...] = ()
    """Mail address and user name of each person that the spec ever named; the name may be empty."""
    groups: tuple[tuple[str, str], ...] = ()
    """Persona and name of each group that the spec ever named."""

    @classmethod
    def of(cls, text: str, generation: int, *, kept: bool) -> "Record":
        """Read the annotation of a project of this generation; ``kept``: nobody can forge it."""
        head, *lines = text.split("\n")
        named = _by_kind(lines)
        return cls(
            _unknown(text, head == f"generation:{generation}", named, kept=kept),
            {name: did for kind, did in _DID.items() for name in named.get(kind, ())},
            _pairs(named.get("person", ()), " "),
            _pairs(named.get("group", ()), ":"),
        )


_DID: Mapping[str, str] = {
    "delivery": "applied this project's spec",
    "author": "changed this project's spec",
    "creator": "created this project",
}
_KINDS = (*_DID, "person", "group", "unrecorded")


def _by_kind(lines: Iterable[str]) -> Mapping[str, list[str]]:
    """Return the names of the lines, by kind."""
    named: dict[str, list[str]] = {}
    for line in lines:
        kind, _, name = line.partition(":")
        named.setdefault(kind, []).append(_plain(name))
    return named


def _pairs(entries: Iterable[str], separator: str) -> tuple[tuple[str, str], ...]:
    """Return both parts of each entry; the second is empty without a separator."""
    return tuple((first, second) for first, _, second in (entry.partition(separator) for entry in entries))


def _unknown(text: str, complete: bool, named: Mapping[str, list[str]], *, kept: bool) -> str:
    """Return why the people who wrote the spec are not all known."""
    if not kept:
        return "the admission policy project-onboarding-insiders is not in force"
    if not text:
        return "nobody has recorded them"
    if not complete or "unrecorded" in named:
        return "the spec was written, or changed, without a record"
    if "delivery" in named:
        return f"{named['delivery'][0]} applies what others wrote"
    if "creator" not in named:
        return "the creator is not recorded"
    return "" if named.keys() <= set(_KINDS) else "the record has a line that this operator does not know"


def _plain(name: str) -> str:
    """Return a name as it was before its line breaks were replaced."""
    return name.replace("%0A", "\n").replace("%25", "%")
