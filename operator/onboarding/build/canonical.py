"""Canonical JSON: sorted keys and no white space, so that equal contents are equal bytes."""

from typing import Any

import orjson


def dump(content: Any) -> bytes:
    """Return canonical JSON, for use at once."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def compact(content: bytes) -> bytes:
    """Return a copy to keep, which takes no more than its length: orjson's answer is a buffer of several times that."""
    return bytes(memoryview(content))
