"""Checks on who gets access."""

from onboarding.checks.finding import Finding, Inputs
from onboarding.checks.placement import listed


def personas_are_known(inputs: Inputs) -> Finding | None:
    """Groups are given for personas of the policy only."""
    unknown = sorted(name for name in inputs.spec.team.groups if inputs.persona(name) is None)
    if not unknown:
        return None
    return Finding(
        "PersonaUnknown",
        f"spec.team.groups names {listed(unknown)}, which the policy does not have",
        f"use: {listed(persona.name for persona in inputs.policy.personas)}",
    )
