"""Steps that take a while: a moving line on a terminal, one line for each finished step everywhere."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.markup import escape

_SECONDS_BETWEEN_LINES = 15


class Progress:
    """Tells how far the demo is."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextlib.contextmanager
    def step(self, doing: str, done: str) -> Iterator[Callable[[str], None]]:
        """Show ``doing`` while the step runs, and ``done`` with its duration after it; yield a way to say more."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(f"{doing} …") as status:
                yield lambda detail: status.update(f"{escape(detail)} …")
        else:
            self._console.print(f"  {doing} ...", soft_wrap=True)
            yield self._seldom(began)
        seconds = f"{time.monotonic() - began:.1f} s"
        self._console.print(f"[green]✓[/green] {done} [dim]{seconds}[/dim]", soft_wrap=True)

    def _seldom(self, began: float) -> Callable[[str], None]:
        """Return a way to say more that writes a line from time to time only."""
        last = began

        def tell(detail: str) -> None:
            nonlocal last
            if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                self._console.print(f"  {escape(detail)}", soft_wrap=True)

        return tell
