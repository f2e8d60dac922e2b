"""Names and labels of our objects, derived from identities and never from positions in a list."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import orjson

from onboarding import names
from onboarding.api.project import Environment
from onboarding.build.kinds import ChildKind, Manifest
from onboarding.build.revision import Owner, Revision

SITE_FINALIZER: Final = f"{names.FINALIZER}."
"""Beginning of the finalizers that stand for sites."""
HUB_FINALIZER: Final = f"{SITE_FINALIZER}hub"
"""Finalizer of a project that has objects on the hub, and was admitted on no site yet."""
_LONGEST_NAME = 63
"""Longest name of a finalizer after its domain, by the API server."""

_LONGEST_LABEL: Final = 63
_SHORTEST_HASH: Final = 8
_LONGEST_HASH: Final = 32
"""A project has at most 30 characters, so that each name begins with it."""
SYNC_BINDING: Final = f"sync:{names.SYNC_ROLE}"
"""RoleBinding of the account that Argo CD syncs with."""


@lru_cache(maxsize=1024)
def site_finalizer(target: str, site: str) -> str:
    """Return the finalizer of a project that was admitted on a site of a target; hashed if it is too long."""
    found = f"{SITE_FINALIZER}{target}.{site}"
    if len(found.removeprefix(f"{names.GROUP}/")) <= _LONGEST_NAME:
        return found
    return SITE_FINALIZER + hashlib.sha256(f"{target}.{site}".encode()).hexdigest()[:32]


def is_of_site(finalizer: str) -> bool:
    """Return whether a finalizer is one of ours that stands for a site."""
    return finalizer.startswith(SITE_FINALIZER)


def namespace_of(project: str, environment: Environment) -> str:
    """Return the name of an environment's namespace: the declared one, or else ``<project>-<environment>``."""
    return environment.namespace or f"{project}-{environment.name}"


def application_name(project: str, revision: Revision, repository: str) -> str:
    """Return the name of the Application of a repository: the one that is admitted, or else the joined one."""
    return revision.application_names.get(repository) or joined_application_name(project, revision, repository)


def joined_application_name(project: str, revision: Revision, repository: str) -> str:
    """Return ``<project>-<environment>-<repository>``, with the site before the repository if the target has several.

    Names that contain hyphens may join alike, so it is not always the name of the Application.
    """
    site = () if revision.sole_site else (revision.site,)
    return "-".join((project, revision.environment, *site, repository))


def hashed_application_names(project: str, revision: Revision, repository: str) -> Iterator[str]:
    """Yield names with a hash of environment, site and repository, which begin like the joined one, the shortest first.

    They have at most 63 characters.
    """
    told = orjson.dumps([revision.environment, revision.site, repository])
    whole = hashlib.sha256(told).hexdigest()
    for length in range(_SHORTEST_HASH, _LONGEST_HASH + 1, 4):
        beginning = joined_application_name(project, revision, repository)[: _LONGEST_LABEL - 1 - length]
        yield f"{beginning}-{whole[:length]}"


def ownership_labels(owner: Owner, revision: Revision | None = None) -> dict[str, str]:
    """Return the labels that prove our ownership; an object of several environments has no environment label."""
    labels = {
        names.LABEL_MANAGED_BY: names.MANAGER,
        names.LABEL_INSTALLATION: owner.installation,
        names.LABEL_PROJECT: owner.project,
        names.LABEL_PROJECT_UID: owner.uid,
    }
    return labels if revision is None else labels | {names.LABEL_ENVIRONMENT: revision.environment}


def head(kind: ChildKind, name: str, labels: dict[str, str], namespace: str = "") -> Manifest:
    """Return the beginning of a manifest: kind and metadata."""
    metadata: Manifest = {"name": name, "labels": labels}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
