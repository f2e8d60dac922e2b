"""Command ``python -m tests.bench``."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from tests.bench.progress import progress_bar
from tests.bench.report import HEADLINES, save, show, succeeded, write_page
from tests.bench.run import ON_REQUEST, PARTS, Run, Sizes
from tests.support.installing import ROOT


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--projects", type=click.IntRange(min=1), default=200, help="Projects of onboard, idle and drift.")
@click.option("--restart-projects", type=click.IntRange(min=1), default=1000, help="Projects of restart and unchanged.")
@click.option("--foreign-guards", type=click.IntRange(min=0), default=20_000, help="Guard rails of others in restart.")
@click.option("--idle-seconds", type=click.IntRange(min=1), default=120, help="Seconds of idle.")
@click.option("--soak-minutes", type=click.IntRange(min=1), default=30, help="Minutes of soak.")
@click.option(
    "--only",
    type=click.Choice((*PARTS, *ON_REQUEST)),
    multiple=True,
    help="Measure this part; may be given repeatedly.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("bench-results"),
    help="Folder of the file latest.json.",
)
@click.option("--docs", is_flag=True, help="Write the tables of docs/benchmarks.md and README.md, too.")
def main(
    projects: int,
    restart_projects: int,
    foreign_guards: int,
    idle_seconds: int,
    soak_minutes: int,
    only: tuple[str, ...],
    output: Path,
    docs: bool,
) -> None:
    """Measure the operator on real control planes, against targets and against a raw writer.

    Requests are counted from the API server's audit log and CPU and memory read from /proc, so nothing is what a
    client says of itself. Let the machine do nothing else meanwhile. Ends with 1 where a target is missed.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    with progress_bar() as progress:
        run = Run(
            Sizes(projects, restart_projects, foreign_guards, idle_seconds, soak_minutes),
            frozenset(only or PARTS),
            progress,
        )
        run.run()
    show(run)
    click.echo(f"details: {save(run, output)}")
    if docs:
        write_page(run, ROOT / "docs/benchmarks.md")
        write_page(run, ROOT / "README.md", HEADLINES)
    sys.exit(not succeeded(run))


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does, so that nothing is left behind."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
