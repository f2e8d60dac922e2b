"""Names of the Applications of a project: no two share one, and what is admitted keeps its own; pure.

``<project>-<environment>-<repository>`` is ambiguous: environment ``a`` with repository ``b-c`` joins to the same text
as ``a-b`` with ``c``. The one that is admitted later, or else stands later in the spec, gets a name with a hash. A name
that is admitted never changes, because a renamed Application is one that is deleted and one that is made.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from onboarding.build.kinds import APPLICATION, ObjectKey
from onboarding.build.naming import application_name, hashed_application_names, joined_application_name
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.reconcile.observed.cached_object import CachedObject

AdmittedRevisions = Mapping[Place, Revision | None]
"""The admitted revisions of a project; None for one that cannot be read."""
Live = Mapping[ObjectKey, CachedObject]
_NOTHING: Live = MappingProxyType({})


class _User(NamedTuple):
    """What has an Application: a repository of an environment on one cluster, in one Argo CD."""

    place: Place
    repository: str
    argo_cluster: str
    argo_namespace: str

    @classmethod
    def of(cls, revision: Revision, repository: str) -> "_User":
        place = Place(revision.environment, revision.cluster)
        return cls(place, repository, revision.argo_cluster, revision.argocd.namespace)

    def key(self, name: str) -> ObjectKey:
        """Return the key of its Application under a name."""
        return ObjectKey(self.argo_cluster, APPLICATION, self.argo_namespace, name)


class ApplicationNames:
    """The names that are taken in a project, by admitted and by live Applications and by earlier candidates."""

    def __init__(
        self, project: str, admitted: AdmittedRevisions, live: Live = _NOTHING, losing: frozenset[_User] = frozenset()
    ) -> None:
        """Take the names of the admitted revisions, but for those that lose theirs to another one."""
        self._project = project
        self._live = live
        self._former: dict[tuple[Place, str], str] = {}
        self._names: dict[_User, str] = {}
        self._users: dict[ObjectKey, _User] = {}
        for revision in filter(None, admitted.values()):
            for repository in revision.repositories:
                user = _User.of(revision, repository.name)
                if user not in losing:
                    name = application_name(project, revision, repository.name)
                    self._former[user.place, user.repository] = name
                    self._take(user, name)

    def give(self, revision: Revision) -> Revision:
        """Return a revision in which every repository has its name; the same object if all have theirs."""
        names = {
            repository.name: name
            for repository in revision.repositories
            if (name := self._name(revision, repository.name)) != self._joined(revision, repository.name)
        }
        return revision if names == revision.application_names else revision.with_values(application_names=names)

    def _name(self, revision: Revision, repository: str) -> str:
        user = _User.of(revision, repository)
        if user not in self._names:
            names = self._choices(revision, user)
            self._take(user, next(name for name in names if self._users.get(user.key(name), user) == user))
        return self._names[user]

    def _choices(self, revision: Revision, user: _User) -> Iterator[str]:
        """Yield the names that a repository may have, the best first."""
        if former := self._former.get((user.place, user.repository)):
            yield former
        hashed = hashed_application_names(self._project, revision, user.repository)
        if (first := next(hashed)) and self._lives(user, first) is True:
            yield first
        if self._lives(user, joined := self._joined(revision, user.repository)) is not False:
            yield joined
        yield first
        yield from hashed

    def _lives(self, user: _User, name: str) -> bool | None:
        """Return whether a live Application of a name is one of the environment; None if there is none."""
        item = self._live.get(user.key(name))
        return None if item is None else item.environment == user.place.environment

    def _joined(self, revision: Revision, repository: str) -> str:
        return joined_application_name(self._project, revision, repository)

    def _take(self, user: _User, name: str) -> None:
        self._names[user] = name
        self._users[user.key(name)] = user


def tell_apart(project: str, admitted: AdmittedRevisions, live: Live, declared: Iterable[str]) -> AdmittedRevisions:
    """Return the admitted revisions with one name for each Application.

    Two have one only if a former version admitted them. The environment that the live Application belongs to keeps it,
    else the one that stands first in the spec.
    """
    users: dict[ObjectKey, list[_User]] = {}
    for revision in filter(None, admitted.values()):
        for repository in revision.repositories:
            user = _User.of(revision, repository.name)
            users.setdefault(user.key(application_name(project, revision, repository.name)), []).append(user)
    order = {name: index for index, name in enumerate(declared)}

    def rank(key: ObjectKey, user: _User) -> tuple[bool, int, _User]:
        item, environment = live.get(key), user.place.environment
        return item is None or item.environment != environment, order.get(environment, len(order)), user

    shared = {key: sorted(found, key=partial(rank, key)) for key, found in users.items() if len(found) > 1}
    if not shared:
        return admitted
    losing = frozenset(user for found in shared.values() for user in found[1:])
    names = ApplicationNames(project, admitted, live, losing)
    return {place: names.give(revision) if revision else None for place, revision in admitted.items()}
