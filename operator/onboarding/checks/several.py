"""Several findings of one check told as one."""

from collections.abc import Iterable
from dataclasses import replace

from onboarding.api.gates import Actor
from onboarding.api.status import CheckResult
from onboarding.checks.finding import WORST_FIRST, Finding

_NAMED = 3
_LENGTH = 80
"""Characters of each, so that three of them fit into a message of the status."""


def some(texts: Iterable[str]) -> str:
    """Return the first three texts in their order, each cut to 80 characters, and how many more there are."""
    there = sorted(set(texts))
    named = [text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…" for text in there[:_NAMED]]
    more = [f"and {len(there) - _NAMED} more"] if len(there) > _NAMED else []
    return "; ".join(named + more)


def worst(findings: Iterable[Finding | None]) -> Finding | None:
    """Return the findings with the worst result as one, which has the remedy and the actor of the first of them."""
    found = sorted((finding for finding in findings if finding), key=lambda finding: finding.message)
    for result in WORST_FIRST:
        if alike := [finding for finding in found if finding.result is result]:
            return replace(alike[0], message=some(finding.message for finding in alike))
    return None


def platform_acts(finding: Finding | None, remedy: str) -> Finding | None:
    """Return a finding with this remedy for the platform where it is Unknown, else as it is."""
    if finding is None or finding.result is not CheckResult.UNKNOWN:
        return finding
    return replace(finding, remedy=remedy, actor=Actor.PLATFORM)
