"""Applications of an environment, one per infrastructure repository."""

from typing import Any, Final

from onboarding.api.delivery import Helm, Repository
from onboarding.build.kinds import APPLICATION, Manifest
from onboarding.build.naming import application_name, head, ownership_labels
from onboarding.build.revision import Owner, Revision

_VALUES: Final = "values"
"""The ``ref`` of a source that holds the value files of another source."""
_SCALED: Final = ("Deployment", "StatefulSet")


def build_application(owner: Owner, revision: Revision, repository: Repository) -> Manifest:
    """Return the Application that deploys one repository to one environment."""
    name = application_name(owner.project, revision, repository.name)
    manifest = head(APPLICATION, name, ownership_labels(owner, revision), revision.argocd.namespace)
    manifest["spec"] = {
        "project": owner.project,
        **_sources(revision, repository),
        "destination": {"server": revision.argocd.destination_server, "namespace": revision.namespace},
        "syncPolicy": _sync_policy(revision),
        "ignoreDifferences": [_set_by_autoscalers(kind) for kind in _SCALED],
    }
    return manifest


def _sources(revision: Revision, repository: Repository) -> dict[str, Any]:
    """Return the source, or both sources if the value files are in another repository."""
    values = revision.value_repository(repository)
    if values is None:
        return {"source": _source(repository)}
    reference = {"repoURL": values.url, "targetRevision": values.revision, "ref": _VALUES}
    return {"sources": [_source(repository, f"${_VALUES}/"), reference]}


def _source(repository: Repository, root: str = "") -> dict[str, Any]:
    source: dict[str, Any] = {"repoURL": repository.url, "targetRevision": repository.revision}
    if repository.chart:
        source["chart"] = repository.chart
    else:
        source["path"] = repository.path
    if repository.recurse:
        source["directory"] = {"recurse": True}
    if repository.helm and (helm := _helm(repository.helm, root)):
        source["helm"] = helm
    return source


def _helm(helm: Helm, root: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if helm.release_name:
        found["releaseName"] = helm.release_name
    if helm.value_files:
        found["valueFiles"] = [f"{root}{file}" for file in helm.value_files]
    return found


def _sync_policy(revision: Revision) -> dict[str, Any]:
    """Return the sync policy.

    Argo CD uses client-side apply, its default: server-side apply would force fields away from the controllers that
    own them, such as replicas from an autoscaler. A repository that needs server-side apply sets it by annotation.
    """
    policy: dict[str, Any] = {
        "syncOptions": ["CreateNamespace=false", "RespectIgnoreDifferences=true"],
        "retry": {"limit": 5, "refresh": True, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
    }
    if revision.auto_sync:
        policy["automated"] = {"prune": True, "selfHeal": True}
    return policy


def _set_by_autoscalers(kind: str) -> dict[str, Any]:
    """Return the entry that makes Argo CD ignore replicas set by an autoscaler.

    A HorizontalPodAutoscaler scales as field manager kube-controller-manager, which owns no other field of these specs.
    So only its replicas are ignored, and without an autoscaler the number in Git counts.
    """
    return {"group": "apps", "kind": kind, "managedFieldsManagers": ["kube-controller-manager"]}
