"""The order of the doors, and which of them an environment passes.

The doors are a list and open in its order, so nothing that is written in a policy can make a door wait for itself.
"""

from onboarding.api.gates import Gate
from onboarding.api.policy import OnboardingPolicySpec


def gate_of(policy: OnboardingPolicySpec, stage: str, target: str) -> Gate | None:
    """Return the one door that environments of a stage on a target pass.

    A door that names the target wins over one that opens the stage on every target, wherever they stand in the list.
    None: where the policy has doors, none of them lets such an environment in; where it has none, nothing keeps it out.
    """
    everywhere = None
    for gate in policy.gates:
        for opening in gate.opens:
            if stage in opening.stages and target in opening.targets:
                return gate
            if stage in opening.stages and not opening.targets:
                everywhere = everywhere or gate
    return everywhere


def gates_before(policy: OnboardingPolicySpec, name: str) -> tuple[Gate, ...]:
    """Return the doors that have to be open before this one; all of them where there is no such door."""
    names = [gate.name for gate in policy.gates]
    return policy.gates[: names.index(name)] if name in names else policy.gates
