"""The record of everybody who ever belonged to a project, which admission policies keep in an annotation; pure.

It has one line for each name: `creator:` and `author:` of the spec, `delivery:` for an account that applies what others
wrote, `person:` with a mail address and a user name, `group:` with persona and group. `generation:` says up to which
change of the spec it is complete, `unrecorded:` that an earlier one is missing.
"""

from collections.abc import Mapping
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
        entries = [(kind, _plain(name)) for kind, _, name in (line.partition(":") for line in lines)]
        named = {kind: [name for other, name in entries if other == kind] for kind in _KINDS}
        people = (name.partition(" ") for name in named["person"])
        groups = (name.partition(":") for name in named["group"])
        return cls(
            _unknown(text, head == f"generation:{generation}", named, {kind for kind, _ in entries}, kept=kept),
            _authors(named),
            tuple((mail, username) for mail, _, username in people),
            tuple((persona, group) for persona, _, group in groups),
        )


_DID: Mapping[str, str] = {
    "delivery": "applied this project's spec",
    "author": "changed this project's spec",
    "creator": "created this project",
}
_KINDS = (*_DID, "person", "group", "unrecorded")


def _authors(named: Mapping[str, list[str]]) -> dict[str, str]:
    """Return what each user did to the project; to have created it counts most."""
    return {name: did for kind, did in _DID.items() for name in named[kind]}


def _unknown(text: str, complete: bool, named: Mapping[str, list[str]], kinds: set[str], *, kept: bool) -> str:
    """Return why the people who wrote the spec are not all known."""
    if not kept:
        return "the admission policy project-onboarding-insiders is not in force"
    if not text:
        return "nobody has recorded them"
    if not complete or named["unrecorded"]:
        return "the spec was written, or changed, without a record"
    if named["delivery"]:
        return f"{named['delivery'][0]} applies what others wrote"
    if not named["creator"]:
        return "the creator is not recorded"
    return "" if kinds <= set(_KINDS) else "the record has a line that this operator does not know"


def _plain(name: str) -> str:
    """Return a name as it was before its line breaks were replaced."""
    return name.replace("%0A", "\n").replace("%25", "%")
