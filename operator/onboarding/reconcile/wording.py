"""How texts and times are written into the status."""

from datetime import datetime
from typing import overload


@overload
def cut(text: str, length: int = ...) -> str: ...
@overload
def cut(text: None, length: int = ...) -> None: ...
def cut(text: str | None, length: int = 300) -> str | None:
    """Return a text of at most this many characters."""
    if text is None or len(text) <= length:
        return text
    return text[: length - 1] + "…"


def time(moment: datetime) -> str:
    """Return a moment as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
