"""Page of the attacks: who is refused what, and by which guard, from the rows of tests/attack/requests."""

from collections import Counter
from collections.abc import Iterable, Iterator

from docs.tables import table
from tests.attack.rows import BUILT_IN, SHOWN_SETS, Allowed, Refused, Row, Theme, actors, sets, themes

_INTRODUCTION = """\
# Attacks

The tests send these requests to a real API server, each as an attacker: {total} requests, of which {refused} are
refused and {admitted} are admitted. Each is refused by the guard that is named here. The same request, or one that
differs in the attack alone, is admitted to somebody: none is refused for being malformed. All writes are dry runs.
`make test` sends every request. `make attack` also removes each validation of each admission policy in turn, and
demands that something then gets through.

The rows are data, in `tests/attack/requests`. They show what RBAC, schema and admission hold. What the operator judges
is in [Checks](checks.md); what nothing here holds is under [Limits](#limits).
"""


def attacks_page() -> str:
    """Return the page."""
    refused, admitted = (sum(counts.values()) for counts in _counts())
    text = _INTRODUCTION.format(total=f"{refused + admitted:,}", refused=f"{refused:,}", admitted=f"{admitted:,}")
    return text + _actors() + _matrix() + _limits() + "".join(_section(*item) for item in _numbered())


def _numbered() -> Iterator[tuple[int, Theme]]:
    return enumerate(themes().values(), start=1)


def _counts() -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]:
    """Return how many requests are refused, and how many admitted, by actor and number of the theme."""
    refused, admitted = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for number, theme in _numbered():
        for row in theme.requests():
            refused.update((actor, number) for verdict in row.refused for actor in verdict.to)
            admitted.update((actor, number) for verdict in row.allowed for actor in verdict.to)
    return refused, admitted


def _actors() -> str:
    text = (
        "\n## Actors\n\nTwo projects are onboarded under the default profile by the operator, payments and billing, "
        "each with the environments\ndev and prod.\n\n"
    )
    text += table(("Actor", "Who"), [(name, actor.is_) for name, actor in actors().items()])
    text += "\nSeveral at once: "
    return text + "; ".join(f"*{name}* are {_listed(sets()[name])}" for name in SHOWN_SETS) + ".\n"


def _matrix() -> str:
    refused, admitted = _counts()
    numbers = [number for number, _ in _numbered()]
    text = "\n## Matrix\n\nRequests by actor and theme: refused, and after a plus sign those that are admitted.\n\n"
    text += "".join(f"{number}. [{theme.title}](#{_anchor(number, theme)})\n" for number, theme in _numbered())
    rows = []
    for actor in actors():
        cells = [(refused[actor, number], admitted[actor, number]) for number in numbers]
        rows.append((actor, *(_cell(*cell) for cell in cells)))
    return text + "\n" + table(("Actor", *map(str, numbers)), rows)


def _cell(refused: int, admitted: int) -> str:
    parts = [str(refused)] if refused else []
    return " ".join([*parts, *([f"+{admitted}"] if admitted else [])])


def _limits() -> str:
    text = "\n## Limits\n\nAdmitted, and not because the actor has a right to it. Each has its reason or remedy.\n\n"
    rows = [
        (row.sentence(), _named(verdict.to), _upper(verdict.because) + ".")
        for _, theme in _numbered()
        for row in theme.rows
        for verdict in row.allowed
        if verdict.limit
    ]
    return text + table(("Attack", "By", "Reason, remedy"), rows)


def _section(number: int, theme: Theme) -> str:
    text = f"\n## {number}. {theme.title}\n\n{theme.text}\n\n"
    if any(row.benchmark for row in theme.rows):
        rows = [(row.benchmark, *_row(row)) for row in theme.rows]
        return text + table(("Check", "Attack", "Refused by", "Admitted"), rows)
    return text + table(("Attack", "Refused by", "Admitted"), map(_row, theme.rows))


def _row(row: Row) -> tuple[str, str, str]:
    refused = [_refusal(guard, row.refused) for guard in dict.fromkeys(verdict.by for verdict in row.refused)]
    return row.sentence(), "<br>".join(refused), "<br>".join(map(_admission, row.allowed))


def _refusal(guard: str, verdicts: Iterable[Refused]) -> str:
    """Return everybody whom a guard refuses, in whatever words."""
    refused = {actor for verdict in verdicts if verdict.by == guard for actor in verdict.to}
    name = BUILT_IN.get(guard) or f"policy `{guard}`"
    return f"{name}: {_named(actor for actor in actors() if actor in refused)}"


def _admission(verdict: Allowed) -> str:
    return f"{_named(verdict.to)}: {verdict.because}"


def _named(given: Iterable[str]) -> str:
    """Return actors as readers know them, several at once by the name of their set."""
    left = list(given)
    found = []
    for name in SHOWN_SETS:
        members = sets()[name]
        if set(members) <= set(left):
            found.append(f"*{name}*")
            left = [actor for actor in left if actor not in members]
    return ", ".join([*found, *left])


def _listed(items: Iterable[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _anchor(number: int, theme: Theme) -> str:
    """Return the anchor that the renderer makes of the theme's heading."""
    words = f"{number} {theme.title}".lower().replace("'", "").replace(",", "")
    return words.replace(" ", "-")
