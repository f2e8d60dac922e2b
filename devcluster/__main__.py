"""Command line: python -m devcluster up, down or env."""

import functools
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, ParamSpec

import click

from devcluster.argocd import ArgoCD
from devcluster.controlplane import KUBECONFIG_VARIABLE, ControlPlane
from devcluster.errors import DevclusterError, NotRunningError
from devcluster.nodes import Nodes
from devcluster.progress import progress_line

P = ParamSpec("P")
_ROOT = Path(__file__).parent.parent / ".devcluster"


def _located(command: Callable[P, None]) -> Callable[P, None]:
    """Add the options that say which control plane is meant, and show errors without a traceback."""

    @click.option("--name", default="default", show_default=True, help="Which control plane; several run side by side.")
    @click.option(
        "--directory",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of its files.  [default: .devcluster/NAME in the repository]",
    )
    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except DevclusterError as error:
            raise click.ClickException(str(error)) from error

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run a Kubernetes control plane on this machine, without containers.

    It is etcd, the API server, the controller manager and the scheduler, all real; on request also Argo CD, and nodes
    that only say that their pods run. The programs of the control plane are taken from KUBEBUILDER_ASSETS or the PATH
    if all four are there; whatever else is needed is built once with Go 1.26 or newer and kept in the user's cache
    folder. If DEVCLUSTER_KUBECONFIG names a kubeconfig, that cluster is used, and nothing is started or stopped.
    """


@main.command()
@_located
@click.option("--nodes", type=click.IntRange(min=0), default=0, help="Add nodes whose pods become ready at once.")
@click.option("--argocd", is_flag=True, help="Install Argo CD and run its controllers.")
def up(name: str, directory: Path | None, nodes: int, argocd: bool) -> None:
    """Start a control plane that outlives this command, or what one that runs still lacks.

    It prints the line that points kubectl at it: eval "$(python -m devcluster up)".
    """
    if given := os.environ.get(KUBECONFIG_VARIABLE):
        click.echo(f"{KUBECONFIG_VARIABLE} names a cluster: nothing is started", err=True)
        _export("KUBECONFIG", given)
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    folder = directory or _ROOT / name
    with progress_line() as progress:
        control_plane, news = _running(name, folder, progress)
        if nodes:
            Nodes.start(control_plane, count=nodes, progress=progress)
        if argocd and not ArgoCD.runs(control_plane):
            ArgoCD.start(control_plane, application_sets=True, progress=progress)
    click.echo(f"the control plane in {folder} {news}", err=True)
    _export("KUBECONFIG", control_plane.kubeconfig)


def _running(name: str, folder: Path, progress: Callable[[str], None]) -> tuple[ControlPlane, str]:
    try:
        return ControlPlane.load(folder), "runs already"
    except NotRunningError:
        return ControlPlane.start(name, directory=folder, detached=True, progress=progress), "is ready"


@main.command()
@_located
def down(name: str, directory: Path | None) -> None:
    """Stop a control plane and all that runs beside it, and delete its data; its logs stay."""
    if os.environ.get(KUBECONFIG_VARIABLE):
        click.echo(f"{KUBECONFIG_VARIABLE} names a cluster: nothing is stopped", err=True)
        return
    folder = directory or _ROOT / name
    control_plane = ControlPlane.recorded(folder)
    if control_plane is None:
        click.echo(f"no control plane runs in {folder}", err=True)
        return
    control_plane.stop()
    click.echo(f"stopped; the logs are in {folder / 'logs'}", err=True)


@main.command()
@_located
def env(name: str, directory: Path | None) -> None:
    """Print the lines that point a shell, and tools that look for KUBEBUILDER_ASSETS, at a running control plane."""
    if given := os.environ.get(KUBECONFIG_VARIABLE):
        _export("KUBECONFIG", given)
        return
    control_plane = ControlPlane.load(directory or _ROOT / name)
    folder = control_plane.binaries.folder
    _export("KUBECONFIG", control_plane.kubeconfig)
    _export("KUBEBUILDER_ASSETS", folder)
    click.echo(f"export PATH={shlex.quote(str(folder))}:$PATH")


def _export(variable: str, value: object) -> None:
    click.echo(f"export {variable}={shlex.quote(str(value))}")


def _interrupt(number: int, _frame: object) -> NoReturn:
    """End by an exception, so that whatever was started is ended too."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main(prog_name="python -m devcluster")
