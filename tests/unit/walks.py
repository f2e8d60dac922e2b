"""One project on a shipped profile, in memory: it is edited and decided about, and what that admits is looked at.

The rules of the profile are written here by hand, once more and in other words, so that a mistake in the operator's
reading of the policy is no mistake of the test.
"""

import asyncio
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.build.kinds import APPLICATION, HUB, NAMESPACE, RESOURCE_QUOTA
from onboarding.build.revision import Revision
from onboarding.checks import probe
from onboarding.reconcile.observed.capacity import CapacityLedger
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.validity import RoleState
from onboarding.reconcile.reconciler import Reconciler
from tests.bench.inmemory import NOW, Memory, NoSecrets, Outside, Projects, uid_of
from tests.support.installing import ROOT

NAME = "walk-0001"
LATER = "2027-06-01T00:00:00Z"
_PERSON = {"name": "Claire", "email": "claire@example.org"}
_TEAM = [
    {"name": role, "email": f"{role}@example.org", "roles": [role], "affiliation": "Internal"}
    for role in ("development", "operations", "test")
]
START: dict[str, Any] = {
    "owner": _PERSON,
    "sponsor": {"name": "Sam", "email": "sam@example.org"},
    "objectives": ["Shorter files"],
    "organisation": {"name": "Interior"},
    "classification": {"zone": "NP"},
    "team": {"people": _TEAM, "groups": {"admin": ["admins"]}, "poa": {"name": "Paul", "email": "paul@example.org"}},
    "repositories": [{"name": "app", "url": "https://git.example.org/app.git"}],
    "environments": [],
}


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


@dataclass(frozen=True)
class Given:
    """A decision, with the spec that its author saw."""

    decision: dict[str, Any]
    spec: dict[str, Any]

    def about(self, **fields: str) -> bool:
        """Return whether it is this decision."""
        return all(self.decision.get(name) == value for name, value in fields.items())


class Walk:
    """A project of a profile, with the decisions about it and the world around it."""

    def __init__(self, profile: str) -> None:
        self.spec = copy.deepcopy(START)
        self.given: dict[str, Given] = {}
        self.facts = Facts()
        self._number = 0
        self._declared = ProjectCache()
        ledger = CapacityLedger("walk", lambda _project: None)
        self._cluster, self._hub = Memory(ledger), Projects(self._declared)
        policy = _offer(self._declared, profile)
        observer = Observer(
            self._declared,
            {HUB: self._cluster},
            installation="walk",
            policy=policy,
            clock=lambda: NOW,
            answers=self.facts,
            ledger=ledger,
            teardown_hold=lambda: "",
        )
        self._reconciler = Reconciler(observer, {HUB: self._cluster}, self._hub, self.facts, ledger, NoSecrets())

    @property
    def status(self) -> dict[str, Any]:
        """The status of the project."""
        return self._hub.status(NAME)

    def declare(self) -> None:
        """Let the API server have the spec, and the operator reconcile until nothing changes."""
        self._hub.declare(NAME, copy.deepcopy(self.spec))
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

    def decide(self, **fields: Any) -> None:
        """Let somebody who is not of the project decide."""
        self._number += 1
        about = {"project": {"name": NAME, "uid": uid_of(NAME)}, "by": {"username": "dana"}, "reason": "walk"}
        name = f"decision-{self._number:03}"
        self.given[name] = Given(fields, copy.deepcopy(self.spec))
        self._declared.put_decision(name, OnboardingDecisionSpec.model_validate({**about, **fields}))

    def withdraw(self, name: str) -> None:
        """Let a decision be deleted."""
        del self.given[name]
        self._declared.put_decision(name, None)

    def asked(self) -> Iterator[dict[str, Any]]:
        """Yield the decisions that the status asks for now, each with the digest that it shows."""
        approvals = {"awareness": "demand-pilot", "cloud-pi": "service-team", "production": "poa"}
        for gate in self.status.get("gates", ()):
            if gate.get("digest") and gate["name"] in approvals:
                yield {
                    "decision": "Approve",
                    "gate": gate["name"],
                    "approval": approvals[gate["name"]],
                    "digest": gate["digest"],
                }
        for check in self.status.get("checks", ()):
            if check.get("digest"):
                yield {"decision": "Attest", "check": check["id"], "digest": check["digest"], "expires": LATER}

    def decide_all(self) -> None:
        """Decide whatever is asked for until nothing is."""
        for _ in range(20):
            asked = [item for item in self.asked() if not any(given.decision == item for given in self.given.values())]
            if not asked:
                return
            for item in asked:
                self.decide(**item)
            self.settle()
        raise AssertionError(f"the decisions that are asked for do not come to an end: {list(self.asked())}")


def _offer(declared: ProjectCache, profile: str) -> str:
    """Offer a profile with every site on one cluster, and return the name of its policy."""
    names = {}
    for file in sorted((ROOT / "manifests/profiles" / profile).glob("*.yaml")):
        manifest: dict[str, Any] = yaml.safe_load(file.read_text())
        plural = {"OnboardingPolicy": POLICIES, "HostingTarget": TARGETS}.get(manifest["kind"])
        if plural is None:
            continue
        names[manifest["kind"]] = manifest["metadata"]["name"]
        if plural == TARGETS:
            manifest["spec"]["sites"] = [{"name": "here"}]
        stamp = {"uid": file.stem, "generation": 1, "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
        manifest["metadata"] |= stamp
        declared.offered.put(plural, manifest)
    declared.offered.know_roles(dict.fromkeys(declared.offered.unasked_roles(), RoleState.USABLE))
    return names["OnboardingPolicy"]


LONG = (None, "standard", "accelerated")
"""The journeys of the profile that lead to production; none is standard."""
COVERED: Mapping[str, tuple[str, ...]] = {
    "awareness": ("sponsor", "objectives", "classification"),
    "cloud-pi": ("flows",),
    "production": ("classification", "flows"),
    "SecurityAudited": ("classification", "flows"),
    "HomologationDecided": ("classification",),
    "RunAcknowledged": ("owner", "organisation"),
}
"""Some fields that each decision covers."""
BEFORE_PRODUCTION = (
    {"decision": "Approve", "gate": "awareness"},
    {"decision": "Attest", "check": "RunAcknowledged"},
    {"decision": "Approve", "gate": "cloud-pi"},
    {"decision": "Attest", "check": "SecurityAudited"},
    {"decision": "Attest", "check": "HomologationDecided"},
    {"decision": "Approve", "gate": "production"},
)


def unmet(walk: Walk) -> list[str]:
    """Return what keeps production of the Cloud π profile closed, by the spec and the decisions alone."""
    missing = [] if walk.spec.get("journey") in LONG else [f"the journey {walk.spec['journey']} ends before"]
    if not walk.facts.good:
        missing.append("a check that the operator makes itself fails")
    for wanted in BEFORE_PRODUCTION:
        fields = COVERED[wanted.get("gate") or wanted["check"]]
        waived = wanted.get("check") and any(
            given.about(decision="Waive", check=wanted["check"]) for given in walk.given.values()
        )
        if not waived and not any(_covers(given, wanted, walk.spec, fields) for given in walk.given.values()):
            missing.append(f"{wanted} by somebody who has seen the present {', '.join(fields)}")
    return missing


def _covers(given: Given, wanted: dict[str, str], spec: dict[str, Any], fields: tuple[str, ...]) -> bool:
    same = all(given.spec.get(name) == spec.get(name) for name in fields)
    return given.about(**wanted) and same and _standard(given.spec) == _standard(spec)


def _standard(spec: dict[str, Any]) -> str:
    return spec.get("journey") or "standard"
