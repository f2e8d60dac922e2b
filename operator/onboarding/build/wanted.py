"""Full list of the desired objects of a project."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from onboarding.build.access import build_role_bindings, build_sync_account
from onboarding.build.application import build_application
from onboarding.build.appproject import InUse, Served, build_app_project
from onboarding.build.kinds import CHILD_KINDS, ChildKind, Manifest, ObjectKey, Wanted
from onboarding.build.limits import build_limits
from onboarding.build.namespace import build_namespace
from onboarding.build.network import build_network_policies
from onboarding.build.quota import build_quota
from onboarding.build.revision import Owner, Revision
from onboarding.errors import TwiceError

_KIND_OF: dict[str, ChildKind] = {kind.kind: kind for kind in CHILD_KINDS}


def build_wanted(
    owner: Owner,
    revisions: Sequence[Revision],
    live: Mapping[ObjectKey, InUse] = MappingProxyType({}),
    suspended: frozenset[str] = frozenset(),
) -> list[Wanted]:
    """Return every desired object of these revisions; TwiceError if two of them have one key.

    ``live`` is the use by the project's live Applications: AppProjects still permit those that are no longer desired.
    ``suspended`` are the environments that Argo CD does not sync, because a decision that stands suspends them; that is
    no part of a revision, so that it begins and ends with the decision.
    """
    contents = [(revision, list(_contents(owner, revision))) for revision in revisions]
    applications = [
        _place(revision.argo_cluster, build_application(owner, revision, repository), revision.cluster)
        for revision in revisions
        for repository in revision.repositories
    ]
    wanted = {item.key for item in applications}
    leaving = {key: use for key, use in live.items() if key not in wanted}
    return _unique(
        [
            *(_place(revision.cluster, manifest) for revision, manifests in contents for manifest in manifests),
            *_app_projects(owner, contents, leaving, suspended),
            *applications,
        ]
    )


def _unique(wanted: list[Wanted]) -> list[Wanted]:
    found: set[ObjectKey] = set()
    for item in wanted:
        if item.key in found:
            raise TwiceError(f"{item.key} would be made twice: rename one of the environments or repositories")
        found.add(item.key)
    return wanted


def _contents(owner: Owner, revision: Revision) -> Iterator[Manifest]:
    yield build_namespace(owner, revision)
    yield build_quota(owner, revision)
    yield build_limits(owner, revision)
    yield from build_network_policies(owner, revision)
    yield from build_role_bindings(owner, revision)
    if revision.impersonation:
        yield build_sync_account(owner, revision)


def _app_projects(
    owner: Owner,
    contents: Sequence[tuple[Revision, list[Manifest]]],
    leaving: Mapping[ObjectKey, InUse],
    suspended: frozenset[str],
) -> list[Wanted]:
    """Return one AppProject per Argo CD (cluster and namespace) that serves an environment with repositories."""
    served: dict[tuple[str, str], Served] = {}
    for revision, manifests in contents:
        if revision.repositories:
            argo = served.setdefault((revision.argo_cluster, revision.argocd.namespace), Served(suspended=suspended))
            argo.revisions.append(revision)
            argo.ours.extend(item for item in manifests if item["metadata"].get("namespace") == revision.namespace)
    for key, use in leaving.items():
        served.setdefault((key.cluster, key.namespace), Served()).in_use[key.name] = use
    return [_place(cluster, build_app_project(owner, namespace, argo)) for (cluster, namespace), argo in served.items()]


def _place(cluster: str, manifest: Manifest, site: str = "") -> Wanted:
    metadata = manifest["metadata"]
    key = ObjectKey(cluster, _KIND_OF[manifest["kind"]], metadata.get("namespace", ""), metadata["name"])
    return Wanted(key, manifest, site or cluster)
