"""Attacks of requests/*.yaml: who sends which request, and what refuses it. The tests send them, the docs list them."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

FOLDER: Final = Path(__file__).parent / "requests"
RULE_PREFIX: Final = "project-onboarding-"
"""Beginning of the names of the admission policies; ``by`` of a refusal leaves it out."""
BUILT_IN: Final = {
    "rbac": "RBAC",
    "schema": "the schema of the kind",
    "pod-security": "Pod Security",
    "quota": "the ResourceQuota",
    "server": "the API server",
}
"""Guards of a refusal that are no policy of ours, with their names for readers."""
POLICIES: Final = (
    "operator-account",
    "managed-namespaces",
    "managed-objects",
    "detached-namespaces",
    "projects",
    "decisions",
    "insiders",
)


SHOWN_SETS: Final = ("people", "deciders", "team", "pods")
"""Sets of actors that readers see by their name, the larger before those that it contains."""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Actor(_Data):
    """Somebody who sends requests."""

    is_: str = Field(alias="is")
    """Description for readers."""
    user: str = ""
    groups: tuple[str, ...] = ()
    """Of a person, who shows a client certificate."""
    account: str = ""
    """``<namespace>/<name>`` of a service account, which shows a token."""


class Verdict(_Data):
    """Answer to some actors."""

    to: tuple[str, ...]


class Refused(Verdict):
    """Some actors are refused by one guard."""

    by: str
    """Key of BUILT_IN or one of POLICIES."""
    words: str = ""
    """Part of the refusal."""
    also: tuple[str, ...] = ()
    """Policies that refuse it as well: the server answers in the words of any one of them."""


class Allowed(Verdict):
    """Some actors are admitted, by design or as a documented limit."""

    because: str
    contains: str = ""
    """Part of the answer."""
    limit: bool = False
    """Whether the actor has no right to it, but nothing holds it."""


class Control(_Data):
    """Request that proves the row's request well-formed: by default the row's own, sent by ``root``."""

    to: str = "root"
    send: str = ""
    body: Any = None
    none: str = ""
    """Reason why nobody is admitted with anything near to this request."""


class Row(_Data):
    """One attack."""

    attack: str
    send: str
    """``<verb> <resource>[/<subresource>] [<namespace>/][<name>]``; after ``can``, asks for the right to it."""
    body: Any = None
    """Body of a creation, merged into a head that is complete but for it; a patch; or the change of a PUT."""
    form: str = "merge"
    """Content type of a patch: merge, json, strategic or apply; a list is a JSON patch."""
    impersonate: dict[str, str] = Field(default_factory=dict)
    """Impersonation headers, without their prefix."""
    refused: tuple[Refused, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    control: Control = Control()
    each: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Placeholders, written ``<name>``, each with the values that make one request of the row more."""
    benchmark: str = ""
    """Identifier of the check of kubectl-mtb that this is."""

    @model_validator(mode="after")
    def _is_complete(self) -> "Row":
        verdicts: tuple[Verdict, ...] = (*self.refused, *self.allowed)
        named = [actor for verdict in verdicts for actor in verdict.to]
        twice = [actor for actor, times in Counter(named).items() if times > 1]
        if not named or twice:
            raise ValueError(f"'{self.attack}': no actor, or twice the same: {twice}")
        guards = [guard for item in self.refused for guard in (item.by, *item.also)]
        unknown = [guard for guard in guards if guard not in (*BUILT_IN, *POLICIES)]
        if unknown:
            raise ValueError(f"'{self.attack}': no such guard: {unknown}")
        return self

    def requests(self) -> Iterator["Row"]:
        """Yield the row once for each combination of its placeholders' values."""
        text = self.model_dump_json(exclude={"each"})
        for values in product(*self.each.values()):
            filled = text
            for name, value in zip(self.each, values, strict=True):
                filled = filled.replace(f"<{name}>", value)
            yield Row.model_validate_json(filled)

    def sentence(self) -> str:
        """Return the attack for readers, with all values of each placeholder."""
        text = self.attack
        for name, values in self.each.items():
            several = f"{', '.join(values[:-1])} or {values[-1]}" if len(values) > 1 else values[0]
            text = text.replace(f"<{name}>", several)
        return text


class Theme(_Data):
    """Attacks of one kind: one file."""

    title: str
    text: str
    """What is attacked, and what holds it; for readers."""
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _has_names(self) -> "Theme":
        names = Counter(row.attack for row in self.rows)
        if twice := [name for name, times in names.items() if times > 1]:
            raise ValueError(f"'{self.title}': two attacks of one name: {twice}")
        return self

    def requests(self) -> Iterator[Row]:
        """Yield every request."""
        for row in self.rows:
            yield from row.requests()


@cache
def actors() -> dict[str, Actor]:
    """Return all actors by their name, in the order of columns."""
    return {name: Actor.model_validate(item) for name, item in _people()["actors"].items()}


@cache
def themes() -> dict[str, Theme]:
    """Return all themes by the name of their file; sets of actors are written out, and every actor exists."""
    found = {}
    for path in sorted(FOLDER.glob("[0-9]*.yaml")):
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
        # Anchors of a file live there.
        text.pop("shared", None)
        for row in text["rows"]:
            for verdict in (*row.get("refused", ()), *row.get("allowed", ())):
                verdict["to"] = list(_members(verdict["to"]))
        found[path.stem] = Theme.model_validate(text)
    return found


@cache
def sets() -> dict[str, tuple[str, ...]]:
    """Return the sets of actors by their name."""
    return {name: tuple(members) for name, members in _people()["sets"].items()}


def _members(given: str | list[str]) -> Iterator[str]:
    for name in [given] if isinstance(given, str) else given:
        for member in sets().get(name, (name,)):
            if member not in actors():
                raise ValueError(f"no such actor: {member}")
            yield member


@cache
def _people() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "actors.yaml").read_text(encoding="utf-8"))
    return found
