"""Progress of a project through the gates: the last gate that it has passed, and the one that it waits for; pure."""

from collections.abc import Collection, Sequence

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.status import GateState
from onboarding.build.revision import Revision
from onboarding.checks.journey import gate_index_of
from onboarding.reconcile.gates.gates import GateResult
from onboarding.reconcile.plan.environment_plan import EnvironmentAction, EnvironmentPlan


def last_gate(policy: OnboardingPolicySpec, revisions: Collection[Revision | None]) -> int:
    """Return the index of the last gate with one of these revisions behind it, or -1."""
    indexes = (gate_index_of(policy, revision.stage, revision.target) for revision in revisions if revision)
    return max(indexes, default=-1)


def reached_gate(gates: Sequence[GateResult], standing: int) -> str:
    """Return the last gate that a project has passed; the empty string if there is none.

    ``standing`` is the index of the last gate with an environment in place behind it, or -1: a gate that opens
    environments is passed only with one at it or behind it.
    """
    reached = ""
    for index, result in enumerate(gates):
        passed = result.state in (GateState.OPEN, GateState.PASSED)
        if not passed or (result.gate.opens and index > standing):
            break
        reached = result.gate.name
    return reached


def waited_gate(
    gates: Sequence[GateResult], environments: Sequence[EnvironmentPlan], standing: int
) -> GateResult | None:
    """Return the first gate that is not open if something waits behind it, or is in place behind it; else None.

    A gate behind the end of the journey is never waited for, and nothing behind it waits for an earlier gate.

    A project that declares no environment yet waits for the gates before the first one that opens any. A project with
    an environment behind the last gate that opens any (``standing``) waits for the gates after it, the journey's end.
    """
    index = next((index for index, result in enumerate(gates) if result.state is not GateState.OPEN), None)
    if index is None or gates[index].beyond:
        return None
    opening = (place for place, result in enumerate(gates) if result.gate.opens and not result.beyond)
    last_opening = max(opening, default=len(gates))
    ends = index > last_opening == standing
    waits = ends or gates[index].state is GateState.PASSED or index <= _last_awaited(gates, environments)
    return gates[index] if waits else None


def _last_awaited(gates: Sequence[GateResult], environments: Sequence[EnvironmentPlan]) -> int:
    declared = [item for item in environments if item.action in (EnvironmentAction.ADMIT, EnvironmentAction.HOLD)]
    if not declared:
        opening = (index for index, result in enumerate(gates) if result.gate.opens)
        return next(opening, len(gates)) - 1
    held = {item.gate for item in declared if item.action is EnvironmentAction.HOLD}
    awaited = (index for index, result in enumerate(gates) if result.gate.name in held and not result.beyond)
    return max(awaited, default=-1)
