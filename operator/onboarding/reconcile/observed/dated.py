"""An OnboardingDecision with the time of its creation, which bounds what it counts for and how long."""

from datetime import UTC, datetime, timedelta
from typing import Final

from onboarding.api.common import Moment
from onboarding.api.decision import Decision, OnboardingDecisionSpec
from onboarding.api.lifetimes import DecisionLimits
from onboarding.api.text import time

_NO_LIMITS: Final = DecisionLimits()


class DatedDecision(OnboardingDecisionSpec):
    """The spec of an OnboardingDecision, and the time at which the API server created it."""

    created: Moment

    def end(self, limits: DecisionLimits | None) -> str | None:
        """Return the time at which it stops counting under the limits of a policy; None if it never does."""
        most = self.latest(limits)
        if self.expires is None or most is None:
            return self.expires
        return time(min(moment_of(self.expires), most))

    def latest(self, limits: DecisionLimits | None) -> datetime | None:
        """Return the latest end that the policy allows; None if it sets no limit to decisions of this kind."""
        days = _days(self.decision, limits or _NO_LIMITS)
        return None if days is None else moment_of(self.created) + timedelta(days=days)


def moment_of(text: str) -> datetime:
    """Parse a time of an API field; a date that no calendar has counts as long past."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _days(decision: Decision, limits: DecisionLimits) -> int | None:
    match decision:
        case Decision.WAIVE:
            return limits.maximum_waiver_days
        case Decision.ATTEST:
            return limits.maximum_attestation_days
        case Decision.GRANT:
            return limits.maximum_grant_days
        case _:
            return None
