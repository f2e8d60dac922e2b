"""The flows of an environment: declared, resolved to networks and namespaces, and revoked; pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from onboarding.api.addresses import shared
from onboarding.api.hosting import Direction
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.naming import namespace_of
from onboarding.build.place import Place, cluster_of
from onboarding.build.revision import ResolvedFlow, Revision
from onboarding.checks.inputs import EnvironmentDeclaration

_OTHER_WAY: Final = {Direction.EGRESS: Direction.INGRESS, Direction.INGRESS: Direction.EGRESS}


def resolve_flows(
    declared: EnvironmentDeclaration, cluster: str, opened: bool, admitted: Mapping[Place, Revision | None]
) -> tuple[ResolvedFlow, ...]:
    """Return the flows of an environment on one of its clusters."""
    if not declared.spec.flows or declared.target is None:
        return ()
    zones = declared.target.network
    peers = _namespaces(declared, cluster)
    found: list[ResolvedFlow] = []
    waiting: list[ResolvedFlow] = []
    for flow in declared_flows(declared.spec, declared.environment.name):
        zone = zones.zone(flow.zone)
        if zone is not None:
            resolved = flow.model_copy(update={"networks": zones.map.blocks(zone.name, flow.networks)})
            (waiting if zone.attested and not opened else found).append(resolved)
        elif here := {name: peers[name] for name in flow.peers if name in peers}:
            found.append(flow.model_copy(update={"peers": here}))
    former = admitted.get(Place(declared.environment.name, cluster))
    if former is not None:
        found += in_common(former.flows, waiting)
    return tuple(sorted(found, key=lambda flow: flow.identity))


def declared_flows(spec: ProjectOnboardingSpec, environment: str) -> Iterator[ResolvedFlow]:
    """Return the declared flows of an environment, sorted by name.

    A flow without networks means the whole zone; peers have no namespaces yet. A flow between environments has two
    ends: the environment that needs it opens it, and the other one answers. An environment that the spec no longer
    declares keeps the flows that all environments have.
    """
    others = [item.name for item in spec.environments]
    for flow in sorted(spec.flows, key=lambda flow: flow.name):
        answers = flow.environment == environment
        if answers or flow.concerns(environment) or environment not in others:
            peers = [name for name in others if flow.concerns(name)] if answers else {flow.environment} & {*others}
            yield ResolvedFlow(
                name=flow.name,
                direction=_OTHER_WAY[flow.direction] if answers else flow.direction,
                port=flow.port,
                protocol=flow.protocol,
                zone=flow.zone or "",
                networks=dict.fromkeys(flow.cidrs, ()),
                peers=dict.fromkeys(peers, ""),
                answers=answers,
            )


def _namespaces(declared: EnvironmentDeclaration, cluster: str) -> dict[str, str]:
    """Return the namespaces of the project's environments on a cluster, by environment."""
    if not any(flow.environment for flow in declared.spec.flows):
        return {}
    return {
        environment.name: namespace_of(declared.project.name, environment)
        for environment in declared.spec.environments
        if any(cluster_of(site) == cluster for site in EnvironmentDeclaration(declared.project, environment).sites)
    }


def in_common(admitted: Iterable[ResolvedFlow], declared: Iterable[ResolvedFlow]) -> Iterator[ResolvedFlow]:
    """Return the parts of the admitted flows that are still declared; a flow of another identity is dropped.

    A flow that has changed its zone keeps the networks that it names for both zones: without named networks nothing is
    common to two zones.
    """
    wanted = {flow.identity: flow for flow in declared}
    for flow in admitted:
        still = wanted.get(flow.identity)
        if still is None or (still.zone != flow.zone and not still.networks):
            continue
        networks = shared(flow.networks, still.networks) if still.networks else flow.networks
        peers = {name: namespace for name, namespace in flow.peers.items() if name in still.peers}
        if networks or peers:
            yield flow.model_copy(update={"networks": networks, "peers": peers})
