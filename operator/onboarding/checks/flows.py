"""Check that every declared flow has an effect: what no NetworkPolicy would be built for is a finding."""

from onboarding.api.addresses import reaches
from onboarding.api.gates import Actor, Track
from onboarding.api.hosting import Flow
from onboarding.api.status import Evidence
from onboarding.api.target import NetworkZone
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import EnvironmentDeclaration

_OPENED = "FlowsOpened"


@check(
    "FlowWithoutEffect",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="list networks in the zone that flows reach; node-local DNS belongs in spec.network.dns.addresses of the "
    "HostingTarget",
    reads=("flows.zone", "flows.cidrs", "flows.environment", "flows.environments", "environments.target"),
    actor=Actor.PLATFORM,
)
def flows_have_an_effect(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every flow of the environment gets a NetworkPolicy, and reaches at least one address or environment."""
    found = (_between_environments(inputs, flow) or _with_zone(inputs, flow) for flow in inputs.spec.flows)
    return next(filter(None, found), None)


def _between_environments(inputs: EnvironmentDeclaration, flow: Flow) -> Finding | None:
    names = [item.name for item in inputs.spec.environments]
    if flow.environment is None or flow.environment != inputs.environment.name or any(map(flow.concerns, names)):
        return None
    return Finding(
        f"flow {flow.name!r} leads to environment {flow.environment!r}, and no other environment needs it",
        "name another environment in spec.flows[].environments, or remove the flow",
        Actor.PROJECT,
    )


def _with_zone(inputs: EnvironmentDeclaration, flow: Flow) -> Finding | None:
    zone = inputs.target.network.zone(flow.zone) if inputs.target else None
    if inputs.target is None or zone is None or not flow.concerns(inputs.environment.name):
        return None
    blocks = inputs.target.network.map.blocks(zone.name, flow.cidrs)
    if not reaches(tuple(blocks.items())):
        return _nothing_reached(inputs, flow, zone)
    if zone.attested and not any(rule.id == _OPENED for rule in inputs.policy.checks):
        return Finding(
            f"flow {flow.name!r}: zone {zone.name!r} waits for the attestation of {_OPENED}, which no gate of the "
            f"policy asks for",
            f"put {_OPENED} at a gate in spec.checks of the policy, or set attested: false in the zone",
        )
    return None


def _nothing_reached(inputs: EnvironmentDeclaration, flow: Flow, zone: NetworkZone) -> Finding:
    what = "only link-local and metadata addresses, or addresses of narrower zones, which the flow does not reach"
    if flow.cidrs:
        where, remedy = "its cidrs hold", "choose other networks of the zone in spec.flows[].cidrs"
        return Finding(f"flow {flow.name!r} with zone {zone.name!r}: {where} {what}", remedy, Actor.PROJECT)
    return Finding(f"flow {flow.name!r}: zone {zone.name!r} of target {inputs.target_name!r} holds {what}")
