"""The day on which the journey of a project expires, with its warning; pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from onboarding.api.gates import Severity
from onboarding.checks.catalogue import OF_JOURNEY
from onboarding.checks.finding import GateFinding
from onboarding.checks.journeys import WARNED, JourneyDays
from onboarding.reconcile.plan.inputs import PlanInputs


def journey_days(inputs: PlanInputs) -> JourneyDays | None:
    """Return the days of the journey in force, counted from the creation of the project; None if it never expires."""
    journey, created = inputs.journey, inputs.snapshot.project.created
    days = journey.rule.expires_after_days if journey.rule else None
    if days is None or not created:
        return None
    expires = datetime.fromisoformat(created).date() + timedelta(days=days)
    return JourneyDays(journey.name, expires, inputs.snapshot.now.date())


def expiry_warnings(days: JourneyDays | None) -> Iterator[GateFinding]:
    """Yield the warning of a journey that expires soon or has expired."""
    if days is not None:
        found = ((check, check.run(days)) for check in OF_JOURNEY)
        yield from (GateFinding(check, finding, severity=Severity.WARNING) for check, finding in found if finding)


def expiry_moments(days: JourneyDays | None) -> Iterator[datetime]:
    """Yield the times to come at which that warning changes."""
    if days is not None:
        changes: tuple[date, ...] = (days.expires - WARNED, days.expires + timedelta(days=1))
        yield from (datetime.combine(day, time(), UTC) for day in changes if day > days.today)
