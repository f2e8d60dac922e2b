"""Rules for the journeys of a policy, and for the overrides of checks by gate and by journey; pure.

A project chooses its journey, so nothing that depends on the journey may ease a gate that opens a production stage.
"""

from collections.abc import Iterator, Mapping

from onboarding.api.gates import Override
from onboarding.api.journeys import JourneyRule
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.text import choose
from onboarding.checks.journey import journey_in_force, journeys_of, opens_production
from onboarding.reconcile.observed.validity import Problem, repeated


def journey_problems(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Find problems of the journeys, of the default journey, and of the gates and journeys of overrides."""
    yield from repeated("spec.journeyRules", "name", (rule.name for rule in policy.journey_rules))
    order, production = {gate.name: place for place, gate in enumerate(policy.gates)}, opens_production(policy)
    for index, rule in enumerate(policy.journey_rules):
        yield from _rule(policy, f"spec.journeyRules[{index}]", rule, order)
        yield from _lifted(policy, f"spec.journeyRules[{index}].liftedApprovals", rule, order, production)
    if policy.default_journey is not None:
        yield from _unknown("spec.defaultJourney", policy.default_journey, policy)
    for index, override in enumerate(policy.overrides):
        field = f"spec.overrides[{index}]"
        if override.journey is not None:
            yield from _unknown(f"{field}.journey", override.journey, policy)
        yield from _gates(policy, f"{field}.gates", override, order, production)


def _unknown(field: str, journey: str, policy: OnboardingPolicySpec) -> Iterator[Problem]:
    if journey not in journeys_of(policy):
        yield Problem(field, f"there is no journey {journey}", choose(journeys_of(policy)))


def _rule(policy: OnboardingPolicySpec, field: str, rule: JourneyRule, order: Mapping[str, int]) -> Iterator[Problem]:
    if rule.last_gate not in order:
        yield Problem(f"{field}.lastGate", f"there is no gate {rule.last_gate}", choose(order))
    sizes = [size.name for size in policy.sizes]
    if rule.maximum_size is not None and rule.maximum_size not in sizes:
        yield Problem(f"{field}.maximumSize", f"there is no size {rule.maximum_size}", choose(sizes))


def _lifted(
    policy: OnboardingPolicySpec, field: str, rule: JourneyRule, order: Mapping[str, int], production: Mapping[str, str]
) -> Iterator[Problem]:
    """Find lifted approvals that no gate requires, that lead into production, or that are behind the journey."""
    required = [f"{gate.name}:{approval.name}" for gate in policy.gates for approval in gate.approvals]
    for number, name in enumerate(rule.lifted_approvals):
        gate, _, approval = name.partition(":")
        if name not in required:
            yield Problem(f"{field}[{number}]", f"gate {gate} requires no approval {approval}", choose(required))
        elif gate in production:
            broken = f"gate {gate} opens the production stage {production[gate]}: its approvals are never lifted"
            yield Problem(f"{field}[{number}]", broken, "remove it")
        elif rule.last_gate in order and order[gate] > order[rule.last_gate]:
            broken = f"gate {gate} is behind {rule.last_gate}, the last gate of journey {rule.name}"
            yield Problem(f"{field}[{number}]", broken, "remove it")


def _gates(
    policy: OnboardingPolicySpec,
    field: str,
    override: Override,
    order: Mapping[str, int],
    production: Mapping[str, str],
) -> Iterator[Problem]:
    """Find gates of an override that do not exist, or that a journey may not ease, or that are behind the journey."""
    journey, named = override.journey, override.gates
    last = len(order) if journey is None else journey_in_force(policy, journey).last
    for number, gate in enumerate(named):
        if gate not in order:
            yield Problem(f"{field}[{number}]", f"there is no gate {gate}", choose(order))
        elif journey is not None and gate in production:
            yield Problem(f"{field}[{number}]", _reaches(journey, gate, production), "remove it")
        elif order[gate] > last:
            broken = f"gate {gate} is behind the last gate of journey {journey}"
            yield Problem(f"{field}[{number}]", broken, "remove it")
    reached = [gate for gate, place in order.items() if place <= last and gate in production]
    if journey is not None and reached and not named:
        others = [gate for gate, place in order.items() if place <= last and gate not in production]
        remedy = f"name gates that open none: {', '.join(others)}" if others else "remove the override"
        yield Problem(field, _reaches(journey, reached[0], production), remedy)


def _reaches(journey: str, gate: str, production: Mapping[str, str]) -> str:
    return (
        f"gate {gate} opens the production stage {production[gate]}, and a project chooses journey {journey} itself: "
        "an override by journey must not reach it"
    )
