"""Logins of Argo CD to private repositories, kept true without reading what was written.

The operator may not read Secrets beside Argo CD, so it cannot compare them. On the AppProject beside them it notes
which Secrets may be there, before it writes the first of them, and what it wrote last, afterwards. The note holds names
and digests, and nothing that is made of a secret. Where it says less than the truth, a Secret is written once more.
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
    Login,
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
"""Digests by the name of the Secret; the empty string where it is not known what is there."""

_FIELD: Final = f"metadata.annotations.{names.ANNOTATION_CREDENTIALS}"
_NAME: Final = re.compile(r"[a-z0-9-]{1,253}")


class AppProject(NamedTuple):
    """A wanted AppProject, as the logins of its repositories see it."""

    key: ObjectKey
    repositories: tuple[str, ...]


def add_logins(
    snapshot: Snapshot,
    plan: ReconcilePlan,
    app_projects: Iterable[AppProject],
    changes: Sequence[Change],
    sources: Sources,
) -> list[Change]:
    """Return the changes, with those of repository Secrets and of the notes of them on the wanted AppProjects."""
    found = {change.key: change for change in changes}
    policy = snapshot.policy
    offered = policy.delivery.credentials if policy else ()
    logins = wanted_logins(snapshot.owner, plan.building, offered, sources)
    for item in app_projects:
        note = read_applied(snapshot.live.get(item.key))
        here = {key: login for key, login in logins.items() if _project_of(key, snapshot.owner) == item.key}
        _deliver_due(found, item.key, snapshot.live.get(item.key), here, note)
        if note and policy is not None:
            needed = {key.name for key in here} | _needed_by_leaving(snapshot, plan, item)
            _withdraw(found, item.key, note.keys() - needed)
    for change in changes:
        if change.key.kind is APP_PROJECT and change.action is Action.DELETE:
            _withdraw(found, change.key, read_applied(change.live))
    return list(found.values())


def record_applied(owner: Owner, outcomes: Iterable[Outcome], clusters: Mapping[str, Cluster]) -> list[Change]:
    """Return what notes the changes of repository Secrets that ended well."""
    ended: dict[ObjectKey, list[Change]] = {}
    for outcome in outcomes:
        if outcome.change.key.kind is SECRET and outcome.result is Result.DONE:
            ended.setdefault(_project_of(outcome.change.key, owner), []).append(outcome.change)
    found = []
    for project, changes in ended.items():
        live = clusters[project.cluster].cached(project)
        if live is None or live.owner != owner:
            continue
        note = read_applied(live)
        for change in changes:
            if change.login is None:
                note.pop(change.key.name, None)
            else:
                note[change.key.name] = change.login.digest
        found.append(_noting(project, live, None, note))
    return found


def read_applied(live: CachedObject | None) -> AppliedDigests:
    """Return the note on an AppProject; what cannot be read counts as nothing, so that it is written again."""
    try:
        note = orjson.loads(live.applied) if live and live.applied else {}
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(note, dict):
        return {}
    return {name: str(digest) for name, digest in note.items() if _NAME.fullmatch(name)}


@dataclass(frozen=True, slots=True)
class RepositorySecretWriter:
    """Carries out changes of repository Secrets."""

    secrets: Secrets

    async def deliver(self, owner: Owner, change: Change) -> Outcome:
        """Write or remove one Secret; ApiError and UnreachableError where a cluster refuses or cannot be asked."""
        key = change.key
        try:
            if change.login is None:
                return await self._withdraw(owner, change)
            return await self._write(owner, change, change.login)
        except ApiError as error:
            if error.status != 403:
                raise
            message = f"{key} may not be written: {error.message}. Apply manifests/credentials to cluster {key.cluster}"
            return Outcome(change, Result.FAILED, message)

    async def _write(self, owner: Owner, change: Change, login: Login) -> Outcome:
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
                f"The platform team puts it there"
            )
            return Outcome(change, Result.FAILED, message)
        manifest = build_repository_secret(owner, change.key, login, content)
        if await self.secrets.create(change.key, manifest) or await self.secrets.overwrite(change.key, manifest):
            return Outcome(change, Result.DONE)
        message = f"{change.key} exists and is not this project's: it is left alone. Have its owner rename it"
        return Outcome(change, Result.CONFLICT, message)

    async def _withdraw(self, owner: Owner, change: Change) -> Outcome:
        """Remove a Secret whose labels are ours; writing the same labels once more proves that, without reading."""
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


def _deliver_due(
    found: dict[ObjectKey, Change],
    project: ObjectKey,
    live: CachedObject | None,
    logins: Mapping[ObjectKey, Login],
    note: AppliedDigests,
) -> None:
    """Add what writes the Secrets that are not there or are outdated, noted beforehand."""
    due = {key: login for key, login in logins.items() if _is_due(login, note.get(key.name, ""))}
    new = {key.name: "" for key in due if key.name not in note}
    if new:
        found[project] = _noting(project, live, found.get(project), note | new)
    for key, login in due.items():
        action = Action.CHANGE if note.get(key.name) else Action.CREATE
        found[key] = Change(action, key, Rank.LOGINS, cluster=key.cluster, login=login)


def _is_due(login: Login, applied: str) -> bool:
    """Return whether a Secret has to be written; a source that is gone takes nothing away from what was delivered."""
    if login.source is None or (applied and not login.source.uid):
        return False
    return applied != login.digest


def _withdraw(found: dict[ObjectKey, Change], project: ObjectKey, secrets: Iterable[str]) -> None:
    for name in sorted(secrets):
        key = ObjectKey(project.cluster, SECRET, project.namespace, name)
        found[key] = Change(Action.DELETE, key, Rank.LOGINS, cluster=key.cluster)


def _needed_by_leaving(snapshot: Snapshot, plan: ReconcilePlan, project: AppProject) -> set[str]:
    """Return the Secrets of repositories that only Applications on their way out use."""
    place = (project.key.cluster, project.key.namespace)
    staying = {
        repository.url
        for revision in plan.building
        if (revision.argo_cluster, revision.argocd.namespace) == place
        for repository in (*revision.repositories, *revision.value_repositories)
    }
    urls = set(project.repositories) - staying
    return {secret_name(snapshot.project.name, url) for url in urls}


def _noting(project: ObjectKey, live: CachedObject | None, change: Change | None, note: AppliedDigests) -> Change:
    """Return a change of an AppProject with a note in it, beside what it changes already."""
    text = dump(note).decode() if note else None
    if change is None:
        change = Change(Action.CHANGE, project, Rank.ACCESS, cluster=project.cluster, body={}, live=live)
    body: Manifest = dict(change.body or {})
    body["metadata"] = {**body.get("metadata", {}), "annotations": {names.ANNOTATION_CREDENTIALS: text}}
    fields = change.fields if change.action is Action.CREATE else (*change.fields, _FIELD)
    return replace(change, body=body, fields=fields)


def _project_of(secret: ObjectKey, owner: Owner) -> ObjectKey:
    return ObjectKey(secret.cluster, APP_PROJECT, secret.namespace, owner.project)
