"""Policies and targets as the catalogue keeps them: metadata, spec and problems."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from pydantic import ValidationError

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.target import HostingTargetSpec, Site
from onboarding.reconcile.observed.policy_rules import policy_problems
from onboarding.reconcile.observed.reserved import named_namespaces
from onboarding.reconcile.observed.target_rules import target_problems
from onboarding.reconcile.observed.validity import Problem, unreadable


class Head(NamedTuple):
    """The metadata and status of a policy or target."""

    plural: str
    name: str
    uid: str
    generation: int
    version: int
    created: str
    status: Mapping[str, Any]

    @classmethod
    def of(cls, plural: str, body: Mapping[str, Any]) -> Self:
        """Read metadata and status from a manifest."""
        metadata = body["metadata"]
        return cls(
            plural=plural,
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata["generation"],
            version=int(metadata["resourceVersion"]),
            created=metadata["creationTimestamp"],
            status=body.get("status") or {},
        )


class Due(NamedTuple):
    """A status to write."""

    head: Head
    status: dict[str, Any]


class KnownPolicy(NamedTuple):
    """A policy in its newest known version."""

    head: Head
    content: bytes
    """The spec as JSON."""
    spec: OnboardingPolicySpec | None
    problems: tuple[Problem, ...]


class KnownTarget(NamedTuple):
    """A target in its newest known version."""

    head: Head
    content: bytes
    spec: HostingTargetSpec | None
    problems: tuple[Problem, ...]
    sites: tuple[Site, ...]
    """The sites in its last readable version."""
    named: Mapping[str, str]
    """The namespaces of the platform that its last readable version names, each with the field."""


def policy_of(head: Head, content: bytes) -> KnownPolicy:
    """Return a policy with the problems of its spec, which is given as JSON."""
    try:
        spec = OnboardingPolicySpec.model_validate_json(content)
    except ValidationError as error:
        return KnownPolicy(head, content, None, unreadable(error))
    return KnownPolicy(head, content, spec, policy_problems(spec))


def target_of(head: Head, content: bytes, former: KnownTarget | None) -> KnownTarget:
    """Return a target with the problems of its spec, which is given as JSON.

    An unreadable one keeps the sites and the names of its last readable version.
    """
    try:
        spec = HostingTargetSpec.model_validate_json(content)
    except ValidationError as error:
        sites, named = (former.sites, former.named) if former else ((), {})
        return KnownTarget(head, content, None, unreadable(error), sites, named)
    return KnownTarget(head, content, spec, target_problems(spec), spec.sites, named_namespaces(spec))
