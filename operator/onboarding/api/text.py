"""Texts and times as messages and statuses show them."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, overload

SEEN: Final = r"^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$"
"""Pattern, for the API server, of a text of which people see every character.

It has no controls, no line or paragraph breaks, and no formats (Cf), which turn its direction or are not drawn.
"""
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]+"
)
"""Those characters as Python writes them, which knows no categories."""
_CUT = "…"


@overload
def cut(text: str, length: int = ...) -> str: ...
@overload
def cut(text: None, length: int = ...) -> None: ...
def cut(text: str | None, length: int = 300) -> str | None:
    """Return a text of at most this many bytes in UTF-8, with a space for what breaks a line or is not seen."""
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
