"""Checks that rest on the word of a person with the right to give it."""

from collections.abc import Iterator

from onboarding.api.gates import Actor, Track
from onboarding.api.hosting import Flow
from onboarding.api.status import Evidence
from onboarding.api.text import cut
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import EnvironmentDeclaration, ProjectInputs

_NOBODY = "nobody with the right to it has attested it"
_PURPOSE_BYTES = 80
_DIGEST = "with the digest that status.checks shows"


@check(
    "RunAcknowledged",
    Track.ORGANISATIONAL,
    Evidence.ATTESTED,
    remedy=f"an OnboardingDecision Attest of check RunAcknowledged by the service team, {_DIGEST}",
    reads=("owner", "organisation", "team.poa"),
    actor=Actor.SERVICE_TEAM,
)
def run_is_acknowledged(inputs: ProjectInputs) -> Finding | None:
    """The project has acknowledged what running, maintaining and securing it will ask of it."""
    return None if "RunAcknowledged" in inputs.attested else Finding(_NOBODY)


@check(
    "FlowsOpened",
    Track.TECHNICAL,
    Evidence.ATTESTED,
    remedy=f"an OnboardingDecision Attest of check FlowsOpened by the network team, {_DIGEST}",
    reads=("flows", "environments.target", "environments.stage", "environments.sites"),
    actor=Actor.NETWORK,
)
def flows_are_opened(inputs: ProjectInputs) -> Finding | None:
    """The network team has opened the flows to and from the zones that it opens by hand."""
    if "FlowsOpened" in inputs.attested:
        return None
    flows = {flow.name: flow for environment in _environments(inputs) for flow in _by_hand(environment)}
    if not flows:
        return None
    first = flows[min(flows)]
    others = f" and {len(flows) - 1} more" if len(flows) > 1 else ""
    purpose = cut(first.justification, _PURPOSE_BYTES)
    return Finding(f"flow {first.name!r} with zone {first.zone!r} ({purpose}){others}: {_NOBODY}")


@check(
    "SecurityAudited",
    Track.ORGANISATIONAL,
    Evidence.ATTESTED,
    remedy=f"an OnboardingDecision Attest of check SecurityAudited by the security team, {_DIGEST}",
    reads=("classification", "flows", "environments.data", "environments.exposures", "environments.domains"),
    actor=Actor.SECURITY,
)
def security_is_audited(inputs: ProjectInputs) -> Finding | None:
    """The security team has audited what the project exposes, and its result lets it into production."""
    return None if "SecurityAudited" in inputs.attested else Finding(_NOBODY)


@check(
    "HomologationDecided",
    Track.ORGANISATIONAL,
    Evidence.ATTESTED,
    remedy=f"an OnboardingDecision Attest of check HomologationDecided by the security team, {_DIGEST}",
    reads=("classification", "environments.data", "environments.exposures"),
    actor=Actor.SECURITY,
)
def homologation_is_decided(inputs: ProjectInputs) -> Finding | None:
    """The homologation authority has decided that the project may serve production."""
    return None if "HomologationDecided" in inputs.attested else Finding(_NOBODY)


def _environments(inputs: ProjectInputs) -> Iterator[EnvironmentDeclaration]:
    return (EnvironmentDeclaration(inputs.declared, environment) for environment in inputs.spec.environments)


def _by_hand(environment: EnvironmentDeclaration) -> Iterator[Flow]:
    """Yield the flows of an environment with a zone of its target whose flows are opened by hand."""
    zones = environment.target.network.zones if environment.target else ()
    attested = {zone.name for zone in zones if zone.attested}
    for flow in environment.spec.flows:
        if flow.zone in attested and (not flow.environments or environment.environment.name in flow.environments):
            yield flow
