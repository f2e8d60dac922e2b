"""No text of any kind holds characters that people do not see: a pattern of its definition refuses them."""

from collections.abc import Iterator
from typing import Any

import pytest

from onboarding.api import KINDS
from onboarding.api.crd import structural
from onboarding.api.team import Person
from tests.unit.server_patterns import matches

BLOCKS = (
    *(range(0x20), range(0x7F, 0xA0)),  # controls
    *(range(0x200B, 0x2010), range(0x2028, 0x202F), range(0x2060, 0x2065), range(0x2066, 0x2070)),
    *(range(0xFFF9, 0xFFFC), range(0xE0020, 0xE0080)),
)
UNSEEN = "".join(map(chr, (*(code for block in BLOCKS for code in block), 0xAD, 0x61C, 0xFEFF, 0xE0001)))
TEXTS = ("{}", "a{}", "{}a", "a{}a", "a{}@example.org", "a@{}example.org", "a@example.org{}", "https://a.org/{}")


def leaves(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every text of a schema that is neither one of a list nor a date."""
    if schema["type"] == "string" and "enum" not in schema and "format" not in schema:
        yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from leaves(child, f"{path}.{name}")
    if "items" in schema:
        yield from leaves(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from leaves(schema["additionalProperties"], f"{path}.*")


PATTERNS = {
    f"{entry.kind.kind} {path}": leaf.get("pattern", "")
    for entry in KINDS
    for path, leaf in leaves(structural(entry.spec, "spec"), "spec")
}


@pytest.mark.parametrize("field", PATTERNS)
def test_a_text_holds_nothing_that_people_do_not_see(field: str) -> None:
    pattern = PATTERNS[field]
    assert pattern, "a text without a pattern takes any character: mark it with Seen"
    assert [hex(ord(letter)) for letter in UNSEEN for text in TEXTS if matches(pattern, text.format(letter))] == []


def test_what_was_stored_before_can_be_read() -> None:
    """The definition refuses it, and the server checks only what changes: the operator must not stop at it."""
    person = Person.model_validate({"name": "A\u200dda", "email": "a\u00adda@example.org"})
    assert person.name == "A\u200dda"
