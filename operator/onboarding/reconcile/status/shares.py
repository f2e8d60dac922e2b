"""Shares of the status: the bytes that each part keeps if the whole has more than 8 KiB; pure.

A part may be longer than its share while the whole fits. A new field of the status gets a line in the table.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from onboarding.api.text import cut, cut_middle

MAX_STATUS_BYTES: Final = 8 * 1024
FIXED_BYTES: Final = 360
"""Bytes of the fields that are never shortened: generation, stage, journey and the counts of what is left out."""
_TEXTS: Final = frozenset({"message", "action", "remedy", "held", "next", "summary"})
_WITH_REMEDY: Final = frozenset({"action", "next"})
"""Texts that end with a remedy."""
_SHORTEST: Final = 40


class Share(NamedTuple):
    """The share of one part of the status."""

    part: str
    bytes: int
    """Bytes of JSON that it keeps at least."""
    shorten: Callable[[Any, int], None]
    """Shorten the part to this many bytes."""


def fit(status: dict[str, Any]) -> dict[str, Any]:
    """Shorten a status to its limit: healthy Applications first, then part by part down to its share.

    Text from users, such as the reason of a decision, may take six bytes per character.
    """
    excess = _size(status) - (MAX_STATUS_BYTES - FIXED_BYTES)
    if excess <= 0:
        return status
    excess -= _drop_applications(status.get("environments", []), excess, healthy=True)
    for share in SHARES:
        part = status.get(share.part)
        length = _size(part)
        if excess > 0 and part and length > share.bytes:
            share.shorten(part, max(share.bytes, length - excess))
            excess -= length - _size(part)
    return status


def applications_in(environments: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the Applications in the status of environments, each with its site."""
    sites = (site for environment in environments for site in environment.get("sites", ()))
    return [(site, item) for site in sites for item in site.get("applications", ())]


def _shorten_list(items: list[Any], limit: int) -> None:
    """Drop the last items, then cut the texts of the first."""
    while len(items) > 1 and _size(items) > limit:
        items.pop()
    _cut_texts(items, limit)


def _shorten_plan(plan: dict[str, Any], limit: int) -> None:
    for name in ("changes", "existing"):
        while plan.get(name) and _size(plan) > limit:
            plan[name].pop()
    _cut_texts(plan, limit)


def _shorten_removals(removals: list[dict[str, Any]], limit: int) -> None:
    """Drop the names of namespaces and sites, then the last removals: a digest is of no use if it is cut."""
    for name in ("first", "waitingFor"):
        for removal in reversed(removals):
            while removal.get(name) and _size(removals) > limit:
                removal[name].pop()
            if not removal.get(name, True):
                del removal[name]
    while len(removals) > 1 and _size(removals) > limit:
        removals.pop()


def _shorten_environments(environments: list[dict[str, Any]], limit: int) -> None:
    _drop_applications(environments, _size(environments) - limit, healthy=False)
    for item in reversed(environments):
        while item.get("changes") and _size(environments) > limit:
            item["changes"].pop()
    _shorten_list(environments, limit)
    if _size(environments) > limit:
        environments.clear()


def _shorten_gates(gates: list[dict[str, Any]], limit: int) -> None:
    """Drop void decisions, then reasons but the first, then the last approvals, digests and reasons."""
    for gate in gates:
        if _size(gates) > limit:
            gate.pop("void", None)
    for gate in gates:
        if _size(gates) > limit:
            del gate.get("waitingFor", [])[1:]
    _cut_texts(gates, limit)
    for gate in reversed(gates):
        while gate.get("approvals") and _size(gates) > limit:
            gate["approvals"].pop()
    for name in ("digest", "waitingFor"):
        for gate in reversed(gates):
            if _size(gates) > limit:
                gate.pop(name, None)


def _cut_texts(part: Any, limit: int) -> None:
    """Cut the longest text to its half until the part fits, or all texts are short."""
    while _size(part) > limit:
        long = [(holder, key) for holder, key in _texts(part) if len(holder[key].encode()) > _SHORTEST]
        if not long:
            return
        holder, key = max(long, key=lambda at: _size(at[0][at[1]]))
        shortened = cut_middle if key in _WITH_REMEDY else cut
        holder[key] = shortened(holder[key], max(_SHORTEST, len(holder[key].encode()) // 2))


def _texts(part: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where the texts for people are: in a list, or under one of their keys."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(value, dict | list):
            yield from _texts(value)
        elif isinstance(value, str) and (isinstance(part, list) or key in _TEXTS):
            yield part, key


def _drop_applications(environments: list[dict[str, Any]], excess: int, *, healthy: bool) -> int:
    """Drop Applications of the last environments first, only healthy ones or any; return how many bytes that saves."""
    saved = 0
    worst_first = sorted(applications_in(environments), key=lambda shown: _trouble(shown[1]), reverse=True)
    for site, item in reversed(worst_first):
        if saved < excess and not (healthy and "message" in item):
            site["applications"].remove(item)
            saved += len(orjson.dumps(item))
    return saved


def _trouble(application: dict[str, Any]) -> tuple[bool, bool]:
    return "message" in application, application.get("health") != "Healthy"


def _size(part: Any) -> int:
    return len(orjson.dumps(part))


SHARES: Final = (
    Share("plan", 150, _shorten_plan),
    Share("removals", 190, _shorten_removals),
    Share("checks", 900, _shorten_list),
    Share("environments", 900, _shorten_environments),
    Share("gates", 2000, _shorten_gates),
    Share("summary", 400, _cut_texts),
    Share("nextActions", 900, _shorten_list),
    Share("conditions", 2390, _cut_texts),
)
"""The shares, in the order in which the parts are shortened."""
