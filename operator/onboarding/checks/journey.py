"""The order of the gates, and which of them an environment passes.

The gates are a list and open in its order, so nothing that is written in a policy can make a gate wait for itself.
"""

from onboarding.api.gates import Gate
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
