"""Texts and times as messages and statuses show them."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import overload

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CUT = "…"


@overload
def cut(text: str, length: int = ...) -> str: ...
@overload
def cut(text: None, length: int = ...) -> None: ...
def cut(text: str | None, length: int = 300) -> str | None:
    """Return a text of at most this many bytes in UTF-8, with a space for what would break a line or a terminal."""
    if text is None:
        return None
    shown = _UNSEEN.sub(" ", text)
    content = shown.encode()
    if len(content) <= length:
        return shown
    return content[: length - len(_CUT.encode())].decode(errors="ignore") + _CUT


def with_remedy(message: str, remedy: str, length: int = 512) -> str:
    """Return a message and its remedy in at most this many bytes: the message is cut, and the remedy only if alone."""
    if not remedy:
        return cut(message, length)
    last = cut(f": {remedy}", length // 2)
    return cut(message, length - len(last.encode())) + last


def cut_middle(text: str, length: int = 300) -> str:
    """Return a text of at most this many bytes in UTF-8, cut in the middle, because a remedy stands at the end."""
    content = _UNSEEN.sub(" ", text).encode()
    if len(content) <= length:
        return content.decode()
    end = content[len(content) - length // 2 :].decode(errors="ignore")
    return cut(text, length - len(end.encode())) + end


def time(moment: datetime) -> str:
    """Return a moment as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(names: Iterable[str]) -> str:
    """Return names as a sorted list for a message."""
    return ", ".join(sorted(names)) or "none exists"


def choose(names: Iterable[str]) -> str:
    """Return the remedy for a name that is not known: choose one of those that are."""
    known = sorted(names)
    return f"choose one of: {', '.join(known)}" if known else "there is none to choose from"
