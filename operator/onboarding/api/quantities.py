"""Quantities: how much one is, and the canonical form in which the API server stores it."""

from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_SMALLEST = ("n", "u")
"""Less than a thousandth: no API of ours takes it, but the use of a quota may be told so."""
_DECIMAL = ("m", "", "k", "M", "G", "T", "P", "E")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


@lru_cache(maxsize=4096)
def milli(quantity: str) -> int:
    """Return a quantity in thousandths of its unit, rounded up; ValueError where it is not a quantity."""
    number, suffix = _split(quantity)
    if suffix in _BINARY[1:]:
        return _round_up(number * 1000 * 1024 ** _BINARY.index(suffix))
    if suffix in _SMALLEST:
        return _round_up(number / Decimal(1000) ** (len(_SMALLEST) - _SMALLEST.index(suffix)))
    return _round_up(number * Decimal(1000) ** _DECIMAL.index(suffix))


@lru_cache(maxsize=4096)
def canonical(quantity: str) -> str:
    """Return the form in which the API server gives a quantity back (``1000m`` is ``1``, ``1024Mi`` is ``1Gi``)."""
    return _form(quantity, milli(quantity))


def whole(quantity: str) -> str:
    """Return a quantity in canonical form, rounded up to whole units, for resources that take no fractions."""
    return _form(quantity, _units(milli(quantity)) * 1000)


def smaller(first: str, second: str) -> str:
    """Return the smaller of two quantities, in canonical form."""
    return canonical(min(first, second, key=milli))


def decimal(value: int) -> str:
    """Return thousandths as a quantity in canonical decimal form, as CPU is written (``3500m``)."""
    return _format(value, 1000, _DECIMAL)


def shortest(value: int) -> str:
    """Return thousandths of a byte as the shorter canonical form: a sum has no family of suffixes of its own."""
    return min(_format(_units(value), 1024, _BINARY), decimal(_units(value) * 1000), key=len)


def _split(quantity: str) -> tuple[Decimal, str]:
    number = quantity.rstrip("numkKMGTPEi")
    suffix = quantity[len(number) :]
    if suffix not in (*_SMALLEST, *_DECIMAL, *_BINARY):
        raise ValueError(f"{quantity!r} is not a quantity")
    return Decimal(number), suffix


def _round_up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))


def _units(value: int) -> int:
    """Return thousandths as whole units, rounded up."""
    return -(-value // 1000)


def _form(quantity: str, value: int) -> str:
    """Return a value in the family of suffixes of its quantity; below 1024 the server turns to the decimal one."""
    if quantity.endswith("i") and value >= 1024 * 1000:
        return _format(_units(value), 1024, _BINARY)
    return decimal(value)


def _format(value: int, base: int, suffixes: tuple[str, ...]) -> str:
    step = 0
    while value and value % base == 0 and step < len(suffixes) - 1:
        value //= base
        step += 1
    return f"{value}{suffixes[step]}" if value else "0"
