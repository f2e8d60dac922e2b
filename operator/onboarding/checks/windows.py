"""Checks on release windows: Argo CD reads them as they are meant, and they stay within the platform's."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Final

from onboarding.api.delivery import PlatformWindow, Window, WindowKind
from onboarding.api.gates import Track
from onboarding.api.policy import OnboardingPolicySpec, Stage
from onboarding.api.status import Evidence
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.checks.schedule import minutes_of, parse_schedule

_EMPTY_ITEM: Final = re.compile(r"(^|[\s,]),|,(\s|$)")


@check(
    "WindowInvalid",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="correct spec.environments[].releaseWindows",
    reads=("environments.releaseWindows",),
)
def windows_are_valid(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every release window has a schedule that comes, a duration above 0 and a time zone that exists."""
    for index, window in enumerate(inputs.environment.release_windows):
        if problem := window_problem(window):
            return Finding(f"releaseWindows[{index}].{problem}")
    return None


@check(
    "WindowTooWide",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="keep spec.environments[].releaseWindows of kind Allow within the windows of the policy",
    reads=("environments.releaseWindows",),
)
def windows_stay_within_the_platforms(inputs: EnvironmentDeclaration) -> Finding | None:
    """Release windows of kind Allow lie within the windows of that kind that the policy has for the stage."""
    theirs = [window for window in platform_windows(inputs.policy, inputs.stage) if window.kind is WindowKind.ALLOW]
    for index, window in enumerate(inputs.environment.release_windows):
        if window.kind is WindowKind.ALLOW and theirs and not _within(window, theirs):
            known = "; ".join(f"{item.schedule} for {item.duration} in {item.time_zone}" for item in theirs)
            return Finding(
                f"releaseWindows[{index}] ({window.schedule} for {window.duration} in {window.time_zone}) does not lie "
                "within a window of the policy",
                f"choose a time in one of these windows, in its time zone: {known}",
            )
    return None


def platform_windows(policy: OnboardingPolicySpec, stage: Stage | None) -> list[PlatformWindow]:
    """Return the platform's windows for a stage: those that name it, or production by default."""
    if stage is None:
        return []
    windows = policy.delivery.windows
    return [item for item in windows if (stage.name in item.stages if item.stages else stage.production)]


def window_problem(window: Window) -> str:
    """Return what is wrong with a window, beginning with its field; the empty string where nothing is."""
    if problem := _schedule_problem(window.schedule):
        return f"schedule {window.schedule!r}: {problem}"
    try:
        if minutes_of(window.duration) <= 0:
            return f"duration {window.duration!r}: it has to be longer than 0, such as 8h"
    except ValueError as error:
        return f"duration {window.duration!r}: {error}"
    if window.time_zone not in time_zones():
        # Argo CD takes UTC for a zone that it does not know, and says so in its log only.
        near = get_close_matches(window.time_zone, time_zones(), n=3) or ["UTC", "Europe/Paris"]
        return f"timeZone {window.time_zone!r}: there is none of this name: choose one such as {', '.join(near)}"
    return ""


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Return the zones that every copy of the time zone database has: UTC, and those of the countries.

    Former names such as US/Pacific are not among them: the image of Argo CD may lack those.
    """
    lines = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines()
    return frozenset({"UTC", *(line.split("\t")[2] for line in lines if not line.startswith("#"))})


@lru_cache(maxsize=1024)
def _schedule_problem(text: str) -> str:
    """Return what is wrong with a schedule; Argo CD's cron and every other one have to read it alike."""
    try:
        schedule = parse_schedule(text)
    except ValueError as error:
        return str(error)
    # Argo CD's cron reads *-5 as * and passes over empty items; others refuse both.
    if "*-" in text:
        return "a range begins with a number or a name, not with *"
    if _EMPTY_ITEM.search(text):
        return "a list has an empty item"
    days, weekdays = text.split()[2::2]
    if "*" in days + weekdays and "*" not in (days, weekdays):
        return "write * alone for the day of month or for the day of week, or no * in either"
    # Argo CD takes a window that never begins for one that is always open (the zero time lies before now).
    return "" if schedule.begins else "it never begins"


def _within(window: Window, allowed: Iterable[Window]) -> bool:
    """Return whether a window lies within others; where that cannot be told it does not."""
    inside = 0
    for other in allowed:
        if (other.schedule, other.duration, other.time_zone) == (window.schedule, window.duration, window.time_zone):
            return True
        if other.time_zone == window.time_zone and parse_schedule(other.schedule).weekly:
            inside |= _week(other.schedule, other.duration)
    try:
        return not _week(window.schedule, window.duration) & ~inside
    except ValueError:
        return True


@lru_cache(maxsize=256)
def _week(schedule: str, duration: str) -> int:
    return parse_schedule(schedule).week(minutes_of(duration))
