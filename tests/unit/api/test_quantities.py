"""Quantities have one form, the API server's, so that what is wanted compares equal to what is stored."""

import pytest

from onboarding.api.quantities import canonical, decimal, milli, shortest, smaller

FORMS = {
    "0": "0",
    "0.0": "0",
    "0Gi": "0",
    "1": "1",
    "007": "7",
    "1000m": "1",
    "1500m": "1500m",
    "1.5": "1500m",
    "0.25": "250m",
    "0.001": "1m",
    "1.10": "1100m",
    "2000": "2k",
    "1500": "1500",
    "1000000": "1M",
    "1.5k": "1500",
    "1000k": "1M",
    "100000000000": "100G",
    "1000P": "1E",
    "512": "512",
    "1024": "1024",
    "0.5Ki": "512",
    "1Ki": "1Ki",
    "1024Mi": "1Gi",
    "1023Mi": "1023Mi",
    "0.5Gi": "512Mi",
    "1.5Gi": "1536Mi",
    "0.001Gi": "1073742",
    "1000Mi": "1000Mi",
    "1024Gi": "1Ti",
    "1024Pi": "1Ei",
}


@pytest.mark.parametrize(("given", "form"), FORMS.items())
def test_a_quantity_has_one_form(given: str, form: str) -> None:
    assert canonical(given) == form


@pytest.mark.parametrize("form", FORMS.values())
def test_the_form_of_a_form_is_itself(form: str) -> None:
    assert canonical(form) == form


@pytest.mark.parametrize(
    ("quantity", "thousandths"),
    [
        ("1m", 1),
        ("1", 1000),
        ("0.5", 500),
        ("2k", 2_000_000),
        ("1Ki", 1_024_000),
        ("0.0001", 1),
        ("1n", 1),
        ("1u", 1),
        ("2500u", 3),
    ],
)
def test_a_quantity_is_counted_in_thousandths_rounded_up(quantity: str, thousandths: int) -> None:
    assert milli(quantity) == thousandths


@pytest.mark.parametrize("text", ["", "Gi", "1Xi", "1KiB", "1mm", "one", "1ki", "1K"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        milli(text)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("1", "2", "1"),
        ("1500m", "1", "1"),
        ("1Gi", "1G", "1G"),
        ("1024Mi", "1Gi", "1Gi"),
        ("0.5Gi", "600Mi", "512Mi"),
        ("0", "1m", "0"),
        ("10", "9", "9"),
    ],
)
def test_the_smaller_is_chosen_by_size_and_given_in_its_form(first: str, second: str, expected: str) -> None:
    assert smaller(first, second) == smaller(second, first) == expected


@pytest.mark.parametrize(("thousandths", "form"), [(0, "0"), (3500, "3500m"), (1024_000, "1024"), (2_000_000, "2k")])
def test_a_sum_of_cores_is_written_in_decimal(thousandths: int, form: str) -> None:
    assert decimal(thousandths) == form


@pytest.mark.parametrize(
    ("quantities", "form"),
    [
        ((), "0"),
        (("8Gi", "4096Mi"), "12Gi"),
        (("100G", "50G"), "150G"),
        (("1536Mi",), "1536Mi"),
        (("1Gi", "1G"), "2073741824"),
        (("1500m",), "2"),
    ],
)
def test_a_sum_of_bytes_is_written_in_the_shorter_form(quantities: tuple[str, ...], form: str) -> None:
    assert shortest(sum(milli(quantity) for quantity in quantities)) == form
    assert canonical(form) == form
