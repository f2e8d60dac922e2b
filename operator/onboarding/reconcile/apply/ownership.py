"""Ownership of existing objects: ours, detached from us, or somebody else's; and taking back detached ones.

The annotation on a detached object proves nothing by itself: anybody who may annotate a namespace can write it. On a
namespace it counts if an admission policy lets only the operator write it, and the binding of that policy has been the
same since it was written. On any other object it counts only in a namespace that is ours.
"""

from enum import Enum, auto
from typing import Final

from onboarding import names
from onboarding.build.kinds import (
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    Manifest,
    ObjectKey,
)
from onboarding.build.revision import Owner
from onboarding.reconcile.observed.cached_object import CachedObject, Origin, cached_object_of, key_of, own_label
from onboarding.reconcile.observed.ports import Cluster
from onboarding.reconcile.observed.snapshot import ClusterState

DETACHED_KINDS: Final = (RESOURCE_QUOTA, LIMIT_RANGE, NETWORK_POLICY, ROLE_BINDING)
"""Kinds that are detached in a namespace; all others are deleted."""


class Whose(Enum):
    """The owner of an object, from the point of view of a project."""

    OURS = auto()
    LEFT = auto()
    """Detached from the same environment of the same project."""
    FORMER = auto()
    """Owned by, or detached from, a former ProjectOnboarding of the same name: same installation, other UID."""
    SOMEBODY = auto()


def whose(owner: Owner, environment: str, live: CachedObject) -> Whose:
    """Return the owner of an object that exists under the key of a desired one."""
    if live.owner == owner:
        return Whose.OURS
    if live.origin is not None and _same_place(live.origin, Origin(owner, environment)):
        return Whose.LEFT
    other = live.owner or (live.origin.owner if live.origin else None)
    same_name = other is not None and (other.installation, other.project) == (owner.installation, owner.project)
    return Whose.FORMER if other is not None and same_name and other.uid != owner.uid else Whose.SOMEBODY


def is_watched(owner: Owner, key: ObjectKey, live: CachedObject) -> bool:
    """Return whether we watch an object: every namespace, and all objects with the labels of this installation."""
    return key.kind is NAMESPACE or (live.owner is not None and live.owner.installation == owner.installation)


def is_proven(owner: Owner, environment: str, key: ObjectKey, live: CachedObject, cluster: Cluster) -> bool:
    """Return whether the origin in the annotation of a detached object is proven.

    On a namespace an admission policy proves it, if it names the UID of the present binding: nobody could know that UID
    before, and nobody but the operator could write the annotation afterwards.
    """
    if key.kind is NAMESPACE:
        return cluster.state.guarded and live.origin is not None and _is_marked(live.origin, cluster.state)
    around = cluster.cached(ObjectKey(key.cluster, NAMESPACE, "", key.namespace))
    return around is not None and (around.owner, around.environment) == (owner, environment)


async def take_back(key: ObjectKey, manifest: Manifest, live: CachedObject, cluster: Cluster) -> None:
    """Take back a detached object unchanged; a namespace together with all objects that were detached in it.

    The namespace is patched last: until then, an interrupted run starts again. If the namespace is still ours, because
    its detachment was interrupted, all detached objects of the kind are taken back: those no longer desired are pruned
    later.
    """
    metadata = manifest["metadata"]
    labels = {name: value for name, value in metadata["labels"].items() if own_label(name)}
    labels.pop(names.LABEL_STAGE, None)
    kinds, namespace = (DETACHED_KINDS, key.name) if key.kind is NAMESPACE else ((key.kind,), key.namespace)
    for kind in kinds:
        for item in await cluster.list_in(kind, namespace):
            found = cached_object_of(kind, item)
            detached = _same_place(found.origin, live.origin)
            if found.owner is None and detached and not found.deleting and found.uid != live.uid:
                await cluster.change(key_of(key.cluster, kind, item), _allocation(labels, {}, found), found)
    await cluster.change(key, _allocation(metadata["labels"], metadata.get("annotations", {}), live), live)


def conflict(key: ObjectKey, live: CachedObject) -> str:
    """Return the owner of a conflicting object, and the remedy, which is never to delete a namespace."""
    if live.owner:
        project, uid, installation = live.owner.project, live.owner.uid, live.owner.installation
        told = f"belongs to project {project} (UID {uid}, installation {installation})"
    elif live.origin:
        (installation, project, uid), environment, *_ = live.origin
        told = f"was detached from environment {environment} of project {project} (UID {uid})"
    else:
        told = "carries no label of ours"
    return f"{key} exists and {told}: it is left alone. {_way_out(key)}"


def unproven(key: ObjectKey) -> str:
    """Return the message for a detached namespace whose origin is not proven, with the remedy."""
    return (
        f"{key} is left alone, and nothing is lost: it says that it was detached from this environment, but anybody "
        f"may have written that before the admission policy {names.GUARD_POLICIES[-1]} was installed there as it is "
        "now. An administrator who knows that it is the project's can confirm it: 'The way back' in "
        f"docs/off-boarding.md. {_way_out(key)}"
    )


def restaged(key: ObjectKey, manifest: Manifest, live: CachedObject) -> str:
    """Return why a detached namespace does not come back in another stage; the empty string if it may.

    The stage decides who has which rights: what ran in production would be open to those who have more elsewhere.
    """
    before = live.origin.stage if live.origin else ""
    after = manifest["metadata"]["labels"].get(names.LABEL_STAGE, "")
    if before in ("", after):
        return ""
    return (
        f"{key} is left alone, and nothing is lost: it was detached from this environment as stage {before!r}, and "
        f"would come back as {after!r}. Remove the environment and declare it with stage {before!r}. {_way_out(key)}"
    )


def former(key: ObjectKey, live: CachedObject) -> str:
    """Return the message for an object of a former ProjectOnboarding of the same name: nothing is lost."""
    if live.owner:
        told = f"belongs to a former ProjectOnboarding of this name (UID {live.owner.uid})"
        way_out = (
            "An administrator can give it to this one: 'A former object of the same name' in docs/troubleshooting.md"
        )
    else:
        uid = live.origin.owner.uid if live.origin else ""
        told = f"was detached from a former ProjectOnboarding of this name (UID {uid})"
        way_out = _way_out(key)
    return f"{key} {told}: nothing is lost, and nothing of it is changed. {way_out}"


def _is_marked(origin: Origin, state: ClusterState) -> bool:
    """Return whether the annotation of a namespace names a binding that has guarded it since it was written.

    The former binding proves only the former annotation: its UID was known before a policy guarded the present one.
    """
    former = origin.former and origin.mark == state.former_detach_mark
    return origin.mark != "" and (former or origin.mark == state.detach_mark)


def _same_place(one: Origin | None, other: Origin | None) -> bool:
    """Return whether two objects were detached from the same environment, proven or not."""
    return one is not None and other is not None and one[:2] == other[:2]


def _way_out(key: ObjectKey) -> str:
    if key.kind is NAMESPACE:
        return (
            "Give the environment another name, or another namespace (its field namespace) where the policy allows that"
        )
    return "Have its owner give it another name"


def _allocation(labels: dict[str, str], annotations: dict[str, str], live: CachedObject) -> Manifest:
    """Return the patch that makes an object ours, if its resource version has not changed."""
    return {
        "metadata": {
            "labels": labels,
            "annotations": {**annotations, names.ANNOTATION_DETACHED: None, names.ANNOTATION_RELEASED: None},
            "resourceVersion": str(live.version),
        }
    }
