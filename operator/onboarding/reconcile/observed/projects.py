"""Cache of our own kinds: ProjectOnboardings, policies, targets and decisions, in their newest known version.

A spec is parsed once per change, so that results can be memoized by its identity; all else is kept as compact bytes.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple, Self

import orjson
from pydantic import ValidationError

from onboarding import names
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.canonical import compact
from onboarding.build.naming import is_of_site
from onboarding.freshness import Freshness, freshness, outlives
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.domains import DeclaredDomains
from onboarding.reconcile.observed.platform import PlatformCatalog
from onboarding.reconcile.observed.snapshot import Project
from onboarding.reconcile.observed.unread import UnreadDecision
from onboarding.reconcile.observed.validity import is_newer, summarize, unreadable

PROJECTS = "projectonboardings"
DECISIONS = "onboardingdecisions"
_NOT_KEPT = frozenset({"managedFields", "annotations"})


class _Seen(NamedTuple):
    """Fields of a ProjectOnboarding that decide whether an update calls for a reconcile."""

    version: int
    uid: str
    generation: int
    deleting: bool
    held: bool
    """Whether it has our finalizer."""
    sites: tuple[str, ...]
    """Our finalizers that stand for sites."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the fields from a manifest."""
        metadata = body["metadata"]
        return cls(
            version=int(metadata["resourceVersion"]),
            uid=metadata["uid"],
            generation=metadata["generation"],
            deleting="deletionTimestamp" in metadata,
            held=names.FINALIZER in (metadata.get("finalizers") or ()),
            sites=tuple(map(sys.intern, filter(is_of_site, metadata.get("finalizers") or ()))),
        )


class _Spec(NamedTuple):
    """The spec of a project; None if it cannot be read, with the reason."""

    content: bytes
    spec: ProjectOnboardingSpec | None
    problem: str = ""
    newer: bool = False

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Parse a spec from JSON."""
        try:
            return cls(content, ProjectOnboardingSpec.model_validate_json(content))
        except ValidationError as error:
            problems = unreadable(error)
            return cls(content, None, summarize(problems), is_newer(problems))


class ProjectCache:
    """Cache of projects, policies, targets and decisions."""

    def __init__(self, namespace: str = "") -> None:
        """``namespace`` is the operator's own, which no project may take."""
        self._projects: dict[str, bytes] = {}
        self._specs: dict[str, _Spec] = {}
        self._seen: dict[str, _Seen] = {}
        self._reads: Counter[str] = Counter()
        self._decisions: dict[str, DatedDecision | UnreadDecision] = {}
        self._about: defaultdict[str, set[str]] = defaultdict(set)
        """Names of the decisions about each project."""
        self.domains = DeclaredDomains()
        """The projects that declare each domain."""
        self.offered = PlatformCatalog(namespace)
        """Policies and targets."""

    @property
    def targets(self) -> Mapping[str, HostingTargetSpec]:
        """The usable targets, by name."""
        return self.offered.targets

    @property
    def target_problems(self) -> Mapping[str, str]:
        """The problems of the unusable targets, by name."""
        return self.offered.target_problems

    @property
    def reads(self) -> Mapping[str, int]:
        """The number of parsed specs, by the plural of their kind."""
        return {**self._reads, **self.offered.reads}

    def policy(self, name: str) -> tuple[OnboardingPolicySpec | None, str]:
        """Return a usable policy, or None and the reason."""
        return self.offered.policy(name)

    def put_project(self, body: Mapping[str, Any]) -> bool:
        """Cache a ProjectOnboarding; return whether it is newer than the cached one."""
        name, seen = body["metadata"]["name"], _Seen.of(body)
        if freshness(seen.version, self._version(name)) is not Freshness.NEWER:
            return False
        self._seen[name] = seen
        metadata = {key: value for key, value in body["metadata"].items() if key not in _NOT_KEPT}
        insiders = (body["metadata"].get("annotations") or {}).get(names.ANNOTATION_INSIDERS)
        kept = {"metadata": metadata, "status": body.get("status"), "insiders": insiders}
        self._projects[name] = compact(orjson.dumps(kept))
        self._read_spec(name, body)
        return True

    def list_project(self, body: Mapping[str, Any]) -> bool:
        """Cache a ProjectOnboarding from a list; return whether it differs from the cached one.

        It may differ at the same version: after a change of the CRD the API server prunes other fields.
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
        self.domains.put(name, self._specs[name].spec)
        self._reads[PROJECTS] += 1
        return True

    def _version(self, name: str) -> int | None:
        known = self._seen.get(name)
        return known.version if known else None

    def project_version(self, name: str) -> int:
        """Return the cached version of a ProjectOnboarding; 0 if it is not cached."""
        return self._version(name) or 0

    def newest_project(self) -> int:
        """Return the highest cached version of all ProjectOnboardings."""
        return max((seen.version for seen in self._seen.values()), default=0)

    def projects_listed(self, names: Container[str], version: int) -> list[str]:
        """Drop the projects that are missing from a complete list of this version; return their names."""
        gone = [name for name, seen in self._seen.items() if name not in names and not outlives(version, seen.version)]
        for name in gone:
            self.drop_project(name)
        return gone

    def lose_project(self, body: Mapping[str, Any]) -> None:
        """Drop a ProjectOnboarding on its DELETED event, unless a newer one of the same name is cached."""
        if not outlives(int(body["metadata"]["resourceVersion"]), self.project_version(body["metadata"]["name"])):
            self.drop_project(body["metadata"]["name"])

    def take_answer(self, body: Mapping[str, Any]) -> bool:
        """Cache the answer to our own write of a ProjectOnboarding; return whether it calls for a reconcile."""
        name = body["metadata"]["name"]
        before, after = self._seen.get(name), _Seen.of(body)
        if before is None:
            # The DELETED event came before the answer, see `freshness`.
            return False
        if after.deleting and after.uid == before.uid and not body["metadata"].get("finalizers"):
            # We removed the last finalizer: the object is gone, and the answer may have its former version.
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
        """Drop a deleted ProjectOnboarding."""
        self._seen.pop(name, None)
        self._projects.pop(name, None)
        self._specs.pop(name, None)
        self.domains.put(name, None)

    def put_decision(self, name: str, decision: DatedDecision | UnreadDecision | None) -> set[str]:
        """Cache an OnboardingDecision, or drop it for None; return the projects that it concerns if it changed."""
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

    def _concerned(self, decision: DatedDecision | UnreadDecision) -> set[str]:
        return {_about(decision)} if _about(decision) else set(self._projects)

    def decision_names(self) -> tuple[str, ...]:
        """Return the names of the decisions."""
        return tuple(self._decisions)

    def decisions(self, project: str, uid: str) -> tuple[DatedDecision, ...]:
        """Return the decisions about one UID of a project."""
        known = (self._decisions[name] for name in sorted(self._about.get(project, ())))
        read = (decision for decision in known if isinstance(decision, DatedDecision))
        return tuple(decision for decision in read if decision.project.uid == uid)

    def decisions_in_use(self) -> Iterator[DatedDecision]:
        """Yield the readable decisions about projects that exist."""
        for decision in self._decisions.values():
            if isinstance(decision, DatedDecision) and self.has(decision.project.name, decision.project.uid):
                yield decision

    def orphans(self, project: str = "") -> Iterator[str]:
        """Yield the names of the readable decisions about projects that do not exist, or about one such project."""
        for name in sorted(self._about.get(project, ()) if project else self._decisions):
            decision = self._decisions[name]
            if isinstance(decision, DatedDecision) and not self.has(decision.project.name, decision.project.uid):
                yield name

    def unread(self, project: str, uid: str) -> tuple[UnreadDecision, ...]:
        """Return the unreadable decisions that are, or may be, about one UID of a project."""
        about = sorted({*self._about.get(project, ()), *self._about.get("", ())})
        known = (self._decisions[name] for name in about)
        return tuple(item for item in known if isinstance(item, UnreadDecision) and item.concerns(project, uid))

    def names(self) -> Iterator[str]:
        """Return the names of all projects."""
        return iter(tuple(self._projects))

    def has(self, name: str, uid: str) -> bool:
        """Return whether a project of this name and UID exists."""
        seen = self._seen.get(name)
        return seen is not None and seen.uid == uid

    def deleting(self) -> int:
        """Return the number of projects that are being deleted."""
        return sum(1 for seen in self._seen.values() if seen.deleting)

    def clusters(self) -> set[str]:
        """Return the connections to follow: of all targets, and of deleted ones that a project is still on."""
        return self.offered.sites.clusters(site for seen in self._seen.values() for site in seen.sites)

    def project(self, name: str) -> Project | None:
        """Return the cached project; its spec is None if it cannot be read."""
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
            created=metadata.get("creationTimestamp") or "",
            insiders=body["insiders"] or "",
        )


def _about(decision: DatedDecision | UnreadDecision) -> str:
    """Return the name of the project that a decision is about; the empty string if it cannot be read."""
    return decision.project if isinstance(decision, UnreadDecision) else decision.project.name
