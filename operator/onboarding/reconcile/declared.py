"""What people declared: the objects of our own kinds as last seen, kept as compact bytes and read when a pass asks."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.reconcile.world import Project

_NOT_KEPT = frozenset({"managedFields", "annotations"})


class Declared:
    """Projects, policies, targets and decisions."""

    def __init__(self) -> None:
        self._projects: dict[str, bytes] = {}
        self._versions: dict[str, int] = {}
        self._deleting: set[str] = set()
        self._policies: dict[str, OnboardingPolicySpec | str] = {}
        self._decisions: dict[str, OnboardingDecisionSpec] = {}
        self.targets: dict[str, HostingTargetSpec] = {}
        """The valid targets by name."""

    def put_project(self, body: Mapping[str, Any]) -> None:
        """Keep a ProjectOnboarding; older news than what is known is ignored."""
        name, version = body["metadata"]["name"], int(body["metadata"]["resourceVersion"])
        if version <= self._versions.get(name, 0):
            return
        self._versions[name] = version
        metadata = {key: value for key, value in body["metadata"].items() if key not in _NOT_KEPT}
        self._projects[name] = orjson.dumps({"metadata": metadata, "spec": body["spec"], "status": body.get("status")})
        (self._deleting.add if "deletionTimestamp" in metadata else self._deleting.discard)(name)

    def drop_project(self, name: str) -> None:
        """Forget a ProjectOnboarding that is gone."""
        self._versions.pop(name, None)
        self._projects.pop(name, None)
        self._deleting.discard(name)

    def put_policy(self, name: str, spec: Mapping[str, Any] | None) -> None:
        """Keep an OnboardingPolicy, or forget it where there is no spec."""
        if spec is None:
            self._policies.pop(name, None)
            return
        try:
            self._policies[name] = OnboardingPolicySpec.model_validate(spec)
        except ValidationError as error:
            self._policies[name] = f"OnboardingPolicy {name}: {explain(error)}"

    def put_target(self, name: str, spec: Mapping[str, Any] | None) -> None:
        """Keep a HostingTarget, or forget it where there is no spec or none that can be read."""
        try:
            self.targets[name] = HostingTargetSpec.model_validate(spec)
        except ValidationError:
            self.targets.pop(name, None)

    def put_decision(self, name: str, spec: Mapping[str, Any] | None) -> str | None:
        """Keep an OnboardingDecision, or forget it; return the project that it is about."""
        former = self._decisions.pop(name, None)
        if spec is None:
            return former.project.name if former else None
        try:
            self._decisions[name] = OnboardingDecisionSpec.model_validate(spec)
        except ValidationError:
            return former.project.name if former else None
        return self._decisions[name].project.name

    def policy(self, name: str) -> tuple[OnboardingPolicySpec | None, str]:
        """Return a policy, or None and why it cannot be used."""
        found = self._policies.get(name)
        if found is None:
            return None, f"OnboardingPolicy {name} does not exist: the platform team applies it"
        return (None, found) if isinstance(found, str) else (found, "")

    def decisions(self, project: str, uid: str) -> tuple[OnboardingDecisionSpec, ...]:
        """Return the decisions about one incarnation of a project."""
        return tuple(
            decision
            for _, decision in sorted(self._decisions.items())
            if decision.project.name == project and decision.project.uid == uid
        )

    def names(self) -> Iterator[str]:
        """Return the names of all projects."""
        return iter(tuple(self._projects))

    def deleting(self) -> int:
        """Return how many projects are being deleted."""
        return len(self._deleting)

    def project(self, name: str) -> Project | None:
        """Return a project, read anew; its spec is None where it cannot be read."""
        content = self._projects.get(name)
        if content is None:
            return None
        body = orjson.loads(content)
        metadata = body["metadata"]
        spec, problem = None, ""
        try:
            spec = ProjectOnboardingSpec.model_validate(body["spec"])
        except ValidationError as error:
            problem = explain(error)
        return Project(
            name=name,
            uid=metadata["uid"],
            generation=metadata["generation"],
            resource_version=metadata["resourceVersion"],
            deleting="deletionTimestamp" in metadata,
            finalizers=tuple(metadata.get("finalizers") or ()),
            status=body["status"] or {},
            spec=spec,
            problem=problem,
        )


def explain(error: ValidationError) -> str:
    """Return the first problem of a validation as field and rule, without the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"spec.{field}: {first['msg']}"
