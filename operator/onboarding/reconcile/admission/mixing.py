"""Mix two revisions of an environment: the values that are held stay as admitted, the others are new; pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from onboarding.api.delivery import Repository
from onboarding.api.gates import Coverage
from onboarding.build.revision import Binding, Revision

_BUILT: Final[Mapping[str, str]] = {
    "environments.size": "resources",
    "environments.resources": "resources",
    "environments.labels": "labels",
    "environments.domains": "domains",
    "environments.autoSync": "auto_sync",
    "environments.releaseWindows": "windows",
    "flows": "flows",
}
"""The field of a revision that each declared field becomes; groups and repositories are put together one by one."""
_OF_REPOSITORY: Final = ("url", "credentials", "revision", "path", "chart", "helm", "recurse")
_OF_VALUES: Final = ("url", "credentials", "revision")


class Held(NamedTuple):
    """The declared fields that keep their admitted values."""

    groups: frozenset[Coverage]
    paths: frozenset[str]
    """The paths of these groups at the gate of the environment."""
    deciding: frozenset[str]
    """The deciding personas: their groups belong to Admission, those of all others to Configuration."""

    def keeps(self, path: str) -> bool:
        """Return whether a field, or a part of it, keeps its admitted value."""
        return any(one == path or one.startswith(f"{path}.") for one in self.paths)


def mix(new: Revision, old: Revision, held: Held) -> Revision:
    """Return a revision with the values of an admitted one in the fields that are held."""
    kept = {field for path, field in _BUILT.items() if held.keeps(path)}
    values: dict[str, Any] = {field: getattr(old, field) for field in kept}
    values["bindings"] = _bindings(new, old, held)
    fields = {path.partition(".")[2] for path in held.paths if path.startswith("repositories.")}
    if fields:
        values.update(_repositories(new, old, fields))
    return new.with_values(**values)


def whole(mixed: Revision, new: Revision, old: Revision) -> Revision:
    """Return a mixed revision whose repositories can be deployed: one whose parts do not fit stays as admitted.

    It is a chart now, or no longer, or has its value files in a repository that waits.
    """
    admitted = {item.name: item for item in old.repositories}
    parted = _without_values(mixed) | _of_another_kind(new, admitted)
    if not parted & admitted.keys():
        return mixed
    repositories = tuple(admitted.get(item.name, item) if item.name in parted else item for item in mixed.repositories)
    known = {item.name: item for item in (*old.value_repositories, *mixed.value_repositories)}
    needed = sorted({item.values_from for item in repositories} & known.keys())
    return mixed.with_values(repositories=repositories, value_repositories=tuple(known[name] for name in needed))


def _without_values(revision: Revision) -> set[str]:
    """Return the repositories whose value files are in a repository that is not there."""
    there = {"", *(item.name for item in revision.value_repositories)}
    return {item.name for item in revision.repositories if item.values_from not in there}


def _of_another_kind(new: Revision, admitted: Mapping[str, Repository]) -> set[str]:
    """Return the repositories that are charts now, or no longer."""
    there = (item for item in new.repositories if item.name in admitted)
    return {item.name for item in there if (item.chart is None) is not (admitted[item.name].chart is None)}


def _bindings(new: Revision, old: Revision, held: Held) -> tuple[Binding, ...]:
    """Return the bindings: of a persona that is held the admitted groups, with the rights that the policy gives now."""

    def is_held(binding: Binding) -> bool:
        group = Coverage.ADMISSION if binding.persona in held.deciding else Coverage.CONFIGURATION
        return group in held.groups or (held.keeps("team.groups") and group is not Coverage.ADMISSION)

    rights = {item.persona: {"cluster_role": item.cluster_role, "argocd": item.argocd} for item in new.bindings}
    admitted = (item for item in old.bindings if is_held(item) and item.persona in rights)
    kept = {item.persona: item.model_copy(update=rights[item.persona]) for item in admitted}
    fresh = {item.persona: item for item in new.bindings if not is_held(item)}
    order = dict.fromkeys(item.persona for item in (*new.bindings, *old.bindings))
    return tuple(found for name in order if (found := kept.get(name) or fresh.get(name)))


def _repositories(new: Revision, old: Revision, kept: set[str]) -> dict[str, Any]:
    """Return the repositories with the admitted values of these fields: a new one waits with each of them.

    If names are kept, one that is only no longer deployed stays, too.
    """
    admitted = {item.name: item for item in old.repositories}
    fresh = {item.name: item for item in new.repositories}
    values = {item.name: item for item in old.value_repositories}
    names = sorted(admitted if "name" in kept else admitted.keys() & fresh.keys())
    mixed = tuple(_mixed(fresh.get(name), admitted[name], kept & {*_OF_REPOSITORY}) for name in names)
    now = {item.name: item for item in new.value_repositories}
    needed = sorted({item.values_from for item in mixed} & values.keys())
    return {
        "repositories": mixed,
        "value_repositories": tuple(_mixed(now.get(name), values[name], kept & {*_OF_VALUES}) for name in needed),
    }


def _mixed(new: Repository | None, old: Repository, kept: Iterable[str]) -> Repository:
    return new.model_copy(update={field: getattr(old, field) for field in kept}) if new else old
