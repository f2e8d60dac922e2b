"""Candidates and admitted revisions: what an environment would become, and what it is."""

from collections.abc import Mapping
from types import MappingProxyType

from onboarding.build.naming import namespace_of
from onboarding.build.place import Place, cluster_of
from onboarding.build.revision import Binding, Revision
from onboarding.checks.deployed import deployed, value_repositories
from onboarding.checks.inputs import EnvironmentInputs
from onboarding.reconcile.admission.flows import resolve_flows
from onboarding.reconcile.admission.windows import windows


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
    resources = inputs.resources
    if resources is None:
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
            resources=resources,
            gpu_resource=target.gpu_resource,
            container=inputs.policy.container,
            object_counts=inputs.policy.object_counts,
            pod_security=inputs.policy.pod_security,
            bindings=_bindings(inputs),
            flavour=target.flavour,
            network=target.network.holes,
            flows=resolve_flows(project, inputs, cluster_of(site), flows_opened, current),
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
