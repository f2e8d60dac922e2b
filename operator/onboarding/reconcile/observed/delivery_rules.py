"""What a policy's rules for Argo CD have to keep to: windows, kinds, prefixes of repositories, logins; pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from onboarding.api.delivery import CredentialKind, ResourceKind
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.text import choose
from onboarding.build.permitted import ACCESS_KINDS, GUARD_KINDS, kind_problem
from onboarding.checks.windows import window_problem
from onboarding.reconcile.observed.validity import Problem, repeated

_DELIVERY: Final = "spec.delivery"
_PREFIX: Final = re.compile(
    r"(https?://|ssh://git@)[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?|git@[A-Za-z0-9.-]+:[A-Za-z0-9._~/-]*"
)


def delivery_problems(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Return everything that is wrong with the rules for Argo CD, in the order of their fields."""
    yield from _prefixes(f"{_DELIVERY}.repositoryPrefixes", policy.delivery.repository_prefixes)
    yield from _kinds(policy)
    yield from _windows(policy)
    yield from _credentials(policy)


def _prefixes(field: str, prefixes: Iterable[str]) -> Iterator[Problem]:
    for index, prefix in enumerate(prefixes):
        if not _PREFIX.fullmatch(prefix) or ".." in prefix:
            yield Problem(
                f"{field}[{index}]",
                f"{prefix!r} is not the beginning of a repository's URL",
                "write a whole host, and folders up to a slash, such as https://git.example.org/team/",
            )


def _kinds(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    delivery = policy.delivery
    for name, kinds in (("allowedKinds", delivery.allowed_kinds), ("additionalKinds", delivery.additional_kinds)):
        for index, item in enumerate(kinds):
            if problem := _kind(item, impersonation=delivery.impersonation):
                yield Problem(f"{_DELIVERY}.{name}[{index}]", problem, "leave it out")


def _kind(item: ResourceKind, *, impersonation: bool) -> str:
    """Return why projects may not sync a kind; the empty string where they may."""
    kind = (item.group, item.kind)
    if kind in GUARD_KINDS or item.kind.endswith("NetworkPolicy"):
        return f"with {item.kind} projects would rewrite their own guard rails"
    if kind in ACCESS_KINDS and not impersonation:
        return f"without impersonation projects would give away the rights of Argo CD with {item.kind}"
    return kind_problem(*kind)


def _windows(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    field, stages = f"{_DELIVERY}.windows", [stage.name for stage in policy.stages]
    yield from repeated(field, "name", (window.name for window in policy.delivery.windows))
    for index, window in enumerate(policy.delivery.windows):
        if problem := window_problem(window):
            yield Problem(f"{field}[{index}]", problem, "")
        for stage in window.stages:
            if stage not in stages:
                yield Problem(f"{field}[{index}].stages", f"there is no stage {stage}", choose(stages))


def _credentials(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    field = f"{_DELIVERY}.credentials"
    yield from repeated(field, "name", (login.name for login in policy.delivery.credentials))
    for index, login in enumerate(policy.delivery.credentials):
        where = f"{field}[{index}].prefixes"
        yield from _prefixes(where, login.prefixes)
        for number, prefix in enumerate(login.prefixes):
            if prefix.startswith("http") != (login.kind is CredentialKind.HTTPS):
                problem = f"{prefix!r} is never reached with a login of kind {login.kind.value}"
                yield Problem(f"{where}[{number}]", problem, "write prefixes of the kind, or change the kind")
