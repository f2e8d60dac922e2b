"""Report a run: as a table, as a file, and as Markdown in the documentation."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.bench.figures import Figure
from tests.bench.run import Run

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
HEADLINES = (
    ("onboard", "wall time"),
    ("idle", "writes in"),
    ("drift", "p50"),
    ("restart", "peak resident memory"),
    ("unchanged", "CPU per pass, cheapest of 3: mean"),
)
"""Figures that the README shows, by part and beginning of the name."""
_COLUMNS = ("part", "figure", "target", "measured", "ratio", "met")


def show(run: Run) -> None:
    """Print the table and what failed."""
    console = Console(highlight=False)
    table = Table(*_COLUMNS, title=str(run.facts), title_justify="left")
    for figure in _figures(run):
        style = {True: "green", False: "bold red", None: ""}[figure.met]
        table.add_row(*(escape(cell) for cell in _cells(figure)), style=style)
    console.print(table)
    for part, failure in run.failures.items():
        console.print(f"[bold red]{part} failed:[/] {escape(failure)}", soft_wrap=True)


def save(run: Run, folder: Path) -> Path:
    """Write everything that was found to ``latest.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": asdict(run.facts),
        "sizes": asdict(run.sizes),
        "figures": [asdict(figure) for figure in _figures(run)],
        "details": {part: result.details for part, result in run.results.items()},
        "failures": run.failures,
    }
    file = folder / "latest.json"
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return file


def write_page(run: Run, page: Path, figures: Iterable[tuple[str, str]] = (("", ""),)) -> None:
    """Write the table of some figures, all by default, between the markers of a page; ValueError if it has none."""
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no {BEGIN} followed by {END}")
    rows = [
        _COLUMNS,
        tuple("---" for _ in _COLUMNS),
        *(_cells(figure) for figure in _figures(run) if _named(figure, figures)),
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    page.write_text(f"{before}{BEGIN}\n{run.facts}\n\n{table}\n{END}{after}")


def succeeded(run: Run) -> bool:
    """Return whether every part was measured and every promise kept."""
    return not run.failures and all(figure.met is not False for figure in _figures(run))


def _named(figure: Figure, figures: Iterable[tuple[str, str]]) -> bool:
    return any(figure.part.startswith(part) and figure.name.startswith(name) for part, name in figures)


def _figures(run: Run) -> list[Figure]:
    return [figure for result in run.results.values() for figure in result.figures]


def _cells(figure: Figure) -> tuple[str, ...]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    met = {True: "yes", False: "no", None: "–"}[figure.met]
    return figure.part, figure.name, figure.target, figure.measured, ratio, met
