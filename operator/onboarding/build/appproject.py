"""AppProject of a project on one Argo CD: exact destinations, source repositories and permitted kinds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.permitted import GroupKind, permitted_kinds, refused_kinds
from onboarding.build.revision import Owner, Revision
from onboarding.build.windows import sync_windows


class InUse(NamedTuple):
    """Repositories, destination and kinds in use by a live Application, which its AppProject must still permit."""

    repositories: tuple[str, ...]
    server: str
    namespace: str
    kinds: tuple[GroupKind, ...] = ()
    """The kinds that its AppProject permits at present."""


@dataclass(frozen=True, slots=True)
class Served:
    """The part of a project that one Argo CD serves."""

    revisions: list[Revision] = field(default_factory=list)
    in_use: list[InUse] = field(default_factory=list)
    """The use by Applications that are being removed."""
    ours: list[Manifest] = field(default_factory=list)
    """Our own objects in the namespaces of the environments."""
    suspended: frozenset[str] = frozenset()
    """The environments of the project that are suspended."""


def build_app_project(owner: Owner, namespace: str, argo: Served) -> Manifest:
    """Return the AppProject in the namespace of an Argo CD: the union of admitted revisions and live Applications.

    If an AppProject no longer permits an Application, Argo CD deletes the Application without its workload. So a
    permission is removed only after the Applications that need it are gone.
    """
    revisions = argo.revisions
    descriptions = (revision.description for revision in revisions if revision.description)
    leaving = {(use.server, use.namespace) for use in argo.in_use}
    kinds = permitted_kinds(revisions, (kind for use in argo.in_use for kind in use.kinds))
    manifest = head(APP_PROJECT, owner.project, ownership_labels(owner), namespace)
    manifest["spec"] = {
        "description": next(descriptions, f"Environments of project {owner.project}"),
        "sourceRepos": sorted(_sources(revisions).union(*(use.repositories for use in argo.in_use))),
        "destinations": _destinations(revisions, leaving),
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": _written(kinds),
        "namespaceResourceBlacklist": _written(refused_kinds(kinds)),
        "orphanedResources": {"warn": True, "ignore": _ignored(argo.ours)},
        "roles": _roles(owner, revisions),
    }
    if accounts := _accounts(revisions, leaving):
        manifest["spec"]["destinationServiceAccounts"] = accounts
    if windows := sync_windows(revisions, argo.suspended):
        manifest["spec"]["syncWindows"] = windows
    return manifest


def _sources(revisions: Iterable[Revision]) -> set[str]:
    return {
        repository.url
        for revision in revisions
        for repository in (*revision.repositories, *revision.value_repositories)
    }


def _destinations(revisions: Iterable[Revision], leaving: set[tuple[str, str]]) -> list[dict[str, str]]:
    admitted = {(revision.argocd.destination_server, revision.namespace) for revision in revisions}
    return [{"server": server, "namespace": place} for server, place in sorted(admitted | leaving)]


def _written(kinds: Iterable[GroupKind]) -> list[dict[str, str]]:
    return [{"group": group, "kind": kind} for group, kind in kinds]


def _accounts(revisions: Sequence[Revision], leaving: set[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the ServiceAccount that Argo CD syncs with, per destination; without one it syncs as itself."""
    places = {
        (revision.argocd.destination_server, revision.namespace) for revision in revisions if revision.impersonation
    }
    if all(revision.impersonation for revision in revisions):
        places |= leaving
    return [
        {"server": server, "namespace": place, "defaultServiceAccount": f"{names.SYNC_NAMESPACE}:{place}"}
        for server, place in sorted(places)
    ]


def _ignored(ours: Iterable[Manifest]) -> list[dict[str, str]]:
    """Return our own objects, which belong to no Application, in the form that Argo CD stores: without empty group."""
    found = {(item["apiVersion"].rpartition("/")[0], item["kind"], item["metadata"]["name"]) for item in ours}
    return [{**({"group": group} if group else {}), "kind": kind, "name": name} for group, kind, name in sorted(found)]


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
