"""Repository Secrets for Argo CD, kept up to date without reading them back.

The operator may not read Secrets in Argo CD's namespace, so it cannot diff them. It records them in an annotation of
the AppProject in that namespace: the names before the first write, the applied digests after each write. The annotation
contains names and digests, and nothing derived from secret values. If it is incomplete, a Secret is written once more.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import orjson

from onboarding import names
from onboarding.build.canonical import dump
from onboarding.build.credentials import (
    SECRET,
    RepositoryLogin,
    Sources,
    build_repository_secret,
    secret_labels,
    secret_name,
    wanted_logins,
)
from onboarding.build.kinds import APP_PROJECT, Manifest, ObjectKey
from onboarding.build.revision import Owner
from onboarding.errors import ApiError, SecretError
from onboarding.reconcile.apply.diff import Action, Change, Rank
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.ports import Cluster, Secrets
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan

AppliedDigests = dict[str, str]
"""Digests by the name of the Secret; the empty string if the content of the Secret is unknown."""

_FIELD: Final = f"metadata.annotations.{names.ANNOTATION_CREDENTIALS}"
_NAME: Final = re.compile(r"[a-z0-9-]{1,253}")


class AppProject(NamedTuple):
    """A desired AppProject, with the URLs of its repositories."""

    key: ObjectKey
    repositories: tuple[str, ...]


def add_logins(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    app_projects: Iterable[AppProject],
    changes: Sequence[Change],
    sources: Sources,
) -> list[Change]:
    """Return the changes, with those of repository Secrets and of their applied digests on the AppProjects."""
    by_key = {change.key: change for change in changes}
    policy = snapshot.policy
    offered = policy.delivery.credentials if policy else ()
    logins = wanted_logins(snapshot.owner, plan.building, offered, sources)
    for item in app_projects:
        applied = read_applied(snapshot.live.get(item.key))
        of_project = {key: login for key, login in logins.items() if _project_of(key, snapshot.owner) == item.key}
        _write_outdated(by_key, item.key, snapshot.live.get(item.key), of_project, applied)
        if applied and policy is not None:
            needed = {key.name for key in of_project} | _needed_by_leaving(snapshot, plan, item)
            _delete(by_key, item.key, applied.keys() - needed)
    for change in changes:
        if change.key.kind is APP_PROJECT and change.action is Action.DELETE:
            _delete(by_key, change.key, read_applied(change.live))
    return list(by_key.values())


def record_applied(owner: Owner, outcomes: Iterable[Outcome], clusters: Mapping[str, Cluster]) -> list[Change]:
    """Return the changes that record the applied digests of repository Secrets."""
    done: dict[ObjectKey, list[Change]] = {}
    for outcome in outcomes:
        if outcome.change.key.kind is SECRET and outcome.result is Result.DONE:
            done.setdefault(_project_of(outcome.change.key, owner), []).append(outcome.change)
    recording = []
    for project, changes in done.items():
        live = clusters[project.cluster].cached(project)
        if live is None or live.owner != owner:
            continue
        applied = read_applied(live)
        for change in changes:
            if change.login is None:
                applied.pop(change.key.name, None)
            else:
                applied[change.key.name] = change.login.digest
        recording.append(_record(project, live, None, applied))
    return recording


def read_applied(live: CachedObject | None) -> AppliedDigests:
    """Return the applied digests on an AppProject; the Secrets of unreadable ones are rewritten."""
    try:
        applied = orjson.loads(live.applied) if live and live.applied else {}
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(applied, dict):
        return {}
    return {name: str(digest) for name, digest in applied.items() if _NAME.fullmatch(name)}


@dataclass(frozen=True, slots=True)
class RepositorySecretWriter:
    """Executes changes of repository Secrets."""

    secrets: Secrets

    async def deliver(self, owner: Owner, change: Change) -> Outcome:
        """Write or delete one Secret; ApiError if a cluster refuses, UnreachableError if it does not answer."""
        key = change.key
        try:
            if change.login is None:
                return await self._delete(owner, change)
            return await self._write(owner, change, change.login)
        except ApiError as error:
            if error.status != 403:
                raise
            message = f"{key} may not be written: {error.message}. Apply manifests/credentials to cluster {key.cluster}"
            return Outcome(change, Result.FAILED, message)

    async def _write(self, owner: Owner, change: Change, login: RepositoryLogin) -> Outcome:
        try:
            content = await self.secrets.read(login.credential.secret)
        except SecretError as error:
            message = f"credential {login.credential.name} for {login.url} cannot be delivered: {error}"
            return Outcome(change, Result.FAILED, message)
        missing = [name for name in login.keys if not content.get(name)]
        if missing:
            message = (
                f"credential {login.credential.name} for {login.url} cannot be delivered: Secret "
                f"{login.credential.secret} of the operator's namespace lacks {' and '.join(missing)}. "
                f"The platform team has to add it"
            )
            return Outcome(change, Result.FAILED, message)
        manifest = build_repository_secret(owner, change.key, login, content)
        if await self.secrets.create(change.key, manifest) or await self.secrets.overwrite(change.key, manifest):
            return Outcome(change, Result.DONE)
        message = (
            f"{change.key} exists and does not belong to this project: it stays unchanged. Have its owner rename it"
        )
        return Outcome(change, Result.CONFLICT, message)

    async def _delete(self, owner: Owner, change: Change) -> Outcome:
        """Delete a Secret that has our labels; writing the same labels again proves that without reading it."""
        claim = {"metadata": {"labels": secret_labels(owner)}}
        try:
            uid = await self.secrets.overwrite(change.key, claim)
        except ApiError as error:
            if error.status != 404:
                raise
            uid = ""
        if uid:
            await self.secrets.delete(change.key, uid)
        return Outcome(change, Result.DONE)


def _write_outdated(
    by_key: dict[ObjectKey, Change],
    project: ObjectKey,
    live: CachedObject | None,
    logins: Mapping[ObjectKey, RepositoryLogin],
    applied: AppliedDigests,
) -> None:
    """Add the changes that write missing or outdated Secrets, and record their names first."""
    outdated = {key: login for key, login in logins.items() if _is_outdated(login, applied.get(key.name, ""))}
    new = {key.name: "" for key in outdated if key.name not in applied}
    if new:
        by_key[project] = _record(project, live, by_key.get(project), applied | new)
    for key, login in outdated.items():
        action = Action.CHANGE if applied.get(key.name) else Action.CREATE
        by_key[key] = Change(action, key, Rank.LOGINS, cluster=key.cluster, login=login)


def _is_outdated(login: RepositoryLogin, applied: str) -> bool:
    """Return whether a Secret has to be written; one whose source is gone stays as it was written."""
    if login.source is None or (applied and not login.source.uid):
        return False
    return applied != login.digest


def _delete(by_key: dict[ObjectKey, Change], project: ObjectKey, secrets: Iterable[str]) -> None:
    for name in sorted(secrets):
        key = ObjectKey(project.cluster, SECRET, project.namespace, name)
        by_key[key] = Change(Action.DELETE, key, Rank.LOGINS, cluster=key.cluster)


def _needed_by_leaving(snapshot: Snapshot, plan: ReconcilePlan, project: AppProject) -> set[str]:
    """Return the Secrets of repositories that only Applications being removed use."""
    argocd = (project.key.cluster, project.key.namespace)
    staying = {
        repository.url
        for revision in plan.building
        if (revision.argo_cluster, revision.argocd.namespace) == argocd
        for repository in (*revision.repositories, *revision.value_repositories)
    }
    urls = set(project.repositories) - staying
    return {secret_name(snapshot.project.name, url) for url in urls}


def _record(project: ObjectKey, live: CachedObject | None, change: Change | None, applied: AppliedDigests) -> Change:
    """Add applied digests to a change of an AppProject, or make one for them."""
    text = dump(applied).decode() if applied else None
    if change is None:
        change = Change(Action.CHANGE, project, Rank.ACCESS, cluster=project.cluster, body={}, live=live)
    body: Manifest = dict(change.body or {})
    body["metadata"] = {**body.get("metadata", {}), "annotations": {names.ANNOTATION_CREDENTIALS: text}}
    fields = change.fields if change.action is Action.CREATE else (*change.fields, _FIELD)
    return replace(change, body=body, fields=fields)


def _project_of(secret: ObjectKey, owner: Owner) -> ObjectKey:
    return ObjectKey(secret.cluster, APP_PROJECT, secret.namespace, owner.project)
