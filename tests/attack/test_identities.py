"""Nine identities, each with the role that is shipped for it and no other, try the whole way to production.

One server with the Cloud π profile and the operator. The matrix is written by hand: who may do what; and alone each of
them comes as far as the first gate that needs somebody else.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from devcluster import ControlPlane
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.reconcile.gates.digest import Digests
from tests.e2e.journey import Journey, a_journey, in_time
from tests.support.api import MERGE_PATCH, Api, RefusedError
from tests.support.hub import ARGOCD, PROJECTS, ROOT
from tests.support.installing import apply, project

Spec = dict[str, Any]
DECISIONS: Final = f"{ROOT}/onboardingdecisions"
POLICY: Final = f"{ROOT}/onboardingpolicies/cloud-pi-native"
NAME: Final = "matrix"
DEV: Final = f"{NAME}-dev"
WHO: Final[Mapping[str, tuple[str, ...]]] = {
    "requester": (),
    "administrator": ("id-admins",),
    "developer": ("id-devs",),
    "poa": (),
    "service-team": (),
    "network": (),
    "security": (),
    "platform": (),
    "stranger": (),
}
"""Each identity, with the groups of the project that it is in, beside the group of its role."""
ROLE: Final = {"administrator": "requester", "developer": "reader"}
"""The shipped role of an identity of another name; a stranger has none."""


def approve(gate: str, approval: str, environment: str | None = None) -> Spec:
    named = {"environment": environment} if environment else {}
    return {"decision": "Approve", "gate": gate, "approval": approval, **named}


def attest(check: str) -> Spec:
    return {"decision": "Attest", "check": check}


def waive(check: str) -> Spec:
    return {"decision": "Waive", "check": check}


DECIDED: Final[dict[str, Spec]] = {
    "approve the demand": approve("awareness", "demand-pilot"),
    "approve the internal cloud": approve("cloud-pi", "service-team", "preprod"),
    "approve production": approve("production", "poa", "prod"),
    "reject production": {**approve("production", "poa", "prod"), "decision": "Reject"},
    "attest the run": attest("RunAcknowledged"),
    "attest the flows": attest("FlowsOpened"),
    "attest the audit": attest("SecurityAudited"),
    "attest the homologation": attest("HomologationDecided"),
    "waive the run": waive("RunAcknowledged"),
    "waive the flows": waive("FlowsOpened"),
    "waive the workloads": waive("WorkloadsDeployed"),
    "waive the health": waive("ApplicationsHealthy"),
    "waive the audit": waive("SecurityAudited"),
    "waive the homologation": waive("HomologationDecided"),
    "grant more": {"decision": "Grant", "grant": {"production": {"cpu": "64"}}},
    "suspend": {"decision": "Suspend"},
    "confirm a deletion": {"decision": "ConfirmDelete"},
}
READS: Final = {"read the project", "read the policy", "read decisions"}
OF_PLATFORM: Final = {name for name in DECIDED if name.startswith("waive")}
MAY: Final[Mapping[str, set[str]]] = {
    "requester": {*READS, "declare a project"},
    "administrator": {*READS, "declare a project", "change the spec", "delete the project", "write in dev"},
    "developer": {*READS, "write in dev"},
    "poa": {*READS, "approve production", "reject production"},
    "service-team": {*READS, "approve the internal cloud", "attest the run"},
    "network": {*READS, "attest the flows"},
    "security": {*READS, "attest the audit", "attest the homologation"},
    "platform": {*READS, *OF_PLATFORM, "grant more", "suspend", "confirm a deletion"},
    "stranger": set(),
}
"""Whatever is not here, the server refuses."""


class Everybody:
    """The identities on the server, and the projects that they try their rights on."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.commit = journey.outside.git.make("identities", {"deploy/kustomization.yaml": "resources: []\n"})
        cluster = journey.hub.cluster
        self.api = {who: Api(cluster, cluster.kubeconfig_for(who, self.groups(who))) for who in (*WHO, "demand-pilot")}

    @staticmethod
    def groups(who: str) -> list[str]:
        return [f"{ROLE.get(who, who)}s", *WHO.get(who, ())]

    def spec(self) -> Spec:
        """Return a whole project, to which nothing is missing but what others decide."""
        self.journey.outside.groups |= {"id-admins", "id-devs", "poas"}
        people = [
            {"name": role, "email": f"{role}@example.org", "roles": [role], "affiliation": "Internal"}
            for role in ("development", "operations", "test")
        ]
        url = f"https://{self.journey.outside.host}/identities.git"
        places = (
            ("dev", "dev", "acceleration"),
            ("preprod", "preprod", "cloud-pi-np"),
            ("prod", "prod", "cloud-pi-np"),
        )
        return {
            "owner": {"name": "Claire", "email": "claire@example.org"},
            "sponsor": {"name": "Sam", "email": "sam@example.org"},
            "objectives": ["Shorter files"],
            "organisation": {"name": "Interior"},
            "classification": {"zone": "NP"},
            "team": {
                "people": people,
                "groups": {"admin": ["id-admins"], "developer": ["id-devs"], "poa": ["poas"]},
                "poa": {"name": "Paul", "email": "paul@example.org"},
            },
            "flows": [
                {"name": "ldap", "zone": "rie", "port": 636, "environments": ["preprod"], "justification": "Logins"}
            ],
            "repositories": [{"name": "app", "url": url, "path": "deploy", "revision": self.commit}],
            "environments": [{"name": name, "stage": stage, "target": target} for name, stage, target in places],
        }

    def declare(self, name: str) -> None:
        self.api["requester"].create(PROJECTS, project(name, **self.spec()))

    def decision(self, who: str, name: str, number: str, fields: Spec) -> Spec:
        """Return a decision of an identity about a project, with the digest of what is declared."""
        found = self.journey.hub.project(name)
        assert found is not None
        ends = fields["decision"] in ("Attest", "Waive", "Grant")
        spec = {
            **fields,
            "project": {"name": name, "uid": found["metadata"]["uid"]},
            "by": {"username": who, "groups": [*self.groups(who), "system:authenticated"]},
            "reason": "I try.",
            **({"digest": self._digest(found["spec"], fields)} if fields["decision"] in ("Approve", "Attest") else {}),
            **({"expires": in_time(3600)} if ends else {}),
        }
        metadata = {"name": f"{name}-{who}-{number}"}
        return {**project(name), "kind": "OnboardingDecision", "metadata": metadata, "spec": spec}

    def decides(self, who: str, name: str, what: str) -> None:
        body = self.decision(who, name, what.replace(" ", "-"), DECIDED[what])
        self.api[who].create(DECISIONS, body)

    def _digest(self, declared: Spec, fields: Spec) -> str:
        policy = OnboardingPolicySpec.model_validate((self.journey.hub.api.get(POLICY) or {})["spec"])
        spec = ProjectOnboardingSpec.model_validate(declared)
        digests = Digests(spec, policy)
        if check := fields.get("check"):
            return digests.of_check(check)
        if not fields.get("environment"):
            return digests.of_gate(fields["gate"])
        (gate,) = [item for item in policy.gates if item.name == fields["gate"]]
        (environment,) = [item for item in spec.environments if item.name == fields["environment"]]
        return digests.of_approval(gate, gate.approvals[0], environment)

    def in_production(self, name: str) -> bool:
        return self.journey.hub.api.get(f"/api/v1/namespaces/{name}-prod") is not None


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    """Run the operator, and let the project of the matrix have its first environment."""
    with ControlPlane.start("identities") as cluster, a_journey(cluster, tmp_path_factory.mktemp("ids")) as journey:
        apply(cluster, _readers())
        everybody = Everybody(journey)
        everybody.declare(NAME)
        everybody.decides("demand-pilot", NAME, "approve the demand")
        everybody.decides("service-team", NAME, "attest the run")
        journey.reaches(NAME, "acceleration", *CLOUD_PI, within=60)
        yield everybody


def _readers() -> Spec:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "readers"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "onboarding:reader"},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": "readers"}],
    }


Attempt = Callable[[Everybody, str], object]


def send(method: str, path: str, body: Any = None) -> Attempt:
    head = {"Content_Type": MERGE_PATCH} if method == "PATCH" else {}
    query = None if method == "GET" else {"dryRun": "All"}
    return lambda everybody, who: everybody.api[who].request(method, path, query=query, body=body, **head)


def decide(fields: Spec) -> Attempt:
    def attempt(everybody: Everybody, who: str) -> object:
        body = everybody.decision(who, NAME, "tried", fields)
        return everybody.api[who].request("POST", DECISIONS, query={"dryRun": "All"}, body=body)

    return attempt


def namespaced(kind: str, name: str, namespace: str, **fields: Any) -> Spec:
    version = "argoproj.io/v1alpha1" if kind == "Application" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **fields}


MINE: Final = f"{PROJECTS}/{NAME}"
APPLICATIONS: Final = f"/apis/argoproj.io/v1alpha1/namespaces/{ARGOCD}/applications"
SOURCE: Final = {"repoURL": "https://git.example.org/x.git", "path": "."}
ROGUE: Final = {"project": "default", "source": SOURCE, "destination": {"server": "https://kubernetes.default.svc"}}
TRIED: Final[Mapping[str, Attempt]] = {
    "read the project": send("GET", MINE),
    "read the policy": send("GET", POLICY),
    "read decisions": send("GET", DECISIONS),
    "declare a project": send("POST", PROJECTS, project("another")),
    "change the spec": send("PATCH", MINE, {"spec": {"description": "mine"}}),
    "delete the project": send("DELETE", MINE),
    "write in dev": send("POST", f"/api/v1/namespaces/{DEV}/configmaps", namespaced("ConfigMap", "x", DEV)),
    # Nobody does what follows.
    "write the status": send("PATCH", f"{MINE}/status", {"status": {"stage": "production"}}),
    "change the policy": send("PATCH", POLICY, {"spec": {"gates": []}}),
    "change a target": send("PATCH", f"{ROOT}/hostingtargets/cloud-pi-np", {"spec": {"trust": 3}}),
    "create production's namespace": send(
        "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{NAME}-prod"}}
    ),
    "change what is admitted": send(
        "PATCH", f"/api/v1/namespaces/{DEV}", {"metadata": {"annotations": {"projectonboarding.io/admitted": "{}"}}}
    ),
    "raise the quota": send("PATCH", f"/api/v1/namespaces/{DEV}/resourcequotas/onboarding", {"spec": {"hard": {}}}),
    "create an Application": send("POST", APPLICATIONS, namespaced("Application", "x", ARGOCD, spec=ROGUE)),
    "change the Application": send("PATCH", f"{APPLICATIONS}/{DEV}-app", {"spec": {"project": "default"}}),
    **{name: decide(fields) for name, fields in DECIDED.items()},
}


@pytest.mark.parametrize("who", WHO)
def test_each_may_do_what_its_role_says_and_nothing_else(everybody: Everybody, who: str) -> None:
    told: dict[str, str] = {}
    for name, attempt in TRIED.items():
        try:
            attempt(everybody, who)
        except RefusedError as refused:
            told[name] = str(refused)
    assert TRIED.keys() - told.keys() == MAY[who]
    assert MAY[who] <= TRIED.keys()
    for name, text in told.items():
        assert text.startswith(("403: ", "422: ")), f"{name}: {text}"
        assert "cannot" in text or "(rule project-onboarding-" in text, f"{name}: {text}"


DEMAND: Final = ("approval demand-pilot of gate awareness is missing",)
RUN: Final = ("RunAcknowledged",)
CLOUD_PI: Final = ("WorkloadsDeployed", "ApplicationsHealthy", "FlowsOpened", "approval service-team of gate cloud-pi")
ALONE: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "requester": ("contact", RUN),
    "administrator": ("contact", RUN),
    "developer": ("contact", RUN),
    "poa": ("contact", RUN),
    "service-team": ("acceleration", CLOUD_PI[:3]),
    "network": ("contact", RUN),
    "security": ("contact", RUN),
    "platform": ("acceleration", CLOUD_PI[3:]),
    "stranger": ("contact", RUN),
}
"""How far each comes alone once the demand is approved, and what holds it there; before that none passes awareness."""


def test_alone_none_of_them_reaches_production(everybody: Everybody) -> None:
    """Everybody decides all they may before anybody else does; then the demand is approved, and it counts."""
    for who in ALONE:
        everybody.declare(f"alone-{who}")
        for what in MAY[who] & DECIDED.keys() - {"suspend", "reject production", "confirm a deletion"}:
            everybody.decides(who, f"alone-{who}", what)
    for who in ALONE:
        everybody.journey.reaches(f"alone-{who}", "proposal", *DEMAND)
    for who in ALONE:
        everybody.decides("demand-pilot", f"alone-{who}", "approve the demand")
    for who, (stage, held_by) in ALONE.items():
        everybody.journey.reaches(f"alone-{who}", stage, *held_by, within=90)
        assert not everybody.in_production(f"alone-{who}")
