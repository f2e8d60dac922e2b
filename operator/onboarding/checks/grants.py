"""Check on what a project keeps of a Grant that has expired."""

from typing import NamedTuple

from onboarding.api.capacity import Budget
from onboarding.api.gates import Track
from onboarding.api.status import Evidence
from onboarding.checks.capacity import above
from onboarding.checks.finding import Finding, check
from onboarding.checks.totals import Totals


class EndedGrant(NamedTuple):
    """A Grant that has expired, with what the environments of its kind take, and their ceiling without it."""

    author: str
    expired: str
    production: bool
    taken: Totals
    ceiling: Budget


@check(
    "GrantExpired",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="reduce the sizes of these environments, or ask the platform team for a new OnboardingDecision Grant; until "
    "then nothing is taken away, and nothing grows",
    reads=(),
)
def grant_lasts(inputs: EndedGrant) -> Finding | None:
    """After a Grant has expired, the admitted environments keep to the ceilings of the policy and of other grants."""
    excess = above(inputs.taken, inputs.ceiling)
    if not excess:
        return None
    kind = "production" if inputs.production else "non-production"
    return Finding(
        f"the project is above its ceiling of {kind} environments since the Grant by {inputs.author} expired at "
        f"{inputs.expired}: {excess}"
    )
