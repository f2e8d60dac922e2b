"""Tell how far a run is."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """One line on standard error: in place on a terminal, else a line per step."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("starting", total=None)
        self._last = ""

    def tell(self, message: str) -> None:
        """Say what is done now."""
        self._bars.update(self._task, description=message, completed=0, total=None)
        if not self._bars.console.is_terminal and message != self._last:
            self._bars.console.print(message, soft_wrap=True)
        self._last = message

    def show(self, done: int, of: int) -> None:
        """Say how far that is."""
        self._bars.update(self._task, completed=done, total=of)


@contextlib.contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show progress until the end."""
    console = Console(stderr=True, highlight=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True, disable=False) as bars:
        yield Progress(bars)
