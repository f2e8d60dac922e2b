"""Rules for spec.delivery of policies: sync windows, kinds, repository prefixes, credentials; pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from onboarding.api.delivery import CredentialKind, ResourceKind
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.text import choose
from onboarding.api.urls import UrlError, address_of, scheme_of
from onboarding.build.permitted import ACCESS_KINDS, GUARD_KINDS, kind_problem
from onboarding.checks.windows import window_problem
from onboarding.reconcile.observed.validity import Problem, repeated

_DELIVERY: Final = "spec.delivery"
_SSH_USER: Final = "git"


def delivery_problems(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    """Yield the problems of spec.delivery, in the order of its fields."""
    yield from _prefixes(f"{_DELIVERY}.repositoryPrefixes", policy.delivery.repository_prefixes)
    yield from _kinds(policy)
    yield from _windows(policy)
    yield from _credentials(policy)


def _prefixes(field: str, prefixes: Iterable[str]) -> Iterator[Problem]:
    for index, prefix in enumerate(prefixes):
        if problem := _prefix_problem(prefix):
            yield Problem(
                f"{field}[{index}]",
                f"{prefix!r} is not a prefix of a repository URL: {problem}",
                "use a full host and whole folders with a final slash, such as https://git.example.org/team/",
            )


def _prefix_problem(prefix: str) -> str:
    """Return why no repository URL that a project may write lies under a prefix; the empty string if some do."""
    try:
        address = address_of(prefix)
    except UrlError as error:
        return str(error)
    if address.scheme == "ssh" and address.user != _SSH_USER:
        return f"over SSH projects log in as {_SSH_USER}"
    return ""


def _kinds(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    delivery = policy.delivery
    for name, kinds in (("allowedKinds", delivery.allowed_kinds), ("additionalKinds", delivery.additional_kinds)):
        for index, item in enumerate(kinds):
            if problem := _kind(item, impersonation=delivery.impersonation):
                yield Problem(f"{_DELIVERY}.{name}[{index}]", problem, "remove it")


def _kind(item: ResourceKind, *, impersonation: bool) -> str:
    """Return why projects may not sync a kind; the empty string if they may."""
    kind = (item.group, item.kind)
    if kind in GUARD_KINDS or item.kind.endswith("NetworkPolicy"):
        return f"projects could change their own guard rails with {item.kind}"
    if kind in ACCESS_KINDS and not impersonation:
        return f"without impersonation projects could grant the rights of Argo CD with {item.kind}"
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
        path = f"{field}[{index}].prefixes"
        yield from _prefixes(path, login.prefixes)
        for number, prefix in enumerate(login.prefixes):
            if (scheme_of(prefix) == "ssh") != (login.kind is CredentialKind.SSH):
                problem = f"{prefix!r} cannot be reached with a credential of kind {login.kind.value}"
                yield Problem(f"{path}[{number}]", problem, "use prefixes of that kind, or change the kind")
