"""Candidates and admitted revisions: what an environment would become, and what it is."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson
from pydantic import ValidationError

from onboarding import names
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import Site
from onboarding.build.kinds import HUB, NAMESPACE, ObjectKey
from onboarding.build.naming import namespace_name
from onboarding.build.revision import Binding, Revision
from onboarding.checks.finding import Inputs
from onboarding.reconcile.live import Live


class Place(NamedTuple):
    """One environment on one cluster."""

    environment: str
    cluster: str


def cluster_of(site: Site) -> str:
    """Return the name of the connection that leads to a site: ``hub``, or ``<Secret>/<key>``."""
    secret = site.kubeconfig_secret
    return HUB if secret is None else f"{secret.name}/{secret.key}"


def candidates(project: str, inputs: Inputs) -> list[Revision]:
    """Return what the environment would become on each of its sites; every check has passed before."""
    environment, stage, target = inputs.environment, inputs.stage, inputs.target
    if stage is None or target is None:
        raise ValueError("an environment that does not pass its checks has no candidate")
    resources = environment.resources or inputs.size
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
            namespace=environment.namespace or namespace_name(project, environment.name),
            description=inputs.spec.description,
            labels=environment.labels,
            resources=resources,
            gpu_resource=target.gpu_resource,
            container=inputs.policy.container,
            object_counts=inputs.policy.object_counts,
            pod_security=inputs.policy.pod_security,
            bindings=_bindings(inputs),
            network=target.network,
            argocd=site.argocd,
            repositories=tuple(sorted(inputs.spec.repositories, key=lambda repository: repository.name)),
            auto_sync=not stage.production if environment.auto_sync is None else environment.auto_sync,
        )
        for site in inputs.sites
    ]


def admitted(live: Mapping[ObjectKey, Live]) -> dict[Place, Revision | None]:
    """Return the admitted revision of every environment that has a namespace; None where it cannot be read."""
    found: dict[Place, Revision | None] = {}
    for key, item in live.items():
        if key.kind is NAMESPACE and not item.deleting:
            found[Place(item.environment, key.cluster)] = _read(item)
    return dict(sorted(found.items()))


def revoke(revision: Revision, spec: ProjectOnboardingSpec) -> Revision:
    """Return an admitted revision without the groups and repositories that the spec no longer names.

    Revocations are never held: a held environment keeps all else.
    """
    bindings = (
        binding.model_copy(update={"groups": _still(binding.groups, spec.team.groups.get(binding.persona, ()))})
        for binding in revision.bindings
    )
    urls = {(repository.name, repository.url) for repository in spec.repositories}
    kept = (repository for repository in revision.repositories if (repository.name, repository.url) in urls)
    return revision.with_values(
        bindings=tuple(binding for binding in bindings if binding.groups), repositories=tuple(kept)
    )


def _still(groups: tuple[str, ...], declared: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(group for group in groups if group in declared)


def _bindings(inputs: Inputs) -> tuple[Binding, ...]:
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


def _read(namespace: Live) -> Revision | None:
    annotations = orjson.loads(namespace.content)["metadata"]["annotations"]
    try:
        return Revision.parse(annotations.get(names.ANNOTATION_ADMITTED, ""))
    except ValidationError:
        return None
