"""The Applications of an environment: one per infrastructure repository."""

from typing import Any

from onboarding.api.delivery import Repository
from onboarding.build.kinds import APPLICATION, Manifest
from onboarding.build.naming import application_name, head, ownership_labels
from onboarding.build.revision import Owner, Revision


def build_application(owner: Owner, revision: Revision, repository: Repository) -> Manifest:
    """Return the Application that deploys one repository to one environment."""
    name = application_name(owner, revision, repository.name)
    manifest = head(APPLICATION, name, ownership_labels(owner, revision), revision.argocd.namespace)
    manifest["spec"] = {
        "project": owner.project,
        "source": {"repoURL": repository.url, "targetRevision": repository.revision, "path": repository.path},
        "destination": {"server": revision.argocd.destination_server, "namespace": revision.namespace},
        "syncPolicy": _sync_policy(revision),
    }
    return manifest


def _sync_policy(revision: Revision) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "syncOptions": ["CreateNamespace=false"],
        "retry": {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
    }
    if revision.auto_sync:
        policy["automated"] = {"prune": True, "selfHeal": True}
    return policy
