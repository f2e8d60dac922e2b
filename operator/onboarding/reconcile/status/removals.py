"""Removals that wait for a decision, in the status; pure."""

from typing import Final

from onboarding.api.status import RemovalStatus
from onboarding.api.text import cut
from onboarding.build.kinds import HUB, ObjectKey
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan

_FIRST: Final = 10
_SITES: Final = 5


def removals(plan: ReconcilePlan) -> tuple[RemovalStatus, ...]:
    """Return the first removals that wait for a decision, each with the digest that the decision has to name."""
    return tuple(
        RemovalStatus(
            environment=removal.environment or None,
            namespaces=len(removal.namespaces),
            first=tuple(_named(key) for key in removal.namespaces[:_FIRST]),
            digest=removal.digest or None,
            waiting_for=tuple(cut(problem) for problem in removal.hidden[:_SITES]),
        )
        for removal in plan.unconfirmed[:_FIRST]
    )


def _named(key: ObjectKey) -> str:
    return key.name if key.cluster == HUB else f"{key.name} on {key.cluster}"
