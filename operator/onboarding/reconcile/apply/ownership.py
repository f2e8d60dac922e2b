"""Whose an object at a wanted place is, what is said of it, and how what was released from us is taken back.

That an object says where it was released from proves nothing by itself: anybody who may annotate a namespace can write
it. It counts on a namespace where an admission policy lets nobody but the operator write it and the binding of that
policy is the one of when it was written, and on anything else only in a namespace that is ours.
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

_RELEASED_KINDS: Final = (RESOURCE_QUOTA, LIMIT_RANGE, NETWORK_POLICY, ROLE_BINDING)
"""What is released in a namespace; all else is deleted."""


class Whose(Enum):
    """To whom an object belongs, as this project sees it."""

    OURS = auto()
    LEFT = auto()
    """It was released from the very environment that wants it again."""
    FORMER = auto()
    """It is, or was released from, a former object of the project's name: same installation, another UID."""
    SOMEBODY = auto()


def whose(owner: Owner, environment: str, live: CachedObject) -> Whose:
    """Return to whom an object belongs that stands at a place which an environment of the owner wants."""
    if live.owner == owner:
        return Whose.OURS
    if live.origin is not None and _same_place(live.origin, Origin(owner, environment)):
        return Whose.LEFT
    other = live.owner or (live.origin.owner if live.origin else None)
    same_name = other is not None and (other.installation, other.project) == (owner.installation, owner.project)
    return Whose.FORMER if other is not None and same_name and other.uid != owner.uid else Whose.SOMEBODY


def is_watched(owner: Owner, key: ObjectKey, live: CachedObject) -> bool:
    """Return whether our watches tell of an object: of every namespace, and of what this installation labelled."""
    return key.kind is NAMESPACE or (live.owner is not None and live.owner.installation == owner.installation)


def is_proven(owner: Owner, environment: str, key: ObjectKey, live: CachedObject, cluster: Cluster) -> bool:
    """Return whether it is proven that an object was released from where it says.

    Of a namespace an admission policy proves it, if it was written under the binding that there is now: the UID of that
    could not be known before, and nobody else could write it afterwards.
    """
    if key.kind is NAMESPACE:
        state, mark = cluster.state, live.origin.mark if live.origin else ""
        return state.guarded and mark != "" and mark == state.release_mark
    around = cluster.cached(ObjectKey(key.cluster, NAMESPACE, "", key.namespace))
    return around is not None and (around.owner, around.environment) == (owner, environment)


async def take_back(key: ObjectKey, manifest: Manifest, live: CachedObject, cluster: Cluster) -> None:
    """Make an object ours again that was released from us, as it is; a namespace with all that was released in it.

    The namespace comes last: while it is not ours, whatever interrupts this is begun anew. In a namespace that is ours,
    because its release did not come to its end, all of the kind comes back: what is not wanted any more is pruned then.
    """
    metadata = manifest["metadata"]
    labels = {name: value for name, value in metadata["labels"].items() if own_label(name)}
    labels.pop(names.LABEL_STAGE, None)
    kinds, namespace = (_RELEASED_KINDS, key.name) if key.kind is NAMESPACE else ((key.kind,), key.namespace)
    for kind in kinds:
        for item in await cluster.list_in(kind, namespace):
            found = cached_object_of(kind, item)
            released = _same_place(found.origin, live.origin)
            if found.owner is None and released and not found.deleting and found.uid != live.uid:
                await cluster.change(key_of(key.cluster, kind, item), _allocation(labels, {}, found), found)
    await cluster.change(key, _allocation(metadata["labels"], metadata.get("annotations", {}), live), live)


def conflict(key: ObjectKey, live: CachedObject) -> str:
    """Return whose object stands at a place that we want, and what can be done; never that a namespace be removed."""
    if live.owner:
        project, uid, installation = live.owner.project, live.owner.uid, live.owner.installation
        told = f"belongs to project {project} (UID {uid}, installation {installation})"
    elif live.origin:
        (installation, project, uid), environment, _ = live.origin
        told = f"was released from environment {environment} of project {project} (UID {uid})"
    else:
        told = "carries no label of ours"
    return f"{key} exists and {told}: it is left alone. {_way_out(key)}"


def unproven(key: ObjectKey) -> str:
    """Return what is said of a namespace that says that it is ours and does not prove it, and what can be done."""
    return (
        f"{key} is left alone, and nothing is lost: it says that it was released from this environment, but anybody "
        f"may have written that before the admission policy {names.GUARD_POLICIES[-1]} was installed there as it is "
        "now. An administrator who knows that it is the project's can confirm it: 'The way back' in "
        f"docs/off-boarding.md. {_way_out(key)}"
    )


def former(key: ObjectKey, live: CachedObject) -> str:
    """Return what is said of an object of a former incarnation of the project: nothing is lost."""
    if live.owner:
        told = f"belongs to a former ProjectOnboarding of this name (UID {live.owner.uid})"
        way_out = (
            "An administrator can give it to this one: 'A former object of the same name' in docs/troubleshooting.md"
        )
    else:
        uid = live.origin.owner.uid if live.origin else ""
        told = f"was released from a former ProjectOnboarding of this name (UID {uid})"
        way_out = _way_out(key)
    return f"{key} {told}: nothing is lost, and nothing of it is changed. {way_out}"


def _same_place(one: Origin | None, other: Origin | None) -> bool:
    """Return whether two objects were released from the same environment, whatever proves it."""
    return one is not None and other is not None and one._replace(mark=other.mark) == other


def _way_out(key: ObjectKey) -> str:
    if key.kind is NAMESPACE:
        return (
            "Give the environment another name, or another namespace (its field namespace) where the policy allows that"
        )
    return "Have its owner give it another name"


def _allocation(labels: dict[str, str], annotations: dict[str, str], live: CachedObject) -> Manifest:
    """Return the patch that makes an object ours, if it is still the one that was looked at."""
    return {
        "metadata": {
            "labels": labels,
            "annotations": {**annotations, names.ANNOTATION_RELEASED: None},
            "resourceVersion": str(live.version),
        }
    }
