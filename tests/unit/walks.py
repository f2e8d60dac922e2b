"""A walk in memory: the reconciler on a cluster and an outside world without any server."""

import asyncio
import copy
from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from onboarding.build.kinds import APPLICATION, HUB, NAMESPACE, RESOURCE_QUOTA
from onboarding.build.revision import Revision
from onboarding.checks import probe
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.validity import RoleState
from onboarding.reconcile.reconciler import Reconciler
from tests.bench.inmemory import NOW, Memory, NoSecrets, Outside, Projects, uid_of
from tests.support.installing import ROOT
from tests.support.walk_steps import Step, take
from tests.support.walks import Walk
from tests.unit.snapshots import safe_settings

NAME = "walk-0001"


class Facts(Outside):
    """An outside world that may be in order or not."""

    def __init__(self) -> None:
        super().__init__()
        self.good = True

    def get(self, request: Any) -> probe.Answer[Any]:
        """Answer at once; while it is not good, no container has probes and no image is found."""
        answer = super().get(request)
        match answer.facts:
            case _ if self.good:
                return answer
            case probe.WorkloadsFacts() as facts:
                return replace(answer, facts=replace(facts, workloads=tuple(map(_without_probes, facts.workloads))))
            case probe.ImageFacts():
                return replace(answer, facts=probe.ImageFacts(found=False))
        return answer


def _without_probes(workload: probe.Workload) -> probe.Workload:
    bare = (replace(container, readiness=False, liveness=False) for container in workload.containers)
    return replace(workload, containers=tuple(bare))


class MemoryWalk(Walk):
    """A project of a profile in memory."""

    until = "2027-06-01T00:00:00Z"
    memory: type[Memory] = Memory
    """The cluster."""

    def __init__(self, profile: str) -> None:
        super().__init__()
        self.facts = Facts()
        self._declared = ProjectCache()
        ledgers = Ledgers("walk", lambda _project: None)
        self._cluster, self._hub = self.memory(ledgers), Projects(self._declared)
        policy = offer_profile(self._declared, profile)
        self._declared.offered.argocd = safe_settings(self._declared.targets)
        observer = Observer(
            self._declared,
            {HUB: self._cluster},
            installation="walk",
            policy=policy,
            clock=lambda: NOW,
            answers=self.facts,
            ledgers=ledgers,
            teardown_hold=lambda: "",
        )
        self._reconciler = Reconciler(observer, {HUB: self._cluster}, self._hub, self.facts, ledgers, NoSecrets())

    @property
    def status(self) -> dict[str, Any]:
        """The status of the project."""
        return self._hub.status(NAME)

    def url(self, name: str) -> str:
        """Return a URL."""
        return f"https://git.example.org/{name}.git"

    @property
    def commits(self) -> tuple[str, str]:
        """Two commits."""
        return "a" * 40, "b" * 40

    def declare(self) -> None:
        """Let the API server have the spec."""
        self._hub.declare(NAME, copy.deepcopy(self.spec))

    def take(self, *steps: Step) -> None:
        """Take steps, after each of which the rules are asked."""
        for step in steps:
            for _ in take(self, step):
                self.settle()

    def settle(self) -> None:
        """Reconcile until neither an object nor the status changes."""
        for _ in range(40):
            before = self._cluster.writes, self._hub.writes
            asyncio.run(self._reconciler.reconcile(NAME))
            if (self._cluster.writes, self._hub.writes) == before:
                return
        raise AssertionError("the reconciles of this project do not come to an end")

    def admitted(self) -> dict[str, Revision]:
        """Return the admitted revision of each namespace."""
        owned = self._cluster.owned(NAME)
        found = {key.name: item.admitted for key, item in owned.items() if key.kind is NAMESPACE}
        return {name: item.revision for name, item in found.items() if item and item.revision}

    def objects(self) -> set[tuple[str, str, str]]:
        """Return kind, namespace and name of what a team would miss: namespaces, quotas and Applications."""
        kinds = (NAMESPACE, RESOURCE_QUOTA, APPLICATION)
        return {(key.kind.kind, key.namespace, key.name) for key in self._cluster.owned(NAME) if key.kind in kinds}

    def run(self, *, good: bool) -> None:
        """Let everything that runs be in order or not."""
        self.good = self.facts.good = good

    def submit(self, name: str, fields: dict[str, Any]) -> None:
        """Let somebody decide who is not of the project, but for its groups that decide."""
        author = {"username": "dana", "groups": ["poas"]}
        about = {"project": {"name": NAME, "uid": uid_of(NAME)}, "by": author, "reason": "walk"}
        about = {**about, "created": "2030-01-01T00:00:00Z"}
        self._declared.put_decision(name, DatedDecision.model_validate({**about, **fields}))

    def delete(self, name: str, _fields: dict[str, Any]) -> None:
        """Let a decision be deleted."""
        self._declared.put_decision(name, None)


@cache
def _profile(name: str) -> dict[str, dict[str, Any]]:
    """Return the manifests of a profile by the names of their files."""
    files = sorted((ROOT / "manifests/profiles" / name).glob("*.yaml"))
    return {file.stem: yaml.safe_load(file.read_text()) for file in files}


def offer_profile(declared: ProjectCache, profile: str) -> str:
    """Offer a profile with every site on one cluster, and return the name of its policy."""
    names = {}
    for stem, read in _profile(profile).items():
        manifest = copy.deepcopy(read)
        plural = {"OnboardingPolicy": POLICIES, "HostingTarget": TARGETS}.get(manifest["kind"])
        if plural is None:
            continue
        names[manifest["kind"]] = manifest["metadata"]["name"]
        if plural == TARGETS:
            manifest["spec"]["sites"] = [{"name": "here"}]
        stamp = {"uid": stem, "generation": 1, "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
        manifest["metadata"] |= stamp
        declared.offered.put(plural, manifest)
    declared.offered.know_roles(dict.fromkeys(declared.offered.unasked_roles(), RoleState.USABLE))
    return names["OnboardingPolicy"]
