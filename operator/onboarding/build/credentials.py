"""Repository Secrets for Argo CD, with the login to a project's repositories: one per Argo CD and repository URL."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from onboarding.api.delivery import CredentialKind, RepositoryCredential
from onboarding.api.urls import argocd_form, lies_under, scheme_of
from onboarding.build.kinds import ChildKind, Manifest, ObjectKey
from onboarding.build.naming import head, ownership_labels
from onboarding.build.revision import Owner, Revision

SECRET: Final = ChildKind("", "v1", "Secret", "secrets")
"""Neither listed nor watched: the operator may not read Secrets in the namespace of an Argo CD."""

_LABEL: Final = {"argocd.argoproj.io/secret-type": "repository"}
_FORM: Final = 1
"""Version of the form of the Secret; raise it to write all of them again."""
_KEYS: Final = {
    CredentialKind.HTTPS: ("username", "password"),
    CredentialKind.SSH: ("sshPrivateKey",),
}


class Source(NamedTuple):
    """The version of a Secret that the policy names, without its content; both fields are empty if there is none."""

    uid: str = ""
    version: str = ""


Sources = Callable[[str], Source | None]
"""Returns the version of a Secret that the policy names; None if it has not been read yet."""


@dataclass(frozen=True, slots=True)
class RepositoryLogin:
    """Login of Argo CD to one repository. The secret bytes stay in the Secret that the credential names."""

    url: str
    helm: bool
    credential: RepositoryCredential
    source: Source | None
    """The version of that Secret; None if it has not been read yet."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the source Secret that are copied."""
        return _KEYS[self.credential.kind]

    @property
    def digest(self) -> str:
        """Digest of the content of the repository Secret, computed from nothing secret."""
        told = [_FORM, self.url, self.helm, self.credential.kind, *(self.source or ())]
        return hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]


def secret_name(project: str, url: str) -> str:
    """Return the name of a repository's Secret.

    Its suffix has a fixed length, so that no two projects share a name. URLs of the same repository, by the rules of
    Argo CD, share one Secret, because Argo CD would choose any of several. URLs that Argo CD takes for different ones
    have a Secret each, also if they have one form to us: it would not find the login of the other spelling.
    """
    return f"{project}-repo-{hashlib.sha256(argocd_form(url).encode()).hexdigest()[:16]}"


def allows(credential: RepositoryCredential, project: str, url: str) -> bool:
    """Return whether the platform lets a project use a credential for a URL."""
    if credential.projects and project not in credential.projects:
        return False
    if (credential.kind is CredentialKind.SSH) is not (scheme_of(url) == "ssh"):
        return False
    return any(lies_under(url, prefix) for prefix in credential.prefixes)


def wanted_logins(
    owner: Owner, revisions: Sequence[Revision], credentials: Iterable[RepositoryCredential], sources: Sources
) -> dict[ObjectKey, RepositoryLogin]:
    """Return the login of each desired repository Secret.

    A credential that the policy no longer allows is left out, even if it was admitted. If repositories of the same URL
    name several credentials, the first by name counts.
    """
    offered = {credential.name: credential for credential in credentials}
    found: dict[ObjectKey, RepositoryLogin] = {}
    for revision in revisions:
        for repository in (*revision.repositories, *revision.value_repositories):
            credential = offered.get(repository.credentials or "")
            if credential is None or not allows(credential, owner.project, repository.url):
                continue
            name = secret_name(owner.project, repository.url)
            key = ObjectKey(revision.argo_cluster, SECRET, revision.argocd.namespace, name)
            login = RepositoryLogin(
                repository.url, repository.chart is not None, credential, sources(credential.secret)
            )
            found[key] = min(found.get(key, login), login, key=lambda item: (item.credential.name, item.url, item.helm))
    return found


def secret_labels(owner: Owner) -> dict[str, str]:
    """Return all labels of a repository Secret."""
    return ownership_labels(owner) | _LABEL


def build_repository_secret(
    owner: Owner, key: ObjectKey, login: RepositoryLogin, content: Mapping[str, bytes]
) -> Manifest:
    """Return the repository Secret; it is scoped to one AppProject, so that no other project can log in with it."""
    data = {
        "type": b"helm" if login.helm else b"git",
        "url": login.url.encode(),
        "project": owner.project.encode(),
        **{name: content[name] for name in login.keys},
    }
    if login.helm:
        data["name"] = key.name.encode()
    manifest = head(SECRET, key.name, secret_labels(owner), key.namespace)
    manifest["type"] = "Opaque"
    manifest["data"] = {name: b64encode(value).decode() for name, value in data.items()}
    return manifest
