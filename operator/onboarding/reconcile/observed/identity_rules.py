"""Rules for the actors of a policy, and for the personas and people that its approvals ask for; pure."""

from collections.abc import Iterator

from onboarding.api.gates import Approval
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.text import choose
from onboarding.reconcile.observed.validity import Problem, repeated


def identity_problems(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Find actors and personas of approvals that the policy does not have, and personas that do not decide."""
    yield from repeated("spec.actors", "name", (actor.name for actor in policy.actors))
    for index, gate in enumerate(policy.gates):
        for number, approval in enumerate(gate.approvals):
            yield from _approval(policy, f"spec.gates[{index}].approvals[{number}]", approval)


def _approval(policy: OnboardingPolicySpec, field: str, approval: Approval) -> Iterator[Problem]:
    if approval.actor not in policy.actor_names:
        remedy = f"{choose(policy.actor_names)}, or add it to spec.actors"
        if not policy.actors:
            remedy = f"{choose(policy.actor_names)}, or list your actors in spec.actors"
        yield Problem(f"{field}.actor", f"there is no actor {approval.actor}", remedy)
    if approval.persona is None:
        return
    personas = {persona.name: persona for persona in policy.personas}
    deciding = [name for name, persona in personas.items() if persona.decides]
    if approval.persona not in personas:
        yield Problem(f"{field}.persona", f"there is no persona {approval.persona}", choose(deciding))
    elif approval.persona not in deciding:
        rule = f"persona {approval.persona} does not decide: its groups are the project's own"
        yield Problem(f"{field}.persona", rule, f"set decides: true of it, or {choose(deciding)}")
