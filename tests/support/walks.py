"""One project on a shipped profile that is edited and decided about, in memory or on a server.

The rules of the profile are written here by hand, once more and in other words, so that a mistake in the operator's
reading of the policy is no mistake of the test.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onboarding.build.revision import Revision

Turns = Iterator[None]
"""Something that goes on only when the project is settled: when neither its objects nor its status change any more."""
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
    "team": {
        "people": _TEAM,
        "groups": {"admin": ["admins"], "poa": ["poas"]},
        "poa": {"name": "Paul", "email": "paul@example.org"},
    },
    "repositories": [{"name": "app"}],
    "environments": [],
}


@dataclass(frozen=True)
class Given:
    """A decision, with the spec that its author saw."""

    decision: dict[str, Any]
    spec: dict[str, Any]

    def about(self, **fields: str) -> bool:
        """Return whether it is this decision."""
        return all(self.decision.get(name) == value for name, value in fields.items())


class Walk(ABC):
    """A project of a profile, with the decisions about it and the world around it."""

    until: str
    """The end of every decision that has one."""

    def __init__(self) -> None:
        self.spec = copy.deepcopy(START)
        self.spec["repositories"][0]["url"] = self.url("app")
        self.given: dict[str, Given] = {}
        self.good = True
        """Whether what runs is in order, as the operator is able to see it."""
        self._number = 0

    @property
    @abstractmethod
    def status(self) -> dict[str, Any]:
        """The status of the project."""

    @abstractmethod
    def url(self, name: str) -> str:
        """Return the URL of a repository that exists."""

    @property
    @abstractmethod
    def commits(self) -> tuple[str, str]:
        """Two commits of these repositories."""

    @abstractmethod
    def declare(self) -> None:
        """Let the API server have the spec."""

    @abstractmethod
    def admitted(self) -> dict[str, Revision]:
        """Return the admitted revision of each namespace."""

    @abstractmethod
    def objects(self) -> set[tuple[str, str, str]]:
        """Return kind, namespace and name of what a team would miss: namespaces, quotas and Applications."""

    @abstractmethod
    def run(self, *, good: bool) -> Turns | None:
        """Let everything that runs be in order or not, and the operator see it."""

    @abstractmethod
    def submit(self, name: str, fields: dict[str, Any]) -> None:
        """Let somebody who is not of the project create a decision."""

    @abstractmethod
    def delete(self, name: str, fields: dict[str, Any]) -> None:
        """Let the author of a decision delete it."""

    def decide(self, **fields: Any) -> None:
        """Decide about the present spec."""
        self._number += 1
        name = f"decision-{self._number:03}"
        self.given[name] = Given(fields, copy.deepcopy(self.spec))
        self.submit(name, fields)

    def withdraw(self, name: str) -> None:
        """Take a decision back."""
        self.delete(name, self.given.pop(name).decision)

    def asked(self) -> Iterator[dict[str, Any]]:
        """Yield the decisions that the status asks for now, each with the digest that it shows."""
        approvals = {"awareness": "demand-pilot", "cloud-pi": "service-team", "production": "poa"}
        for gate in self.status.get("gates", ()):
            approve = {"decision": "Approve", "gate": gate["name"]}
            if gate.get("digest") and gate["name"] in approvals:
                yield {**approve, "approval": approvals[gate["name"]], "digest": gate["digest"]}
            for item in gate.get("approvals", ()):
                named = {"approval": item["name"], "environment": item["environment"]}
                yield {**approve, **named, "digest": item["digest"]}
        for check in self.status.get("checks", ()):
            if check.get("digest"):
                yield {"decision": "Attest", "check": check["id"], "digest": check["digest"], "expires": self.until}

    def decide_all(self) -> Turns:
        """Decide whatever is asked for until nothing is."""
        for _ in range(20):
            asked = [item for item in self.asked() if not any(given.decision == item for given in self.given.values())]
            if not asked:
                return
            for item in asked:
                self.decide(**item)
            yield
        raise AssertionError(f"the decisions that are asked for do not come to an end: {list(self.asked())}")


LONG = (None, "standard", "accelerated")
"""The journeys of the profile that lead to production; none is standard."""
COVERED: Mapping[str, tuple[str, ...]] = {
    "awareness": ("sponsor", "objectives", "classification"),
    "cloud-pi": ("flows", "classification"),
    "production": ("classification", "flows", "team", "repositories"),
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


def unmet(walk: Walk, production: str) -> list[str]:
    """Return what keeps this production of the Cloud π profile as it is, by the spec and the decisions alone."""
    missing = [] if walk.spec.get("journey") in LONG else [f"the journey {walk.spec['journey']} ends before"]
    if not walk.good:
        missing.append("a check that the operator makes itself fails")
    for wanted in BEFORE_PRODUCTION:
        fields = COVERED[wanted.get("gate") or wanted["check"]]
        waived = wanted.get("check") and any(
            given.about(decision="Waive", check=wanted["check"]) for given in walk.given.values()
        )
        if not waived and not any(_covers(given, wanted, walk.spec, fields) for given in walk.given.values()):
            missing.append(f"{wanted} by somebody who has seen the present {', '.join(fields)}")
    pilots = (given for given in walk.given.values() if given.about(gate="production", environment=production))
    if not any(_item(given.spec, production) == _item(walk.spec, production) for given in pilots):
        missing.append(f"the approval of {production} by somebody who has seen it as it is declared now")
    return missing


def _item(spec: dict[str, Any], environment: str) -> Any:
    return next((item for item in spec["environments"] if item["name"] == environment), None)


def _covers(given: Given, wanted: dict[str, str], spec: dict[str, Any], fields: tuple[str, ...]) -> bool:
    same = all((given.spec.get(name) or None) == (spec.get(name) or None) for name in fields)
    return given.about(**wanted) and same and _standard(given.spec) == _standard(spec)


def _standard(spec: dict[str, Any]) -> str:
    return spec.get("journey") or "standard"
