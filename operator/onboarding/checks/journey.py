"""The order of the gates, which of them an environment passes, and where the journey of a project ends.

The gates are a list and open in its order, so nothing that is written in a policy can make a gate wait for itself.
"""

from dataclasses import dataclass

from onboarding.api.gates import Gate
from onboarding.api.journeys import JourneyRule
from onboarding.api.policy import OnboardingPolicySpec


def gate_index_of(policy: OnboardingPolicySpec, stage: str, target: str) -> int:
    """Return the place of the one gate that environments of a stage on a target pass, or -1.

    A gate that names the target wins over one that opens the stage on every target, wherever they stand in the list.
    -1: where the policy has gates, none of them lets such an environment in; where it has none, nothing keeps it out.
    """
    everywhere = -1
    for place, gate in enumerate(policy.gates):
        for opening in gate.opens:
            if stage in opening.stages and target in opening.targets:
                return place
            if everywhere < 0 and stage in opening.stages and not opening.targets:
                everywhere = place
    return everywhere


def gate_of(policy: OnboardingPolicySpec, stage: str, target: str) -> Gate | None:
    """Return the one gate that environments of a stage on a target pass; None where there is none."""
    place = gate_index_of(policy, stage, target)
    return policy.gates[place] if place >= 0 else None


def gates_before(policy: OnboardingPolicySpec, name: str) -> tuple[Gate, ...]:
    """Return the gates that have to be open before this one; all of them where there is no such gate."""
    names = [gate.name for gate in policy.gates]
    return policy.gates[: names.index(name)] if name in names else policy.gates


@dataclass(frozen=True, slots=True)
class JourneyInForce:
    """The journey of a project: its last gate, and its rule in the policy."""

    name: str
    """The empty string if the project has none: it meets every gate."""
    last: int
    """Index of its last gate; -1 if it ends before the first."""
    rule: JourneyRule | None = None

    def asks(self, gate: str, approval: str) -> bool:
        """Return whether a gate of the journey requires an approval, or the journey lifts it."""
        return self.rule is None or f"{gate}:{approval}" not in self.rule.lifted_approvals


def journey_in_force(policy: OnboardingPolicySpec, named: str | None) -> JourneyInForce:
    """Return the journey of a project that names this one: the named one, or the default of the policy.

    A journey without a rule ends before the first gate that opens a production stage, whether the policy knows its name
    or not.
    """
    name = named or policy.default_journey or ""
    if not name:
        return JourneyInForce("", len(policy.gates) - 1)
    rule = next((rule for rule in policy.journey_rules if rule.name == name), None)
    if rule is None:
        opening = opens_production(policy)
        before = (place for place, gate in enumerate(policy.gates) if gate.name in opening)
        return JourneyInForce(name, next(before, len(policy.gates)) - 1)
    places = (place for place, gate in enumerate(policy.gates) if gate.name == rule.last_gate)
    return JourneyInForce(name, next(places, -1), rule)


def journeys_of(policy: OnboardingPolicySpec) -> tuple[str, ...]:
    """Return the journeys that a project may name."""
    return tuple(dict.fromkeys((*policy.journeys, *(rule.name for rule in policy.journey_rules))))


def opens_production(policy: OnboardingPolicySpec) -> dict[str, str]:
    """Return the gates that open a production stage, each with the first such stage."""
    production = {stage.name for stage in policy.stages if stage.production}
    opened = ((gate.name, stage) for gate in policy.gates for item in gate.opens for stage in item.stages)
    found: dict[str, str] = {}
    for gate, stage in opened:
        if stage in production:
            found.setdefault(gate, stage)
    return found
