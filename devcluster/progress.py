"""One line that tells how far a start is."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console

_SECONDS_BETWEEN_LINES = 15


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Show the latest message on standard error: in place on a terminal, else as a line from time to time."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status("looking for the control plane's programs") as status:
            yield status.update
    else:
        yield _Lines(console)


class _Lines:
    """A progress line for a log file, which must not grow by a line every half second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = -float(_SECONDS_BETWEEN_LINES)

    def __call__(self, message: str) -> None:
        now = time.monotonic()
        if now - self._shown >= _SECONDS_BETWEEN_LINES:
            self._shown = now
            self._console.print(message, soft_wrap=True)
