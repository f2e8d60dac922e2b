"""What is declared and decided on the control planes that are recorded; one for each shipped profile."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from onboarding.build.kinds import Manifest
from tests.support.installing import project

FOREVER = "2099-12-31T00:00:00Z"
_CLAIRE = {"name": "Claire Martin", "email": "claire.martin@example.org"}
_HERE = {"name": "here"}
# Nobody listens there, so that a probe has its answer at once, and it is the same one each time.
_REPOSITORY = {"name": "infra", "url": "https://127.0.0.1:9/dossier.git", "path": "deploy", "revision": "main"}

# What the projects of the journey declare settles these; those below are attested, and all others are waived.
_DECLARED = ("SponsorNamed", "ObjectivesNamed", "OrganisationNamed", "PoaNamed", "PoaSeparate", "TeamComplete")
_ATTESTED = {
    "RunAcknowledged": "service-team",
    "FlowsOpened": "network",
    "SecurityAudited": "security",
    "HomologationDecided": "security",
}
_APPROVED = {"awareness": "demand-pilot", "cloud-pi": "service-team", "production": "poa"}


@dataclass(frozen=True)
class Step:
    """A project as it is declared at some time, and what its Ready condition says then."""

    manifest: Manifest
    status: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """A decision that somebody of a role makes; its digest is what the project's status shows."""

    project: str
    role: str
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the name of the object."""
        about = self.spec.get("gate") or self.spec.get("check") or self.spec["decision"]
        return f"{self.project}-{about}".lower()

    def shown_in(self, status: Mapping[str, Any]) -> str | None:
        """Return the digest that a status shows for it; None where it shows none, '' where none is needed."""
        if self.spec["decision"] not in ("Approve", "Attest"):
            return ""
        shown = [*status.get("gates", ()), *status.get("checks", ())]
        if environment := self.spec.get("environment"):
            gates = (gate for gate in status.get("gates", ()) if gate["name"] == self.spec.get("gate"))
            asked = (item for gate in gates for item in gate.get("approvals", ()))
            return next((item["digest"] for item in asked if item["environment"] == environment), None)
        wanted = self.spec.get("gate") or self.spec.get("check")
        return next(
            (item["digest"] for item in shown if wanted in (item.get("name"), item.get("id")) and "digest" in item),
            None,
        )


@dataclass(frozen=True)
class Scene:
    """What is declared and decided under one policy."""

    policy: str
    platform: Sequence[Manifest]
    """The policy and its targets."""
    steps: Sequence[Step]
    verdicts: Sequence[Verdict] = ()
    outcome: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Status and reason of Ready of the projects of which decisions change it."""


def scenes(checkout: Path) -> dict[str, Scene]:
    """Return the scenes by their names, with the profiles and examples of a version."""
    return {"default": _default(checkout), "cloud-pi-native": _journey(checkout)}


def _documents(*files: Path) -> list[Manifest]:
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


def _default(checkout: Path) -> Scene:
    """Projects under the default profile: two of the examples, and what stands still in the middle of something."""
    profile = checkout / "manifests/profiles/default"
    hello, everything = _documents(*(checkout / "examples" / f"{name}.yaml" for name in ("five-lines", "everything")))
    dev, two = {"name": "dev", "stage": "dev"}, {"name": "two", "stage": "dev"}
    delivery = _delivery(dev)
    larger = copy.deepcopy(delivery)
    larger["spec"] |= {"mode": "Plan"}
    larger["spec"]["environments"][0] |= {"size": "large"}
    steps = [
        Step(hello, "True", "Ready"),
        Step(everything, "True", "Ready"),
        # Admitted as small, and held since: the new size is a plan. Its deletion is confirmed and not asked for.
        Step(delivery, "True", "Ready"),
        Step(larger, "True", "EnvironmentsHeld"),
        # An environment is to be deleted, which nobody has confirmed.
        Step(project("leaving", environments=[dev, two], deletionPolicy="Delete"), "True", "Ready"),
        Step(project("leaving", environments=[dev], deletionPolicy="Delete"), "True", "AwaitingConfirmation"),
        # Nothing can be admitted: there is no such size.
        Step(project("mistaken", environments=[dev | {"size": "colossal"}]), "False", "Refused"),
    ]
    verdicts = [
        Verdict("hello", "operations", {"decision": "Suspend"}),
        Verdict("delivery", "platform", {"decision": "ConfirmDelete"}),
    ]
    platform = _documents(profile / "policy.yaml", profile / "target.yaml")
    return Scene("default", platform, steps, verdicts, {"hello": ("False", "Suspended")})


def _delivery(dev: Manifest) -> Manifest:
    """Return a project with a chart, values per environment, a release window, a domain and a flow."""
    window = {"schedule": "0 20 * * 1-5", "duration": "11h", "timeZone": "Europe/Paris", "description": "Nights"}
    application = {"name": "app", "url": "https://git.example.org/delivery/app.git", "revision": "main"}
    chart = {"name": "chart", "url": "https://charts.example.org/stable", "chart": "web", "revision": "1.2.3"}
    flow = {"name": "to-prod", "environment": "prod", "port": 8443, "environments": ["dev"], "justification": "Tests"}
    next_one = {"repository": "app", "revision": "next"}
    return project(
        "delivery",
        team={"groups": {"admin": ["delivery-admins"]}},
        repositories=[application | {"helm": {"valueFiles": ["values-<env>.yaml"]}}, chart],
        environments=[
            dev | {"domains": ["delivery.example.org"], "deployments": [next_one]},
            {"name": "prod", "stage": "prod", "releaseWindows": [window]},
        ],
        flows=[flow],
        deletionPolicy="Delete",
    )


def _journey(checkout: Path) -> Scene:
    """Projects on the journey of the Cloud π profile: one in production, one that needs a grant, one at the start."""
    profile = checkout / "manifests/profiles/cloud-pi-native"
    policy, *targets = _documents(
        *(profile / f"{name}.yaml" for name in ("policy", "target-acceleration", "target-cloud-pi-np"))
    )
    people = [
        {"name": name, "email": f"{name.lower()}@example.org", "roles": [role]}
        for name, role in (("Ali", "development"), ("Bo", "operations"), ("Cy", "test"))
    ]
    groups = {"admin": ["dossier-admins"], "developer": ["dossier-devs"], "poa": ["poas"]}
    declared = {
        "classification": {"zone": "NP"},
        "sponsor": _CLAIRE | {"email": "sponsor@example.org"},
        "objectives": ["Shorter files"],
        "organisation": {"name": "Interior"},
        "team": {"groups": groups, "people": people, "poa": {"name": "Dan", "email": "dan@example.org"}},
    }
    dev = {"name": "dev", "stage": "dev", "target": "acceleration", "size": "small"}
    behind = [
        {"name": stage, "stage": stage, "target": "cloud-pi-np", "size": "medium"} for stage in ("preprod", "prod")
    ]
    flow = {
        "name": "directory",
        "zone": "rie",
        "port": 636,
        "environments": ["preprod", "prod"],
        "justification": "Logins",
    }
    dossier = project("dossier", **declared, environments=[dev, *behind], repositories=[_REPOSITORY], flows=[flow])
    # Above the ceiling of the policy.
    amounts = {"cpu": "20", "memory": "40Gi", "ephemeralStorage": "10Gi", "storage": "20Gi", "pods": 20}
    dev_of_its_own = {"name": "dev", "stage": "dev", "target": "acceleration", "resources": amounts}
    large = project("large", **declared, environments=[dev_of_its_own], deletionPolicy="Delete")
    steps = [
        Step(dossier, "False", "Held"),
        Step(large, "False", "Held"),
        Step(project("begun", environments=[dev], classification={"zone": "NP"}), "False", "Held"),
    ]
    checks = [rule["id"] for rule in policy["spec"]["checks"]]
    more = {"cpu": "32", "memory": "64Gi", "storage": "800Gi", "gpu": 0}
    verdicts = [
        *_walk("dossier", checks, _ATTESTED, _APPROVED),
        *_walk(
            "large",
            ("GroupsExist", "RepositoryReachable"),
            {"RunAcknowledged": "service-team"},
            {"awareness": "demand-pilot"},
        ),
        Verdict("large", "platform", {"decision": "ConfirmDelete"}),
        Verdict("large", "platform", {"decision": "Grant", "grant": {"nonProduction": more}, "expires": FOREVER}),
    ]
    return Scene(
        "cloud-pi-native",
        [policy, *map(_local, targets)],
        steps,
        verdicts,
        {"dossier": ("True", "Ready"), "large": ("True", "Ready")},
    )


def _walk(name: str, checks: Iterable[str], attested: Mapping[str, str], approved: Mapping[str, str]) -> list[Verdict]:
    """Return what lets a project through its gates; nobody here can look at what is waived."""
    waived = [check for check in checks if check not in (*_DECLARED, *_ATTESTED)]
    until = {"expires": FOREVER}
    return [
        *(Verdict(name, "platform", {"decision": "Waive", "check": check, **until}) for check in waived),
        *(Verdict(name, role, {"decision": "Attest", "check": check, **until}) for check, role in attested.items()),
        *(
            Verdict(name, role, {"decision": "Approve", "gate": gate, "approval": role})
            for gate, role in approved.items()
        ),
    ]


def _local(target: Manifest) -> Manifest:
    """Return a target of the profile on the one cluster that there is, which is no OpenShift."""
    moved = copy.deepcopy(target)
    moved["spec"]["sites"] = [{**_HERE, "capacity": target["spec"]["sites"][0]["capacity"]}]
    moved["spec"]["flavour"] = "Kubernetes"
    return moved
