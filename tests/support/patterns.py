"""Patterns of the API, which name categories of characters that Python's ``re`` does not know."""

from functools import cache

from pydantic_core import SchemaValidator, ValidationError


@cache
def keeps(pattern: str, word: str) -> bool:
    """Return whether a word keeps a pattern, as the models of the operator read it."""
    try:
        SchemaValidator({"type": "str", "pattern": pattern}).validate_python(word)
    except ValidationError:
        return False
    return True
