"""Texts are cut where it harms least, in bytes and never within a character."""

import unicodedata

import pytest

from onboarding.api.text import cut, cut_middle, with_remedy


@pytest.mark.parametrize("length", range(40, 80))
def test_a_remedy_is_kept_and_the_message_is_cut(length: int) -> None:
    text = with_remedy("é" * 200, "ask the platform", length)
    assert len(text.encode()) <= length
    assert text.endswith("…: ask the platform")


def test_what_fits_stays_and_a_remedy_alone_is_cut_if_it_is_too_long() -> None:
    assert with_remedy("it is red", "paint it") == "it is red: paint it"
    assert with_remedy("it is red", "") == "it is red"
    assert with_remedy("x" * 90, "y" * 90, 80) == f"{'x' * 37}…: {'y' * 35}…"
    assert cut("a\nb") == cut_middle("a\nb") == "a b"


@pytest.mark.parametrize("length", range(10, 60))
def test_the_middle_is_cut_so_that_the_end_stays(length: int) -> None:
    text = cut_middle("é" * 40 + "the end", length)
    assert len(text.encode()) <= length
    assert "…" in text
    assert text.endswith("the end"[-(length // 2) :])


def test_what_people_do_not_see_is_no_part_of_a_status() -> None:
    """Controls, formats and line breaks, as Unicode lists them, and no other character."""
    letters = [chr(code) for code in (*range(0x3000), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0080))]
    unseen = {letter for letter in letters if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}}
    # Not assigned, in the middle of such ones.
    unseen |= {chr(0x2065), *map(chr, range(0xE0000, 0xE0020))}
    assert {letter for letter in letters if cut(f"a{letter}b") == "a b" and letter != " "} == unseen
    assert cut("invoice \u202etxt.exe\x1b[31m") == "invoice  txt.exe [31m"
