"""Canonical JSON: sorted keys and no white space, so that equal contents are equal bytes."""

from typing import Any

import orjson


def dump(content: Any) -> bytes:
    """Return canonical JSON; use ``compact`` to keep it."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def compact(content: bytes) -> bytes:
    """Return a copy of minimal size to keep: the buffer that orjson returns is several times larger."""
    return bytes(memoryview(content))
