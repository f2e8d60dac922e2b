"""Schedules and durations as Argo CD reads them: the five fields of robfig/cron v3, and Go's durations. Pure."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

WEEK: Final = 7 * 24 * 60
"""Minutes of a week."""

_NAMES_OF_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES_OF_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NUMBER = re.compile(r"[+]?[0-9]+")
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_NANOSECONDS["h"] = 60 * _NANOSECONDS["m"]
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_MOST = 2**63 - 1


class _Field(NamedTuple):
    """One of the five fields and what it ranges over."""

    title: str
    least: int
    most: int
    names: dict[str, int]


_FIELDS: Final = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_NAMES_OF_MONTHS, 1)}),
    _Field("day of week", 0, 6, {name: number for number, name in enumerate(_NAMES_OF_DAYS)}),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something begins, as sets of numbers; Sunday is 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    """Whether the day of the month is a star. If one of the two day fields is, both count; else one of them does."""
    any_weekday: bool

    @property
    def begins(self) -> bool:
        """Whether it ever begins."""
        day = any(day <= _LONGEST_MONTHS[month - 1] for month in self.months for day in self.days)
        both = self.any_day or self.any_weekday
        on_some_day = (day and bool(self.weekdays)) if both else (day or bool(self.weekdays))
        return bool(self.minutes and self.hours and self.months) and on_some_day

    @property
    def weekly(self) -> bool:
        """Whether every week is like every other."""
        return self.any_day and len(self.months) == len(_NAMES_OF_MONTHS)

    def week(self, duration: int) -> int:
        """Return the minutes of a week that may lie within ``duration`` minutes of a beginning, as bits from Sunday on.

        Of a schedule that is not weekly these are more minutes than there are in some weeks, and never fewer.
        """
        span = (1 << min(duration, WEEK)) - 1
        found = 0
        for day in self.weekdays if self.any_day else range(7):
            for hour in self.hours:
                for minute in self.minutes:
                    found |= span << ((day * 24 + hour) * 60 + minute)
        return (found | found >> WEEK) & ((1 << WEEK) - 1)


@lru_cache(maxsize=1024)
def parse_schedule(text: str) -> Schedule:
    """Read five fields of cron; ValueError, which says what is wrong, where Argo CD would not take them."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"it has {len(fields)} fields instead of five")
    read = [_values(field, value) for field, value in zip(_FIELDS, fields, strict=True)]
    minutes, hours, days, months, weekdays = (values for values, _star in read)
    return Schedule(minutes, hours, days, months, weekdays, read[2][1], read[4][1])


def duration_of(text: str) -> Fraction:
    """Return a duration of Go's in nanoseconds; ValueError where it is none."""
    sign, rest = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    if rest == "0":
        return Fraction(0)
    parts = _PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise ValueError("it is no duration, such as 8h or 1h30m")
    length = sum((Fraction(number.rstrip(".")) * _NANOSECONDS[unit] for number, unit in parts), Fraction(0))
    if length > _MOST:
        raise ValueError("it is longer than 292 years")
    return -length if sign == "-" else length


def minutes_of(text: str) -> int:
    """Return a duration in whole minutes."""
    return int(duration_of(text) // _NANOSECONDS["m"])


def _values(field: _Field, text: str) -> tuple[frozenset[int], bool]:
    """Return what a field stands for, and whether there is a star in it."""
    found: set[int] = set()
    star = False
    # Empty items are passed over by the original, so that "," alone is a field of nothing.
    for item in filter(None, text.split(",")):
        values, whole = _range(field, item)
        found.update(values)
        star = star or whole
    return frozenset(found), star


def _range(field: _Field, item: str) -> tuple[range, bool]:
    bounds, *steps = item.split("/")
    first, *others = bounds.split("-")
    whole = first in ("*", "?")
    if whole:
        least, most = field.least, field.most
    elif len(others) > 1:
        raise ValueError(f"{field.title} {item!r} has too many hyphens")
    else:
        least = _number(field, first)
        most = _number(field, others[0]) if others else least
    if len(steps) > 1:
        raise ValueError(f"{field.title} {item!r} has too many slashes")
    step = _number(_FIELDS[0], steps[0]) if steps else 1
    if steps and not others:
        most = field.most
    if not field.least <= least <= most <= field.most or step == 0:
        raise ValueError(f"{field.title} {item!r} is not within {field.least} to {field.most}")
    return range(least, most + 1, step), whole and step == 1


def _number(field: _Field, text: str) -> int:
    named = field.names.get(text.lower())
    if named is not None:
        return named
    if not _NUMBER.fullmatch(text) or int(text) > _MOST:
        raise ValueError(f"{field.title} {text!r} is no number")
    return int(text)
