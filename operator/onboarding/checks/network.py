"""Checks on what an environment connects to and under which names it is reached. Names are compared exactly."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from onboarding.api.addresses import NEVER_REACHED, network, within
from onboarding.api.gates import Actor, Track
from onboarding.api.hosting import Flow
from onboarding.api.status import Evidence
from onboarding.api.target import HostingTargetSpec
from onboarding.api.text import choose, listed
from onboarding.api.urls import host_form
from onboarding.checks.finding import Finding, check, undecided
from onboarding.checks.fitting import choose_fitting
from onboarding.checks.inputs import EnvironmentDeclaration, RunningInputs
from onboarding.checks.probe import CertificateRequest, DnsRequest, EndpointRequest
from onboarding.checks.several import some, worst

_WITHOUT = ", without the cluster's own networks and those that are not globally reachable, which no zone names"


@check(
    "FlowZoneUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="set spec.flows[].zone to a network zone of the target",
    reads=("flows.zone", "flows.environments", "environments.target"),
)
def zones_are_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every flow of the environment leads to a network zone that the target has."""
    if inputs.target is None:
        return None
    wanted = {flow.zone for flow in _flows(inputs) if flow.zone}
    unknown = wanted - _zones(inputs.target)
    if not unknown:
        return None
    flows = some(f"flow {flow.name!r}" for flow in _flows(inputs) if flow.zone in unknown)
    return Finding(
        f"{flows}: target {inputs.target_name!r} has no network zone {listed(unknown)}",
        choose_fitting(
            inputs,
            f"{choose(_zones(inputs.target))}; or a target that has it",
            lambda _inputs, _name, other: wanted <= _zones(other),
        ),
    )


@check(
    "FlowOutsideZone",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="keep spec.flows[].cidrs within the flow's zone, or leave them out for the whole zone",
    reads=("flows.zone", "flows.cidrs", "flows.environments", "environments.target"),
)
def flows_stay_in_their_zone(inputs: EnvironmentDeclaration) -> Finding | None:
    """Networks that narrow a flow belong to its zone and hold more than link-local and metadata addresses."""
    if inputs.target is None:
        return None
    for flow in _flows(inputs):
        zone = inputs.target.network.zone(flow.zone)
        if zone is None:
            continue
        for cidr in flow.cidrs:
            wanted, owners = network(cidr), inputs.target.network.map
            if any(within(wanted, never) for never in NEVER_REACHED):
                return Finding(
                    f"flow {flow.name!r}: {cidr} holds link-local or metadata addresses only, which no flow reaches"
                )
            if zone.name not in (found := owners.zones_of(wanted)):
                where = f"belongs to zone {listed(found)}" if found else f"is no part of it: {some(zone.cidrs)}"
                if not found and any(within(wanted, network(item)) for item in zone.cidrs):
                    where += _WITHOUT
                return Finding(f"flow {flow.name!r} leads to zone {zone.name!r}, and {cidr} {where}")
    return None


@check(
    "FlowEnvironmentUnknown",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="set spec.flows[].environment and spec.flows[].environments to environments of this project",
    reads=("flows.environment", "flows.environments"),
)
def flow_environments_are_known(inputs: EnvironmentDeclaration) -> Finding | None:
    """Flows name only environments that the project declares."""
    known = {environment.name for environment in inputs.spec.environments}
    for flow in inputs.spec.flows:
        named = {*flow.environments, *([flow.environment] if flow.environment else [])}
        if unknown := named - known:
            return Finding(
                f"flow {flow.name!r} names environment {listed(unknown)}, which the project does not declare",
                choose(known),
            )
    return None


@check(
    "FlowBetweenClusters",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="in spec.flows[].environments, name only environments on the other end's cluster; between clusters, lead "
    "the flow through a zone",
    reads=("flows.environment", "flows.environments", "environments.target", "environments.sites"),
)
def flows_stay_on_a_cluster(inputs: EnvironmentDeclaration) -> Finding | None:
    """An environment at the other end of a flow shares a cluster with the one that needs it."""
    ends = {flow.environment for flow in _flows(inputs)} - {None}
    here = _clusters(inputs)
    if not here:
        return None
    for environment in inputs.spec.environments:
        if environment.name not in ends:
            continue
        other = EnvironmentDeclaration(inputs.project, environment)
        if other.sites and not here & _clusters(other):
            flows = some(f"flow {flow.name!r}" for flow in _flows(inputs) if flow.environment == environment.name)
            return Finding(
                f"{flows}: environment {environment.name!r} on target {other.target_name!r} shares no cluster with "
                f"{inputs.environment.name!r} on target {inputs.target_name!r}"
            )
    return None


@check(
    "DomainAllowed",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose spec.environments[].domains with a suffix of the target",
    reads=("environments.domains", "environments.exposures", "environments.target"),
)
def domains_are_allowed(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every domain of the environment ends in a suffix that its target has for one of the environment's exposures."""
    target, environment = inputs.target, inputs.environment
    if target is None or not target.domains:
        return None
    suffixes = [rule.suffix for rule in target.domains if rule.exposure in (None, *environment.exposures)]
    wrong = [domain for domain in environment.domains if not _ends_in(domain, suffixes)]
    if not wrong:
        return None
    exposed = listed(environment.exposures) if environment.exposures else "no network"
    return Finding(
        f"target {inputs.target_name!r} takes no domain {some(wrong)} for an environment exposed to {exposed}",
        f"use names that end in: {listed(_described(target))}",
    )


def _dns(inputs: RunningInputs) -> Iterator[DnsRequest]:
    return map(DnsRequest, _domains(inputs))


@check(
    "DomainResolves",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="have the domain added to the DNS",
    reads=("environments.domains",),
    actor=Actor.NETWORK,
    requests_of=_dns,
)
def domains_resolve(inputs: RunningInputs) -> Finding | None:
    """Every domain of an environment that runs resolves to an address."""
    return worst(_resolves(inputs, request) for request in _dns(inputs))


def _resolves(inputs: RunningInputs, request: DnsRequest) -> Finding | None:
    answer = inputs.project.answer(request)
    if answer is None or answer.facts is None:
        return undecided(answer, f"DNS of {request.host}")
    return None if answer.facts.addresses else Finding(f"domain {request.host} does not resolve to an address")


def _certificates(inputs: RunningInputs) -> Iterator[CertificateRequest]:
    return map(CertificateRequest, _domains(inputs))


@check(
    "CertificateValid",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="install a certificate for the domain, from an authority that is trusted, and have it renewed in time",
    reads=("environments.domains",),
    requests_of=_certificates,
)
def certificates_are_valid(inputs: RunningInputs) -> Finding | None:
    """Every domain of an environment that runs shows a trusted certificate of its name, with the policy's days left."""
    return worst(_certificate(inputs, request) for request in _certificates(inputs))


def _certificate(inputs: RunningInputs, request: CertificateRequest) -> Finding | None:
    answer, days = inputs.project.answer(request), inputs.project.policy.workloads.certificate_days
    if answer is None or answer.facts is None:
        return undecided(answer, f"certificate of {request.host}")
    facts, left = answer.facts, answer.facts.not_after - inputs.project.now
    # The day is told and not how many are left, so that the message is the same tomorrow.
    day = f"{facts.not_after:%Y-%m-%d}"
    if left <= timedelta(0):
        return Finding(f"certificate of {request.host} ended on {day}")
    if not facts.matches:
        return Finding(f"certificate of {request.host} is for {', '.join(facts.names[:2]) or 'no name'}")
    if not facts.trusted:
        return Finding(f"certificate of {request.host} is not trusted: {facts.problem}")
    if left < timedelta(days=days):
        return Finding(f"certificate of {request.host} ends on {day}, in less than {days} days")
    return None


def _health(inputs: RunningInputs) -> Iterator[EndpointRequest]:
    for environment in inputs.project.spec.environments:
        if environment.name == inputs.environment and environment.health_path:
            yield from (EndpointRequest(f"https://{domain}{environment.health_path}") for domain in environment.domains)


@check(
    "EndpointHealthy",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="make the path of spec.environments[].healthPath answer 200 under every domain",
    reads=("environments.domains", "environments.healthPath"),
    requests_of=_health,
)
def endpoints_are_healthy(inputs: RunningInputs) -> Finding | None:
    """The health path of an environment that runs answers with a status of 200 to 399 under every domain."""
    return worst(_endpoint(inputs, request) for request in _health(inputs))


def _endpoint(inputs: RunningInputs, request: EndpointRequest) -> Finding | None:
    answer = inputs.project.answer(request)
    if answer is None or answer.facts is None:
        return undecided(answer, request.url)
    status = answer.facts.status
    return None if 200 <= status < 400 else Finding(f"{request.url} answers {status}")


def _flows(inputs: EnvironmentDeclaration) -> Iterator[Flow]:
    return (flow for flow in inputs.spec.flows if flow.concerns(inputs.environment.name))


def _zones(target: HostingTargetSpec) -> set[str]:
    return {zone.name for zone in target.network.zones}


def _clusters(inputs: EnvironmentDeclaration) -> set[object]:
    """Return the clusters of an environment, each as the Secret that leads there; None is the operator's own."""
    return {site.kubeconfig_secret for site in inputs.sites}


def _domains(inputs: RunningInputs) -> tuple[str, ...]:
    """Return the domains that the spec has for the environment now."""
    return next((item.domains for item in inputs.project.spec.environments if item.name == inputs.environment), ())


def _ends_in(domain: str, suffixes: Iterable[str]) -> bool:
    labels = host_form(domain).split(".")
    return any(labels[-len(ends) :] == ends for ends in (host_form(suffix).split(".") for suffix in suffixes))


def _described(target: HostingTargetSpec) -> Iterator[str]:
    return (f"{rule.suffix} ({rule.exposure})" if rule.exposure else rule.suffix for rule in target.domains)
