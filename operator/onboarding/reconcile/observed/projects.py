"""What people declared: the objects of our own kinds as last seen.

A spec is read once, so that everything worked out from it is remembered by it; the rest is kept as compact bytes.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple, Self

import orjson
from pydantic import ValidationError

from onboarding import names
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.canonical import compact
from onboarding.freshness import Freshness, freshness, outlives
from onboarding.reconcile.observed.platform import PlatformCatalog
from onboarding.reconcile.observed.snapshot import Project
from onboarding.reconcile.observed.unread import UnreadDecision
from onboarding.reconcile.observed.validity import is_newer, summarize, unreadable

PROJECTS = "projectonboardings"
DECISIONS = "onboardingdecisions"
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
    problem: str = ""
    newer: bool = False

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Read it from JSON."""
        try:
            return cls(content, ProjectOnboardingSpec.model_validate_json(content))
        except ValidationError as error:
            problems = unreadable(error)
            return cls(content, None, summarize(problems), is_newer(problems))


class ProjectCache:
    """Projects, policies, targets and decisions."""

    def __init__(self) -> None:
        self._projects: dict[str, bytes] = {}
        self._specs: dict[str, _Spec] = {}
        self._seen: dict[str, _Seen] = {}
        self._reads: Counter[str] = Counter()
        self._decisions: dict[str, OnboardingDecisionSpec | UnreadDecision] = {}
        self._about: defaultdict[str, set[str]] = defaultdict(set)
        """By project: the names of the decisions about it."""
        self.offered = PlatformCatalog()
        """Policies and targets."""

    @property
    def targets(self) -> Mapping[str, HostingTargetSpec]:
        """The targets that can be used, by name."""
        return self.offered.targets

    @property
    def target_problems(self) -> Mapping[str, str]:
        """Why the other targets cannot, by name."""
        return self.offered.target_problems

    @property
    def reads(self) -> Mapping[str, int]:
        """How many specs have been read, by the plural of their kind."""
        return {**self._reads, **self.offered.reads}

    def policy(self, name: str) -> tuple[OnboardingPolicySpec | None, str]:
        """Return a policy, or None and why it cannot be used."""
        return self.offered.policy(name)

    def put_project(self, body: Mapping[str, Any]) -> bool:
        """Keep a ProjectOnboarding; return whether it is news: what is as old as what is known is not."""
        name, seen = body["metadata"]["name"], _Seen.of(body)
        if freshness(seen.version, self._version(name)) is not Freshness.NEWER:
            return False
        self._seen[name] = seen
        metadata = {key: value for key, value in body["metadata"].items() if key not in _NOT_KEPT}
        self._projects[name] = compact(orjson.dumps({"metadata": metadata, "status": body.get("status")}))
        self._read_spec(name, body)
        return True

    def list_project(self, body: Mapping[str, Any]) -> bool:
        """Keep a ProjectOnboarding out of a list; return whether it is news.

        Of the version that is known it may say something else: under another definition it is cut otherwise.
        """
        name = body["metadata"]["name"]
        if freshness(int(body["metadata"]["resourceVersion"]), self._version(name)) is Freshness.SAME:
            return self._read_spec(name, body)
        return self.put_project(body)

    def _read_spec(self, name: str, body: Mapping[str, Any]) -> bool:
        content = compact(orjson.dumps(body["spec"]))
        if name in self._specs and self._specs[name].content == content:
            return False
        self._specs[name] = _Spec.of(content)
        self._reads[PROJECTS] += 1
        return True

    def _version(self, name: str) -> int | None:
        known = self._seen.get(name)
        return known.version if known else None

    def project_version(self, name: str) -> int:
        """Return the version that is known of a ProjectOnboarding; 0 where it is not known."""
        return self._version(name) or 0

    def newest_project(self) -> int:
        """Return the highest version of a ProjectOnboarding that is known."""
        return max((seen.version for seen in self._seen.values()), default=0)

    def projects_listed(self, names: Container[str], version: int) -> list[str]:
        """Forget the projects that a complete list of this version does not hold; return which."""
        gone = [name for name, seen in self._seen.items() if name not in names and not outlives(version, seen.version)]
        for name in gone:
            self.drop_project(name)
        return gone

    def lose_project(self, body: Mapping[str, Any]) -> None:
        """Take in an event that a ProjectOnboarding is gone, unless another one is known under its name by now."""
        if not outlives(int(body["metadata"]["resourceVersion"]), self.project_version(body["metadata"]["name"])):
            self.drop_project(body["metadata"]["name"])

    def take_answer(self, body: Mapping[str, Any]) -> bool:
        """Keep a ProjectOnboarding as our own write left it; return whether that calls for a pass."""
        name = body["metadata"]["name"]
        before, after = self._seen.get(name), _Seen.of(body)
        if before is None:
            # As `freshness` tells of an answer: its DELETED event came before.
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

    def drop_project(self, name: str) -> None:
        """Forget a ProjectOnboarding that is gone."""
        self._seen.pop(name, None)
        self._projects.pop(name, None)
        self._specs.pop(name, None)

    def put_decision(self, name: str, decision: OnboardingDecisionSpec | UnreadDecision | None) -> set[str]:
        """Keep an OnboardingDecision, or forget it; return the projects to which that is news."""
        former = self._decisions.get(name)
        if decision == former:
            return set()
        projects = set()
        if former is not None:
            projects = self._concerned(former)
            del self._decisions[name]
            self._about[_about(former)].discard(name)
            if not self._about[_about(former)]:
                del self._about[_about(former)]
        if decision is None:
            return projects
        self._reads[DECISIONS] += 1
        self._decisions[name] = decision
        self._about[_about(decision)].add(name)
        return projects | self._concerned(decision)

    def _concerned(self, decision: OnboardingDecisionSpec | UnreadDecision) -> set[str]:
        return {_about(decision)} if _about(decision) else set(self._projects)

    def decision_names(self) -> tuple[str, ...]:
        """Return the names of the decisions."""
        return tuple(self._decisions)

    def decisions(self, project: str, uid: str) -> tuple[OnboardingDecisionSpec, ...]:
        """Return the decisions about one incarnation of a project."""
        known = (self._decisions[name] for name in sorted(self._about.get(project, ())))
        read = (decision for decision in known if isinstance(decision, OnboardingDecisionSpec))
        return tuple(decision for decision in read if decision.project.uid == uid)

    def unread(self, project: str, uid: str) -> tuple[UnreadDecision, ...]:
        """Return the decisions that cannot be read and are, or may be, about one incarnation of a project."""
        about = sorted({*self._about.get(project, ()), *self._about.get("", ())})
        known = (self._decisions[name] for name in about)
        return tuple(item for item in known if isinstance(item, UnreadDecision) and item.concerns(project, uid))

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
            newer=read.newer,
        )


def _about(decision: OnboardingDecisionSpec | UnreadDecision) -> str:
    """Return the name of the project that a decision is about; the empty string where that cannot be read."""
    return decision.project if isinstance(decision, UnreadDecision) else decision.project.name
