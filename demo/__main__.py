"""Command line: python -m demo, and python -m demo down."""

import asyncio
import contextlib
import fcntl
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

import click
from rich.console import Console

from demo import play, stage
from demo.errors import DemoError
from demo.progress import Progress
from devcluster.errors import DevclusterError
from onboarding.errors import OnboardingError


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Onboard the project of examples/dossier-usagers.yaml on a real control plane, and leave all of it running.

    Argo CD's real controllers deploy demo/repository from a Git server on this machine; the pods run on a node that
    only says so. Programs that nobody has built here before are built once: some 10 minutes on two cores for the
    control plane, 5 for Argo CD, 3 each for kwok and Helm.

    Where a demo runs already, its control plane is used again: every project on it, and all that was made for them, is
    deleted first. If DEVCLUSTER_KUBECONFIG names a cluster, that one is used, nothing on it is deleted and nothing is
    deployed from Git.
    """
    if context.invoked_subcommand is not None:
        return
    console = _console()
    progress = Progress(console)
    with _told(console), _alone():
        try:
            # Not within the event loop, which would keep Ctrl-C waiting for the end of a command.
            scene = stage.build(progress)
            asyncio.run(play.perform(scene, progress, console))
        except BaseException:
            # Whatever went wrong, or Ctrl-C: a demo is there as a whole or not at all. Its logs stay.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            stage.clear(progress, "what was started")
            raise


@main.command()
def down() -> None:
    """End the demo and delete its data. The logs stay."""
    console = _console()
    with _told(console), _alone():
        found = stage.clear(Progress(console), "the demo")
        console.print(f"Its logs are in {stage.shown(stage.LOGS)}" if found else "No demo runs")


def _console() -> Console:
    """Return a console; a log file is not as narrow as a terminal may be."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one command at a time touch the demo."""
    stage.FOLDER.parent.mkdir(exist_ok=True)
    with stage.FOLDER.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError("another demo command is at work: wait for its end") from None
        yield


@contextlib.contextmanager
def _told(console: Console) -> Iterator[None]:
    """Show what a person can put right without a traceback, and end by an exception when a signal asks for it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        yield
    except (DemoError, DevclusterError, OnboardingError) as error:
        console.print(f"[red]The demo failed:[/red] {error}" if console.is_terminal else f"The demo failed: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Interrupted: nothing of the demo runs any more")
        sys.exit(130)


def _interrupt(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    main(prog_name="python -m demo")
