"""Patterns as the API server reads them (RE2), in the dialect of Python, which knows no categories of Unicode."""

import re
import unicodedata
from functools import cache
from itertools import groupby

_CATEGORY = re.compile(r"\\p\{([A-Za-z]+)\}")


def matches(pattern: str, text: str) -> bool:
    """Return whether the API server finds a pattern in a text."""
    return _compiled(pattern).search(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # The end of RE2 is the end of the text; that of Python may stand before a last line feed.
    return re.compile(_CATEGORY.sub(lambda found: _members(found[1]), pattern).replace("$", r"\Z"))


@cache
def _members(category: str) -> str:
    """Return the ranges of a category, which may be the first letter of several."""
    codes = [code for code in range(0x110000) if unicodedata.category(chr(code)).startswith(category)]
    ranges = (list(group) for _, group in groupby(enumerate(codes), lambda item: item[1] - item[0]))
    return "".join(f"\\U{group[0][1]:08x}-\\U{group[-1][1]:08x}" for group in ranges)
