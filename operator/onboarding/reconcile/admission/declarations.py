"""The declared environments of a project, each with what is admitted of it and of its neighbours; pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from onboarding.build.naming import namespace_of
from onboarding.build.place import cluster_of
from onboarding.checks.inputs import EnvironmentDeclaration, Former, ProjectDeclaration
from onboarding.reconcile.admission.application_names import AdmittedRevisions

_Namespace = tuple[str, str]
"""A cluster, and the name of a namespace there."""


def declarations(project: ProjectDeclaration, admitted: AdmittedRevisions) -> Iterator[EnvironmentDeclaration]:
    """Yield the declared environments in the order of the spec.

    Each has what it has been admitted as, and the environment that has its namespace.
    """
    former: dict[str, list[Former]] = {}
    for old in admitted.values():
        if old is not None:
            there = Former(old.target, old.namespace, old.stage, old.site, old.labels)
            former.setdefault(old.environment, []).append(there)
    names = {item.name: namespace_of(project.name, item) for item in project.spec.environments}
    holders = _holders(project, names, admitted)
    for environment in project.spec.environments:
        name, namespace = environment.name, names[environment.name]
        declared = EnvironmentDeclaration(project, environment, namespace, tuple(former.get(name, ())))
        others = (holders.get(place, name) for place in _places(declared)) if holders else ()
        yield replace(declared, before=next((other for other in others if other != name), ""))


def _holders(project: ProjectDeclaration, names: dict[str, str], admitted: AdmittedRevisions) -> dict[_Namespace, str]:
    """Return the environment that has each namespace that several want: the admitted one, else the first of the spec.

    It is empty for a project in which no two environments share a name of a namespace.
    """
    there = {(old.cluster, old.namespace): old.environment for old in filter(None, admitted.values())}
    wanted = Counter(names.values())
    # An environment that is admitted in a namespace of another name is a rival, too; also one that is not declared now.
    wanted.update(name for (_, name), environment in there.items() if names.get(environment) != name)
    if max(wanted.values(), default=0) < 2:
        return {}
    holders = dict(there)
    for environment in project.spec.environments:
        for place in _places(EnvironmentDeclaration(project, environment, names[environment.name])):
            holders.setdefault(place, environment.name)
    return holders


def _places(declared: EnvironmentDeclaration) -> Iterator[_Namespace]:
    return ((cluster_of(site), declared.namespace) for site in declared.sites)
