"""AppProject of a project on one Argo CD: exact destinations, source repositories and permitted kinds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from onboarding import names
from onboarding.build.argocd_roles import Governed, Standing, build_roles
from onboarding.build.kinds import APP_PROJECT, Manifest
from onboarding.build.naming import application_name, head, ownership_labels
from onboarding.build.permitted import GroupKind, permitted_kinds, refused_kinds
from onboarding.build.revision import Binding, Owner, Revision
from onboarding.build.windows import sync_windows


class InUse(NamedTuple):
    """Repositories, destination and kinds in use by a live Application, which its AppProject must still permit."""

    repositories: tuple[str, ...]
    server: str
    namespace: str
    kinds: tuple[GroupKind, ...] = ()
    """The kinds that its AppProject permits at present."""
    policies: frozenset[Standing] = frozenset()
    """The policies of its AppProject that are about every Application at present."""


@dataclass(frozen=True, slots=True)
class Served:
    """The part of a project that one Argo CD serves."""

    revisions: list[Revision] = field(default_factory=list)
    in_use: dict[str, InUse] = field(default_factory=dict)
    """The use by Applications that are being removed, by their name."""
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
    leaving = {(use.server, use.namespace) for use in argo.in_use.values()}
    kinds = permitted_kinds(revisions, (kind for use in argo.in_use.values() for kind in use.kinds))
    manifest = head(APP_PROJECT, owner.project, ownership_labels(owner), namespace)
    manifest["spec"] = {
        "description": next(descriptions, f"Environments of project {owner.project}"),
        "sourceRepos": sorted(_sources(revisions).union(*(use.repositories for use in argo.in_use.values()))),
        "destinations": _destinations(revisions, leaving),
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": _written(kinds),
        "namespaceResourceBlacklist": _written(refused_kinds(kinds)),
        "orphanedResources": {"warn": True, "ignore": _ignored(argo.ours)},
        "roles": _roles(owner, argo),
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


def governed(owner: Owner, revisions: Iterable[Revision]) -> list[Governed]:
    """Return environments with the names of their Applications, and groups as Argo CD names them."""
    return [
        Governed(
            revision.environment,
            tuple(_in_argocd(revision, binding) for binding in revision.bindings),
            frozenset(
                application_name(owner.project, revision, repository.name) for repository in revision.repositories
            ),
        )
        for revision in revisions
    ]


def _in_argocd(revision: Revision, binding: Binding) -> Binding:
    groups = revision.groups_in_argocd(binding)
    return binding if groups == binding.groups else binding.model_copy(update={"groups": groups})


def _roles(owner: Owner, argo: Served) -> list[dict[str, Any]]:
    """Return the roles; an Application that is being removed belongs to its environment as long as that is there."""
    leaving = {name: (use.server, use.namespace) for name, use in argo.in_use.items()}
    places = []
    for revision, place in zip(argo.revisions, governed(owner, argo.revisions), strict=True):
        here = (revision.argocd.destination_server, revision.namespace)
        own = [name for name, destination in leaving.items() if destination == here]
        places.append(place._replace(applications=place.applications.union(own)))
    others = frozenset(leaving).difference(*(place.applications for place in places))
    standing = frozenset[Standing]().union(*(use.policies for use in argo.in_use.values()))
    return build_roles(owner.project, places, others, standing)
