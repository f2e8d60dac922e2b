"""The AppProject of a project on one Argo CD: exact destinations and sources, and nothing that rewrites guard rails."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.revision import Owner, Revision

GUARD_KINDS: Final = (
    ("", "LimitRange"),
    ("", "ResourceQuota"),
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)
"""Kinds that a project's repositories never sync: with them a tenant would rewrite its own guard rails."""


class InUse(NamedTuple):
    """What a live Application uses: as long as it lives, its AppProject allows this."""

    repository: str
    server: str
    namespace: str


def build_app_project(
    owner: Owner, namespace: str, revisions: Sequence[Revision], in_use: Sequence[InUse] = ()
) -> Manifest:
    """Return the AppProject in an Argo CD's namespace: the union of what is admitted and what is still in use.

    An Application that is deleted after its project was narrowed leaves its workload running (Argo CD), so a project
    is narrowed only when the Applications that need the room have gone.
    """
    description = next((revision.description for revision in revisions if revision.description), None)
    repositories = {repository.url for revision in revisions for repository in revision.repositories}
    places = sorted(
        {(revision.argocd.destination_server, revision.namespace) for revision in revisions}
        | {(use.server, use.namespace) for use in in_use}
    )
    manifest = head(APP_PROJECT, owner.project, ownership_labels(owner), namespace)
    manifest["spec"] = {
        "description": description or f"Environments of project {owner.project}",
        "sourceRepos": sorted(repositories | {use.repository for use in in_use}),
        "destinations": [{"server": server, "namespace": place} for server, place in places],
        "clusterResourceWhitelist": [],
        "namespaceResourceBlacklist": [{"group": group, "kind": kind} for group, kind in GUARD_KINDS],
        "destinationServiceAccounts": [
            {
                "server": server,
                "namespace": place,
                "defaultServiceAccount": f"{names.SYNC_NAMESPACE}:{place}",
            }
            for server, place in places
        ],
        "roles": _roles(owner, revisions),
    }
    return manifest


def _roles(owner: Owner, revisions: Sequence[Revision]) -> list[dict[str, Any]]:
    """Return one role per persona with its groups in any of the environments."""
    groups: dict[str, set[str]] = {}
    actions: dict[str, set[str]] = {}
    for revision in revisions:
        for binding in revision.bindings:
            if binding.argocd and binding.groups:
                groups.setdefault(binding.persona, set()).update(binding.groups)
                actions.setdefault(binding.persona, set()).update(binding.argocd)
    return [
        {
            "name": persona,
            "description": f"Persona {persona} of project {owner.project}",
            "groups": sorted(groups[persona]),
            "policies": [_policy(owner.project, persona, action) for action in sorted(actions[persona])],
        }
        for persona in sorted(groups)
    ]


def _policy(project: str, persona: str, action: str) -> str:
    resource, verb = ("logs", "get") if action == "logs" else ("applications", action)
    return f"p, proj:{project}:{persona}, {resource}, {verb}, {project}/*, allow"
