"""Command line: python -m image."""

import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from devcluster.errors import DevclusterError
from image import base, build, tools, tree, trial
from image.errors import ImageError

_LOGS = build.ROOT / ".devcluster" / "image" / "logs"
_NAME = "project-onboarding-operator"
_SHOWN = 10


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--name", default=f"localhost/{_NAME}:{version(_NAME)}", show_default=True, help="Name of the image.")
@click.option(
    "--python-image", help="Image to build on, best by digest.  [default: one made here from Debian packages]"
)
@click.option("--run-image", help="Image to run on, with the same Python in the same place.  [default: --python-image]")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), default=_LOGS, help="Folder of the logs.")
def main(name: str, python_image: str | None, run_image: str | None, logs: Path) -> None:
    """Build the image with buildah, weigh it, and onboard a project from inside it on a control plane of its own."""
    console = Console(highlight=False, soft_wrap=True)
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s[/dim]  {what}")

    try:
        bases = _bases(python_image, run_image, logs, tell)
        tell(f"building {name} on {bases.build} for {bases.run}")
        build.build(name, bases, logs / "build.log")
        with build.opened(name) as image:
            console.print(_table(tree.sizes(image.root)))
            tree.refuse_intruders(image.root)
            tell(f"hello is {trial.onboard(image, logs, tell)}")
    except (ImageError, DevclusterError) as error:
        raise click.ClickException(str(error)) from error
    tell(f"{name} is built and works; send it where your clusters find it: buildah push {name} docker://...")


def _bases(python_image: str | None, run_image: str | None, logs: Path, tell: base.Tell) -> build.Bases:
    if python_image:
        tools.require("buildah", "unshare", "setpriv")
        return build.Bases(build=python_image, run=run_image or python_image)
    if run_image:
        raise ImageError("RUN_IMAGE alone says too little: name in PYTHON_IMAGE, too, what it is built on")
    tools.require("buildah", "mmdebstrap", "unshare", "setpriv")
    today = datetime.now(UTC).date()
    return build.Bases(**{variant: base.make(variant, today, logs, tell) for variant in ("build", "run")})


def _table(sizes: tree.Sizes) -> Table:
    table = Table("part", "MB", box=None)
    table.columns[1].justify = "right"
    table.add_row("base: Python and the distribution below it", _megabytes(sizes.base))
    table.add_row("packages of others", _megabytes(sizes.packages.total()))
    for package, size in sizes.packages.most_common(_SHOWN):
        table.add_row(f"  {package}", _megabytes(size))
    table.add_row("own code", _megabytes(sizes.own))
    table.add_row("all", _megabytes(sizes.base + sizes.installed))
    return table


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


if __name__ == "__main__":
    main(prog_name="python -m image")
