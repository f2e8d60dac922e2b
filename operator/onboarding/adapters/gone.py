"""Last admitted revisions of namespaces that somebody else deleted, as long as the environment is to be rebuilt."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.cached_object import CachedObject

_NONE: Mapping[ObjectKey, GoneNamespace] = MappingProxyType({})


class GoneNamespaces:
    """Namespaces of this installation that went without the operator: not deleted and not detached by it.

    A namespace that is known only since its deletion began is not among them: the operator may have deleted it before a
    restart.
    """

    def __init__(self, installation: str) -> None:
        self._installation = installation
        self._gone: dict[str, dict[ObjectKey, GoneNamespace]] = {}
        self._deleted: set[str] = set()
        """UIDs of the namespaces that the operator deletes."""

    def of(self, project: str) -> Mapping[ObjectKey, GoneNamespace]:
        """Return the namespaces that a project has lost."""
        return self._gone.get(project, _NONE)

    def forget(self, project: str, keys: Iterable[ObjectKey]) -> None:
        """Forget namespaces of a project."""
        for key in tuple(keys):
            self._forget(project, key)

    def begin_delete(self, key: ObjectKey, uid: str) -> None:
        """Expect the end of an object that the operator deletes."""
        if key.kind is NAMESPACE:
            self._deleted.add(uid)

    def end_delete(self, uid: str) -> None:
        """Expect it no longer: the object is gone, or the server has refused its deletion."""
        self._deleted.discard(uid)

    def on_update(self, key: ObjectKey, known: CachedObject | None, live: CachedObject) -> None:
        """Take in a namespace that is there: rebuilt, being deleted, or without our labels."""
        if known is not None and known.owner and known.uid == live.uid and known.owner != live.owner:
            # Detached, or somebody took our labels off: it is nobody's or another's from then on, also once it is gone.
            self._forget(known.owner.project, key)
        if live.owner is None:
            return
        if not live.deleting:
            self._forget(live.owner.project, key)
        elif known is not None and known.uid == live.uid:
            self._remember(key, known)

    def on_delete(self, key: ObjectKey, known: CachedObject) -> None:
        """Take in that a namespace is not there any more."""
        self._remember(key, known)
        self._deleted.discard(known.uid)

    def _remember(self, key: ObjectKey, known: CachedObject) -> None:
        ours = known.owner is not None and known.owner.installation == self._installation
        if known.owner is None or not ours or known.deleting or known.uid in self._deleted:
            return
        if revision := known.admitted.revision:
            gone = GoneNamespace(known.owner, known.environment, revision)
            self._gone.setdefault(known.owner.project, {})[key] = gone

    def _forget(self, project: str, key: ObjectKey) -> None:
        gone = self._gone.get(project, {})
        gone.pop(key, None)
        if not gone:
            self._gone.pop(project, None)
