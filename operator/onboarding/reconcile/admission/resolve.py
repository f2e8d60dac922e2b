"""Candidates and admitted revisions: what an environment would become, and what it is."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson
from pydantic import ValidationError

from onboarding import names
from onboarding.api.addresses import shared
from onboarding.api.hosting import Direction
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import Site
from onboarding.build.kinds import HUB, NAMESPACE, ObjectKey
from onboarding.build.naming import namespace_of
from onboarding.build.revision import Binding, ResolvedFlow, Revision
from onboarding.checks.deployed import deployed, value_repositories
from onboarding.checks.inputs import EnvironmentInputs
from onboarding.reconcile.admission.windows import frozen, still_declared, windows
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.memory import Memory
from onboarding.reconcile.observed.validity import is_newer, told, unreadable

_OTHER_WAY: Final = {Direction.EGRESS: Direction.INGRESS, Direction.INGRESS: Direction.EGRESS}


class Place(NamedTuple):
    """One environment on one cluster."""

    environment: str
    cluster: str


def cluster_of(site: Site) -> str:
    """Return the name of the connection that leads to a site: ``hub``, or ``<Secret>/<key>``."""
    secret = site.kubeconfig_secret
    return HUB if secret is None else f"{secret.name}/{secret.key}"


def resolve_revisions(
    project: str,
    inputs: EnvironmentInputs,
    flows_opened: bool = False,
    current: Mapping[Place, Revision | None] = MappingProxyType({}),
) -> list[Revision]:
    """Return what the environment would become on each of its sites; every check that always counts has passed before.

    Flows of zones that want an attestation are there once ``flows_opened``; before, and where the attestation has
    ended, there is as much of them as the ``current`` admitted revisions have: what runs is not cut off.
    """
    environment, stage, target = inputs.environment, inputs.stage, inputs.target
    if stage is None or target is None:
        raise ValueError("an environment that does not pass its checks has no candidate")
    if inputs.resources is None:
        raise ValueError("an environment that does not pass its checks has no resources")
    return [
        Revision(
            environment=environment.name,
            stage=stage.name,
            target=inputs.target_name or "",
            site=site.name,
            cluster=cluster_of(site),
            sole_site=len(target.sites) == 1,
            namespace=namespace_of(project, environment),
            description=inputs.spec.description,
            labels=environment.labels,
            resources=inputs.resources,
            gpu_resource=target.gpu_resource,
            container=inputs.policy.container,
            object_counts=inputs.policy.object_counts,
            pod_security=inputs.policy.pod_security,
            bindings=_bindings(inputs),
            flavour=target.flavour,
            network=target.network.holes,
            flows=_flows(project, inputs, cluster_of(site), flows_opened, current),
            argocd=site.argocd,
            repositories=deployed(inputs.spec, inputs.environment),
            value_repositories=value_repositories(inputs.spec, inputs.environment),
            auto_sync=not stage.production if environment.auto_sync is None else environment.auto_sync,
            windows=windows(inputs),
            impersonation=inputs.policy.delivery.impersonation,
            allowed_kinds=inputs.policy.delivery.allowed_kinds,
            additional_kinds=inputs.policy.delivery.additional_kinds,
        )
        for site in inputs.sites
    ]


def admitted(live: Mapping[ObjectKey, CachedObject], memory: Memory) -> dict[Place, Revision | None]:
    """Return the admitted revision of every environment that has a namespace; None where it cannot be read."""
    found: dict[Place, Revision | None] = {}
    for key, item in live.items():
        if key.kind is NAMESPACE and not item.deleting:
            found[Place(item.environment, key.cluster)] = memory.recall(key, _read, item.content).revision
    return dict(sorted(found.items()))


def newer_admitted(live: Mapping[ObjectKey, CachedObject], memory: Memory) -> str:
    """Return which admitted revision a newer operator wrote, and how this shows; the empty string without one."""
    found = [
        f"what is admitted in {key} cannot be read, so that nothing of the project is touched: {newer}"
        for key, item in live.items()
        if key.kind is NAMESPACE and not item.deleting and (newer := memory.recall(key, _read, item.content).newer)
    ]
    return min(found, default="")


def revoke(revision: Revision, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec | None) -> Revision:
    """Return an admitted revision without the groups, repositories and flows that the spec no longer names.

    It is frozen, too, when the platform freezes its stage. What takes something away is never held: a held environment
    keeps all else.
    """
    bindings = (
        binding.model_copy(update={"groups": _still(binding.groups, spec.team.groups.get(binding.persona, ()))})
        for binding in revision.bindings
    )
    return revision.with_values(
        bindings=tuple(binding for binding in bindings if binding.groups),
        **still_declared(revision, spec),
        windows=frozen(revision, policy) if policy else revision.windows,
        flows=tuple(_in_common(revision.flows, _declared(spec, revision.environment))) if revision.flows else (),
    )


def _still(groups: tuple[str, ...], declared: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(group for group in groups if group in declared)


def _bindings(inputs: EnvironmentInputs) -> tuple[Binding, ...]:
    groups = inputs.spec.team.groups
    return tuple(
        Binding(
            persona=persona.name,
            cluster_role=persona.cluster_role,
            groups=tuple(sorted(groups[persona.name])),
            argocd=tuple(sorted(persona.argocd)),
        )
        for persona in inputs.policy.personas
        if groups.get(persona.name)
    )


class _Read(NamedTuple):
    """An admitted revision; None where it cannot be read, and how a newer operator shows in it."""

    revision: Revision | None
    newer: str = ""


def _read(namespace: bytes) -> _Read:
    annotations = orjson.loads(namespace)["metadata"]["annotations"]
    try:
        return _Read(Revision.parse(annotations.get(names.ANNOTATION_ADMITTED, "")))
    except ValidationError as error:
        problems = unreadable(error, names.ANNOTATION_ADMITTED)
        return _Read(None, told(problems) if is_newer(problems) else "")


def _declared(spec: ProjectOnboardingSpec, environment: str) -> Iterator[ResolvedFlow]:
    """Return the flows of an environment as they are declared, by name.

    Without networks they mean the whole zone; their peers have no namespaces yet. Of a flow between environments this
    is one end each: the environment that needs it opens it, and the other one answers. An environment that the spec
    does not name any more is on its way out, and keeps what all have.
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


def _flows(
    project: str,
    inputs: EnvironmentInputs,
    cluster: str,
    opened: bool,
    current: Mapping[Place, Revision | None],
) -> tuple[ResolvedFlow, ...]:
    """Return the flows of an environment on one of its clusters."""
    if not inputs.spec.flows or inputs.target is None:
        return ()
    zones = inputs.target.network
    peers = _namespaces(project, inputs, cluster)
    found: list[ResolvedFlow] = []
    waiting: list[ResolvedFlow] = []
    for flow in _declared(inputs.spec, inputs.environment.name):
        zone = zones.zone(flow.zone)
        if zone is not None:
            resolved = flow.model_copy(update={"networks": zones.map.blocks(zone.name, flow.networks)})
            (waiting if zone.attested and not opened else found).append(resolved)
        elif here := {name: peers[name] for name in flow.peers if name in peers}:
            found.append(flow.model_copy(update={"peers": here}))
    former = current.get(Place(inputs.environment.name, cluster))
    if former is not None:
        found += _in_common(former.flows, waiting)
    return tuple(sorted(found, key=lambda flow: flow.identity))


def _namespaces(project: str, inputs: EnvironmentInputs, cluster: str) -> dict[str, str]:
    """Return the namespaces of the project's environments that are on a cluster."""
    if not any(flow.environment for flow in inputs.spec.flows):
        return {}
    return {
        environment.name: namespace_of(project, environment)
        for environment in inputs.spec.environments
        if any(cluster_of(site) == cluster for site in EnvironmentInputs(inputs.project, environment).sites)
    }


def _in_common(admitted: Iterable[ResolvedFlow], declared: Iterable[ResolvedFlow]) -> Iterator[ResolvedFlow]:
    """Return what of the admitted flows is declared as well: never more of them, and none that is another one now."""
    wanted = {flow.identity: flow for flow in declared}
    for flow in admitted:
        if (still := wanted.get(flow.identity)) is None:
            continue
        networks = shared(flow.networks, still.networks) if still.networks else flow.networks
        peers = {name: namespace for name, namespace in flow.peers.items() if name in still.peers}
        if networks or peers:
            yield flow.model_copy(update={"networks": networks, "peers": peers})
