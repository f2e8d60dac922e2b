"""Inputs for the checks of running environments, from the admitted revisions and their Applications; pure."""

from collections.abc import Iterator, Mapping

from onboarding.build.kinds import APPLICATION, ObjectKey
from onboarding.build.naming import application_name
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.inputs import ProjectInputs, RunningInputs
from onboarding.checks.journey import gate_index_of
from onboarding.reconcile.observed.snapshot import Snapshot


def running_places(
    snapshot: Snapshot, project: ProjectInputs, admitted: Mapping[Place, Revision | None]
) -> Iterator[tuple[int, RunningInputs]]:
    """Yield each admitted environment on each of its sites, with the index of its gate (-1 if it has none)."""
    for revision in admitted.values():
        if revision is None:
            continue
        applications = (snapshot.application(key) for key in application_keys(snapshot, revision))
        yield (
            gate_index_of(project.policy, revision.stage, revision.target),
            RunningInputs(
                project=project,
                environment=revision.environment,
                stage=revision.stage,
                target=revision.target,
                site=revision.site,
                cluster=revision.cluster,
                namespace=revision.namespace,
                repositories=sum(repository.deploys for repository in revision.repositories),
                applications=tuple(item.effective_health for item in applications if item.reported),
            ),
        )


def application_keys(snapshot: Snapshot, revision: Revision) -> Iterator[ObjectKey]:
    """Yield the keys of the Applications of an environment."""
    for repository in revision.repositories:
        if repository.deploys:
            name = application_name(snapshot.project.name, revision, repository.name)
            yield ObjectKey(revision.argo_cluster, APPLICATION, revision.argocd.namespace, name)
