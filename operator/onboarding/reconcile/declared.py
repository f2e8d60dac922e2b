"""What people declared: the objects of our own kinds as last seen.

A spec is read once, so that everything worked out from it is remembered by it; the rest is kept as compact bytes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import orjson
from pydantic import ValidationError

from onboarding import names
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.canonical import compact
from onboarding.reconcile.offer.offered import Offered
from onboarding.reconcile.offer.validity import told, unreadable
from onboarding.reconcile.world import Project

_NOT_KEPT = frozenset({"managedFields", "annotations"})


class _Seen(NamedTuple):
    """What tells one state of a ProjectOnboarding from another."""

    version: int
    uid: str
    generation: int
    deleting: bool
    held: bool
    """Whether our finalizer is on it."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read it from an object."""
        metadata = body["metadata"]
        return cls(
            version=int(metadata["resourceVersion"]),
            uid=metadata["uid"],
            generation=metadata["generation"],
            deleting="deletionTimestamp" in metadata,
            held=names.FINALIZER in (metadata.get("finalizers") or ()),
        )


class _Spec(NamedTuple):
    """The spec of a project; None where it cannot be read, and why."""

    content: bytes
    spec: ProjectOnboardingSpec | None
    problem: str

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Read it from JSON."""
        try:
            return cls(content, ProjectOnboardingSpec.model_validate_json(content), "")
        except ValidationError as error:
            return cls(content, None, told(unreadable(error)))


class Declared:
    """Projects, policies, targets and decisions."""

    def __init__(self) -> None:
        self._projects: dict[str, bytes] = {}
        self._specs: dict[str, _Spec] = {}
        self._seen: dict[str, _Seen] = {}
        self._decisions: dict[str, OnboardingDecisionSpec] = {}
        self._about: defaultdict[str, set[str]] = defaultdict(set)
        """By project: the names of the decisions about it."""
        self.offered = Offered()
        """Policies and targets."""

    @property
    def targets(self) -> Mapping[str, HostingTargetSpec]:
        """The targets that can be used, by name."""
        return self.offered.targets

    @property
    def target_problems(self) -> Mapping[str, str]:
        """Why the other targets cannot, by name."""
        return self.offered.target_problems

    def policy(self, name: str) -> tuple[OnboardingPolicySpec | None, str]:
        """Return a policy, or None and why it cannot be used."""
        return self.offered.policy(name)

    def put_project(self, body: Mapping[str, Any]) -> bool:
        """Keep a ProjectOnboarding; return whether it is news: what is as old as what is known is not."""
        known, seen = self._seen.get(body["metadata"]["name"]), _Seen.of(body)
        if known is not None and seen.version <= known.version:
            return False
        name = body["metadata"]["name"]
        self._seen[name] = seen
        metadata = {key: value for key, value in body["metadata"].items() if key not in _NOT_KEPT}
        self._projects[name] = compact(orjson.dumps({"metadata": metadata, "status": body.get("status")}))
        content = compact(orjson.dumps(body["spec"]))
        if name not in self._specs or self._specs[name].content != content:
            self._specs[name] = _Spec.of(content)
        return True

    def take_answer(self, body: Mapping[str, Any]) -> bool:
        """Keep a ProjectOnboarding as our own write left it; return whether that calls for a pass."""
        name = body["metadata"]["name"]
        before, after = self._seen.get(name), _Seen.of(body)
        if before is None:
            # Its DELETED event came before this answer: it is gone, and must not come back as a ghost.
            return False
        if after.deleting and after.uid == before.uid and not body["metadata"].get("finalizers"):
            # We took the last one off: it is gone, and its answer may bear the version that was there before.
            self.drop_project(name)
            return True
        self.put_project(body)
        if (before.uid, before.generation, before.deleting) != (
            after.uid,
            after.generation,
            after.deleting,
        ):
            return True
        return before.held and not after.held

    def drop_incarnation(self, body: Mapping[str, Any]) -> None:
        """Forget a ProjectOnboarding that is gone, unless another one has its name: events of two may cross."""
        seen = self._seen.get(body["metadata"]["name"])
        if seen is not None and seen.uid == body["metadata"]["uid"]:
            self.drop_project(body["metadata"]["name"])

    def drop_project(self, name: str) -> None:
        """Forget a ProjectOnboarding that is gone."""
        self._seen.pop(name, None)
        self._projects.pop(name, None)
        self._specs.pop(name, None)

    def put_decision(self, name: str, decision: OnboardingDecisionSpec | None) -> set[str]:
        """Keep an OnboardingDecision, or forget it; return the projects that it was and is about."""
        former = self._decisions.pop(name, None)
        projects = {former.project.name} if former else set()
        for project in projects:
            self._about[project].discard(name)
            if not self._about[project]:
                del self._about[project]
        if decision is None:
            return projects
        self._decisions[name] = decision
        self._about[decision.project.name].add(name)
        return projects | {decision.project.name}

    def decision_names(self) -> tuple[str, ...]:
        """Return the names of the decisions."""
        return tuple(self._decisions)

    def decisions(self, project: str, uid: str) -> tuple[OnboardingDecisionSpec, ...]:
        """Return the decisions about one incarnation of a project."""
        known = (self._decisions[name] for name in sorted(self._about.get(project, ())))
        return tuple(decision for decision in known if decision.project.uid == uid)

    def names(self) -> Iterator[str]:
        """Return the names of all projects."""
        return iter(tuple(self._projects))

    def deleting(self) -> int:
        """Return how many projects are being deleted."""
        return sum(1 for seen in self._seen.values() if seen.deleting)

    def project(self, name: str) -> Project | None:
        """Return a project as last seen; its spec is None where it cannot be read."""
        content = self._projects.get(name)
        if content is None:
            return None
        body = orjson.loads(content)
        metadata, read = body["metadata"], self._specs[name]
        return Project(
            name=name,
            uid=metadata["uid"],
            generation=metadata["generation"],
            resource_version=metadata["resourceVersion"],
            deleting="deletionTimestamp" in metadata,
            finalizers=tuple(metadata.get("finalizers") or ()),
            status=body["status"] or {},
            spec=read.spec,
            problem=read.problem,
        )
