"""Comparison of people and groups by name, in whatever form it is written; pure.

It is closed by default: two names that a reader takes for the same are the same, and a prefix that an API server may
have put before a name is left out, also if the policy names no prefix. Nothing is granted by such a comparison.

Folded, because they keep somebody out: PoaSeparate, ExternalsAllowed, and the insiders of a project. To the letter,
because they give access or a say: RoleBindings, roles of AppProjects, what a revocation leaves of both, the members of
a deciding persona, the projects and organisations of a reservation, and digests, in which every change counts.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from onboarding.api.identity import Claim, Identity, bare_group, group_with
from onboarding.api.team import Person

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_INVISIBLE: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that nothing is drawn for, beside controls and formats (Default_Ignorable_Code_Point of Unicode)."""
_UNDRAWN: Final = ("Cc", "Cf")
_CYRILLIC: Final = (
    "\u0430\u0432\u0435\u0456\u0458\u0455\u043a\u043c\u043d\u043e"
    "\u051b\u0440\u0441\u0442\u0443\u0445\u051d\u04bb\u0501\u0475"
)
_GREEK: Final = "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b3\u03c9"
_LATIN: Final = "\u0131\u0251\u0261\u01c0"
_ALIKE: Final = str.maketrans(_CYRILLIC + _GREEK + _LATIN, "abeijskmhoqpctyxwhdv" + "abenikvoptuxyw" + "iagl")
"""Small letters that look like one of ASCII, or whose capitals do."""
_TAG: Final = re.compile(r"^([^@+]+)\+[^@]*@")
_BEFORE_A_USER: Final = re.compile(r"[:#/|\\]")
_BEFORE_A_GROUP: Final = re.compile(r"[:#]")
_KUBERNETES: Final = "system:"


def folded(name: str) -> str:
    """Return what two spellings of a name share that look the same to a reader.

    Letters of another width or composed otherwise are one letter, capitals are small, invisible characters go, and
    letters of other alphabets count as those of ASCII that they look like.
    """
    if name.isascii():
        return _CONTROL.sub("", name).casefold()
    seen = "".join(letter for letter in name if unicodedata.category(letter) not in _UNDRAWN)
    small = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _INVISIBLE.sub("", seen)).casefold())
    return small.replace("i\u0307", "i").translate(_ALIKE)


@dataclass(frozen=True, slots=True)
class Naming:
    """The forms of user names and groups on the hub, under the identity of a policy."""

    user_prefix: str = ""
    group_prefix: str = ""
    by_username: bool = False
    """Whether user names are made of the user names of people, instead of their mail addresses."""
    plus_tags: bool = False

    @classmethod
    def of(cls, identity: Identity | None) -> "Naming":
        """Return the forms under the identity of a policy, or without one."""
        if identity is None:
            return cls()
        return cls(
            folded(identity.username_prefix or ""),
            identity.group_prefix or "",
            identity.claim is Claim.USERNAME,
            bool(identity.plus_tags),
        )

    def user(self, name: str) -> frozenset[str]:
        """Return the forms of a user name or mail address; names of one person have one in common."""
        whole = folded(name)
        forms = (whole, whole.removeprefix(self.user_prefix), _BEFORE_A_USER.split(whole)[-1])
        return frozenset(self._untagged(form) for form in forms if form)

    def person(self, person: Person) -> frozenset[str]:
        """Return the forms of the names of a person: of the mail address and of the user name."""
        return self.user(person.email) | (self.user(person.username) if person.username else frozenset())

    def group(self, name: str) -> str:
        """Return a group, declared or of a user, as the identity provider names it, folded."""
        return folded(bare_group(name, (self.group_prefix,))).removeprefix("/")

    def on_hub(self, groups: Iterable[str]) -> frozenset[str]:
        """Return declared groups exactly as the API server of the hub names them."""
        return frozenset(group_with(self.group_prefix, group) for group in groups)

    def _untagged(self, name: str) -> str:
        return _TAG.sub(r"\1@", name) if self.plus_tags else name


class GroupSet:
    """Declared groups, found by the name of a user's group with or without a prefix."""

    def __init__(self, naming: Naming, declared: Iterable[str]) -> None:
        self._naming = naming
        self._whole: dict[str, str] = {}
        self._endings: dict[str, str] = {}
        for group in sorted(declared):
            name = naming.group(group)
            self._whole.setdefault(name, group)
            for ending in _endings(name):
                self._endings.setdefault(ending, group)

    def find(self, group: str) -> str | None:
        """Return the declared group that a group may be, in another spelling or with another prefix; None if none."""
        if group.startswith(_KUBERNETES):
            return None
        name = self._naming.group(group)
        longer = (self._whole[ending] for ending in _endings(name) if ending in self._whole)
        return self._endings.get(name) or next(longer, None)


def _endings(name: str) -> Iterator[str]:
    """Yield a group as it is, and without what may be a prefix."""
    yield name
    for mark in _BEFORE_A_GROUP.finditer(name):
        if mark.end() < len(name):
            yield name[mark.end() :]
