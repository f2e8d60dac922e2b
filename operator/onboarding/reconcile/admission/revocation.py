"""Revoke: an admitted revision, less everything that the spec no longer declares; pure.

A name that is gone revokes. Of something that is only changed, what both the former and the new declaration allow
stays, and what is new waits for the next candidate that is accepted.
"""

from collections.abc import Iterable
from typing import Any

from onboarding.api.delivery import Repository
from onboarding.api.identity import bare_group
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.api.team import Groups
from onboarding.build.revision import Binding, Revision
from onboarding.checks.sources import may_be_named
from onboarding.reconcile.admission.flows import declared_flows, in_common
from onboarding.reconcile.admission.windows import frozen


def revoke(
    revision: Revision, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec | None, project: str = ""
) -> Revision:
    """Return an admitted revision without the groups, repositories and flows that the spec no longer names.

    Freeze windows of the platform for its stage are added, too. A revocation is never held: it applies to held
    environments as well. If nothing changes, the same object is returned.
    """
    left = {
        "bindings": _still_named(revision, spec, policy) if revision.bindings else (),
        **_still_declared(revision, spec, policy, project),
        "windows": frozen(revision, policy) if policy else revision.windows,
        "flows": tuple(in_common(revision.flows, declared_flows(spec, revision.environment))) if revision.flows else (),
    }
    same = all(getattr(revision, name) == value for name, value in left.items())
    return revision if same else revision.with_values(**left)


def _still_declared(
    revision: Revision, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec | None, project: str
) -> dict[str, Any]:
    """Return the repositories of an admitted revision that the spec still names, as values for the revision.

    One that is changed, also to another URL, stays as it was admitted until the changed one is admitted; the former URL
    goes at once if the policy no longer lets the project name it. A repository is dropped together with the repository
    of its value files, because it cannot be deployed without them.
    """
    declared = {repository.name: repository.url for repository in spec.repositories}

    def stays(item: Repository) -> bool:
        if declared.get(item.name) in (None, item.url):
            return item.name in declared
        return policy is None or may_be_named(policy, project, item.url)

    values = {item.name for item in revision.value_repositories if stays(item)}
    kept = tuple(
        repository
        for repository in revision.repositories
        if stays(repository) and (not repository.values_from or repository.values_from in values)
    )
    needed = {repository.values_from for repository in kept}
    return {
        "repositories": kept,
        "application_names": _names_of(revision, kept),
        "value_repositories": tuple(item for item in revision.value_repositories if item.name in needed),
    }


def _names_of(revision: Revision, kept: Iterable[Repository]) -> dict[str, str]:
    names = revision.application_names
    return {repository.name: names[repository.name] for repository in kept if repository.name in names}


def _still_named(
    revision: Revision, spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec | None
) -> tuple[Binding, ...]:
    """Return the bindings of an admitted revision with the groups that the spec still names for its environment.

    A group that is named with a prefix of the identity provider instead of without it, or without, is still named.
    """
    identity = policy.identity if policy else None
    prefixes = (*revision.group_prefixes, (identity.group_prefix if identity else None) or "")
    declared = next((item for item in spec.environments if item.name == revision.environment), None)
    named = spec.groups_in(declared) if declared else spec.team.groups
    left = (_left(binding, named.get(binding.persona, ()), declared, prefixes) for binding in revision.bindings)
    return tuple(binding for binding in left if binding.groups)


def _left(binding: Binding, named: Groups, declared: Environment | None, prefixes: Iterable[str]) -> Binding:
    """Return a binding with the groups that are still named; if its environment is gone, its own groups stay."""
    if declared is None and binding.own:
        return binding
    bare = {bare_group(group, prefixes) for group in named}
    groups = tuple(group for group in binding.groups if bare_group(group, prefixes) in bare)
    own = declared is not None and binding.persona in declared.groups
    return binding.model_copy(update={"groups": groups, "own": own})
