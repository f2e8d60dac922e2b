"""The full list of wanted objects of a project."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from onboarding.build.access import build_role_bindings, build_sync_account
from onboarding.build.application import build_application
from onboarding.build.appproject import InUse, build_app_project
from onboarding.build.kinds import CHILD_KINDS, ChildKind, Manifest, ObjectKey, Wanted
from onboarding.build.limits import build_limits
from onboarding.build.namespace import build_namespace
from onboarding.build.network import build_network_policies
from onboarding.build.quota import build_quota
from onboarding.build.revision import Owner, Revision


class ArgoPlace(NamedTuple):
    """One Argo CD: the cluster it runs on and its namespace."""

    cluster: str
    namespace: str


_KIND_OF: dict[str, ChildKind] = {kind.kind: kind for kind in CHILD_KINDS}


def build_wanted(
    owner: Owner, revisions: Sequence[Revision], in_use: Mapping[ArgoPlace, Sequence[InUse]] = MappingProxyType({})
) -> list[Wanted]:
    """Return every object that shall exist for these admitted revisions and for the Applications still in use."""
    wanted = [_place(revision.cluster, manifest) for revision in revisions for manifest in _contents(owner, revision)]
    wanted += _app_projects(owner, revisions, in_use)
    wanted += [
        _place(revision.argo_cluster, build_application(owner, revision, repository), revision.cluster)
        for revision in revisions
        for repository in revision.repositories
    ]
    return wanted


def _contents(owner: Owner, revision: Revision) -> Iterator[Manifest]:
    yield build_namespace(owner, revision)
    yield build_quota(owner, revision)
    yield build_limits(owner, revision)
    yield from build_network_policies(owner, revision)
    yield from build_role_bindings(owner, revision)
    yield build_sync_account(owner, revision)


def _app_projects(
    owner: Owner, revisions: Sequence[Revision], in_use: Mapping[ArgoPlace, Sequence[InUse]]
) -> list[Wanted]:
    """Return one AppProject per Argo CD that serves an environment with repositories, or still did."""
    served: dict[ArgoPlace, list[Revision]] = {place: [] for place in in_use}
    for revision in revisions:
        if revision.repositories:
            served.setdefault(ArgoPlace(revision.argo_cluster, revision.argocd.namespace), []).append(revision)
    return [
        _place(place.cluster, build_app_project(owner, place.namespace, group, in_use.get(place, ())))
        for place, group in served.items()
    ]


def _place(cluster: str, manifest: Manifest, site: str = "") -> Wanted:
    metadata = manifest["metadata"]
    key = ObjectKey(cluster, _KIND_OF[manifest["kind"]], metadata.get("namespace", ""), metadata["name"])
    return Wanted(key, manifest, site or cluster)
