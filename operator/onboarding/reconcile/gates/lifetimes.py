"""The end of decisions by the longest life that the policy allows, and the environments that they may name; pure."""

from collections.abc import Container
from datetime import datetime
from typing import Final

from onboarding.api.decision import Decision
from onboarding.api.lifetimes import DecisionLimits
from onboarding.api.text import time
from onboarding.checks.catalogue import OF_PROJECT
from onboarding.reconcile.observed.dated import DatedDecision, moment_of

_ABOUT_PROJECTS: Final = frozenset(check.id for check in OF_PROJECT)
_FIELDS: Final = {
    Decision.WAIVE: "spec.decisions.maximumWaiverDays",
    Decision.ATTEST: "spec.decisions.maximumAttestationDays",
    Decision.GRANT: "spec.decisions.maximumGrantDays",
}


def limited(decision: DatedDecision, limits: DecisionLimits | None) -> DatedDecision:
    """Return a decision with the end that the policy allows, if it names a later one."""
    end = decision.end(limits)
    return decision if end == decision.expires else decision.model_copy(update={"expires": end})


def expired(decision: DatedDecision, limits: DecisionLimits | None, now: datetime) -> str:
    """Return why the time of a decision is over; the empty string if it is not."""
    if decision.expires is None:
        return ""
    if moment_of(decision.expires) <= now:
        return f"it expired at {decision.expires}: decide again"
    most = decision.latest(limits)
    if most is None or most > now:
        return ""
    return f"it expired at {time(most)}, by {_FIELDS[decision.decision]} of the policy: decide again"


def astray(decision: DatedDecision, environments: Container[str]) -> str:
    """Return why a waiver or attestation cannot be about the environment that it names; else the empty string.

    ``environments`` are those that the project declares or still has.
    """
    named = decision.environment
    if named is None:
        return ""
    if decision.decision is Decision.ATTEST:
        return f"an attestation is about the whole project, and it names environment {named}: decide again without"
    if decision.decision is not Decision.WAIVE:
        return ""
    if decision.check in _ABOUT_PROJECTS:
        return (
            f"{decision.check} is a check of the whole project, and it names environment {named}: decide again without"
        )
    if named not in environments:
        return f"the project has no environment {named}: decide again, for one that it declares or for the project"
    return ""
