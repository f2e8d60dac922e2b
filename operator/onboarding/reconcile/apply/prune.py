"""Prune objects that no revision builds, and detach or delete the environments that are removed; pure.

Applications are deleted first; while one of them exists, no other object of its environment is removed. Then the
deletion policy decides: namespaces are detached (our labels are removed, workloads stay) or deleted.
"""

from collections.abc import Container, Iterable, Mapping

import orjson

from onboarding import names
from onboarding.api.policy import Access
from onboarding.build.appproject import InUse
from onboarding.build.argocd_roles import whole_policies
from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    NAMESPACE,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    Manifest,
    ObjectKey,
)
from onboarding.build.naming import SYNC_BINDING
from onboarding.build.permitted import GroupKind
from onboarding.build.place import Place
from onboarding.reconcile.apply.diff import Action, Change, Rank
from onboarding.reconcile.observed.cached_object import CachedObject, own_label
from onboarding.reconcile.observed.project_sites import hidden_from_teardown
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan


def in_use(live: Mapping[ObjectKey, CachedObject]) -> dict[ObjectKey, InUse]:
    """Return the repositories and destination in use by each live Application of the project."""
    specs = {
        (key.cluster, key.namespace): orjson.loads(item.content).get("spec", {})
        for key, item in live.items()
        if key.kind is APP_PROJECT
    }
    projects = {place: (_permitted(spec), whole_policies(spec)) for place, spec in specs.items()}
    found = {}
    for key, item in live.items():
        if key.kind is APPLICATION:
            spec = orjson.loads(item.content).get("spec", {})
            destination = spec.get("destination", {})
            server, namespace = destination.get("server", ""), destination.get("namespace", "")
            repositories = _repositories(spec)
            if repositories and server and namespace:
                kinds, policies = projects.get((key.cluster, key.namespace), ((), frozenset()))
                found[key] = InUse(repositories, server, namespace, kinds, policies)
    return found


def prune(
    snapshot: Snapshot, plan: ReconcilePlan, unwanted: Iterable[ObjectKey], *, to_the_end: bool = False
) -> list[Change]:
    """Return the removals of objects that no revision builds: those of this reconcile, or all of them.

    An object is pruned only if all desired objects of its environment are known; if in doubt, it stays.
    """
    going = {key: snapshot.live[key] for key in unwanted}
    busy = {item.environment for key, item in going.items() if key.kind is APPLICATION}
    found = (
        _change_or_mark(snapshot, plan, key, item, None if to_the_end else busy)
        for key, item in going.items()
        if not item.deleting
    )
    # The cache is unordered, and equal plans must have equal previews after a restart.
    return sorted((change for change in found if change), key=lambda change: (change.rank, str(change.key)))


def _change_or_mark(
    snapshot: Snapshot, plan: ReconcilePlan, key: ObjectKey, item: CachedObject, busy: Container[str] | None
) -> Change | None:
    """Return the removal of one object, or its mark while the removal is paused; ``busy`` is None for the end of all.

    Else ``busy`` are the environments with Applications to delete first.
    """
    if busy is not None and plan.paused(item.environment):
        return _mark(plan, key, item)
    return _change(snapshot, plan, key, item, busy or ())


def _mark(plan: ReconcilePlan, key: ObjectKey, item: CachedObject) -> Change | None:
    """Return the change that marks a namespace whose removal is confirmed; None if it is not to be marked."""
    if not (mark := plan.mark(item.environment, key)):
        return None
    body = {"metadata": {"annotations": {names.ANNOTATION_CONFIRMED: mark}}}
    fields = (f"metadata.annotations.{names.ANNOTATION_CONFIRMED}",)
    return Change(Action.CHANGE, key, Rank.NAMESPACES, item.environment, key.cluster, body, item, fields)


def _change(
    snapshot: Snapshot, plan: ReconcilePlan, key: ObjectKey, item: CachedObject, busy: Container[str]
) -> Change | None:
    """Return the removal of one object; None while it has to stay.

    ``busy`` are the environments with Applications to delete first.
    """
    place = Place(item.environment, key.cluster)
    if key.kind is APP_PROJECT:
        return None if hidden_from_teardown(snapshot) else _delete(key, item)
    if key.kind is APPLICATION:
        return _application(snapshot, plan, key, item)
    if item.environment in plan.removing or place in plan.leaving:
        return None if item.environment in busy else _part(snapshot, plan, key, item)
    return _delete(key, item) if place in plan.places else None


def _repositories(spec: Manifest) -> tuple[str, ...]:
    """Return the repositories of an Application; Argo CD reads ``source`` only if ``sources`` is empty."""
    sources = spec.get("sources") or [spec.get("source", {})]
    return tuple(source["repoURL"] for source in sources if source.get("repoURL"))


def _permitted(spec: Manifest) -> tuple[GroupKind, ...]:
    """Return the kinds that an AppProject permits."""
    return tuple((item["group"], item["kind"]) for item in spec.get("namespaceResourceWhitelist") or ())


def _application(snapshot: Snapshot, plan: ReconcilePlan, key: ObjectKey, item: CachedObject) -> Change | None:
    """Return the deletion of an Application that its environment no longer has; it cascades only if confirmed.

    A held environment of which a revision cannot be read or is missing has no full list of Applications: one is deleted
    only if the spec no longer declares its repository.
    """
    building = {revision.environment for revision in plan.building} - plan.incomplete
    spec = snapshot.project.spec
    if item.environment not in plan.removing | building:
        used = _repositories(orjson.loads(item.content).get("spec", {}))
        if spec is None or {*used} <= {repository.url for repository in spec.repositories}:
            return None
    cascade = plan.deletes(item.environment)
    return Change(Action.DELETE, key, Rank.REMOVALS, item.environment, key.cluster, None, item, cascade=cascade)


def _part(snapshot: Snapshot, plan: ReconcilePlan, key: ObjectKey, item: CachedObject) -> Change | None:
    """Return the removal of one object of a removed environment; None if it is deleted with its namespace."""
    if key.kind is SERVICE_ACCOUNT:
        return _delete(key, item)
    if plan.deletes(item.environment):
        if key.kind is NAMESPACE:
            return _delete(key, item, Rank.LAST)
        if ObjectKey(key.cluster, NAMESPACE, "", key.namespace) in snapshot.live:
            return None
    if key.kind is ROLE_BINDING and (_revoked(snapshot) or key.name == SYNC_BINDING):
        return _delete(key, item)
    rank = Rank.LAST if key.kind is NAMESPACE else Rank.DETACHMENTS
    return Change(Action.DETACH, key, rank, item.environment, key.cluster, _detachment(snapshot, key, item), item)


def _revoked(snapshot: Snapshot) -> bool:
    return snapshot.policy is not None and snapshot.policy.access_to_detached is Access.REVOKE


def _delete(key: ObjectKey, item: CachedObject, rank: Rank = Rank.REMOVALS) -> Change:
    return Change(Action.DELETE, key, rank, item.environment, key.cluster, None, item)


def _detachment(snapshot: Snapshot, key: ObjectKey, item: CachedObject) -> Manifest:
    """Return the patch that removes our labels and records the origin in an annotation."""
    labels = orjson.loads(item.content)["metadata"]["labels"]
    origin = {
        "project": snapshot.project.name,
        "uid": snapshot.project.uid,
        "environment": item.environment,
        "installation": snapshot.installation,
        "at": snapshot.now.isoformat(timespec="seconds"),
    }
    if key.kind is NAMESPACE:
        origin["guard"] = snapshot.detach_mark(key.cluster)
        origin["stage"] = labels.get(names.LABEL_STAGE, "")
    annotations: dict[str, str | None] = {names.ANNOTATION_DETACHED: orjson.dumps(origin).decode()}
    if key.kind is NAMESPACE:
        annotations[names.ANNOTATION_ADMITTED] = None
        if item.confirmed:
            annotations[names.ANNOTATION_CONFIRMED] = None
    return {"metadata": {"labels": {label: None for label in labels if own_label(label)}, "annotations": annotations}}
