"""The roles of manifests/roles: each sees everything and decides or declares what is its own, and no more."""

from pathlib import Path

import pytest
import yaml

from devcluster import ControlPlane
from onboarding.api.status import Evidence
from onboarding.checks.catalogue import BY_ID
from onboarding.names import GROUP
from tests.api.access import review, verdicts

MANIFESTS = Path(__file__).parents[2] / "manifests"
ROLES = MANIFESTS / "roles"
GATES, CHECKS, PROJECTS = f"gates.{GROUP}", f"checks.{GROUP}", f"projects.{GROUP}"
KINDS = [f"{plural}.{GROUP}" for plural in ("hostingtargets", "onboardingpolicies", "projectonboardings")]
DECISIONS = f"onboardingdecisions.{GROUP}"

Right = tuple[str, str, str]
DECIDES: dict[str, set[Right]] = {
    "demand-pilot": {("approve", GATES, "awareness:demand-pilot")},
    "service-team": {("approve", GATES, "cloud-pi:service-team"), ("attest", CHECKS, "RunAcknowledged")},
    "network": {("attest", CHECKS, "FlowsOpened")},
    "security": {("attest", CHECKS, "SecurityAudited"), ("attest", CHECKS, "HomologationDecided")},
    "operations": {("suspend", PROJECTS, "shop")},
    "poa": {("approve", GATES, "production:poa")},
    "platform": {
        ("waive", CHECKS, "ImageCompliant"),
        ("grant", PROJECTS, "shop"),
        ("suspend", PROJECTS, "shop"),
        ("confirm-delete", PROJECTS, "shop"),
    },
}
"""What each role decides; every other role may not."""
NOBODY: list[Right] = [
    ("approve", GATES, "production:platform"),
    ("approve", GATES, ""),
    ("withdraw", GATES, "production:poa"),
    ("edit", PROJECTS, "shop"),
    ("adopt", PROJECTS, "shop"),
    ("bypass", f"guardrails.{GROUP}", ""),
    *((verb, kind, "") for kind in KINDS for verb in ("create", "update", "patch", "delete", "deletecollection")),
    *((verb, f"{kind}/status", "") for kind in KINDS for verb in ("update", "patch")),
    *((verb, DECISIONS, "") for verb in ("update", "patch", "deletecollection")),
    *((verb, "applications.argoproj.io", "") for verb in ("get", "create", "update", "patch")),
    *((verb, "deployments.apps", "") for verb in ("create", "update", "patch")),
    ("get", "secrets", ""),
    ("impersonate", "users", ""),
]
EVERYBODY: list[Right] = [
    *((verb, kind, "") for kind in [*KINDS, DECISIONS] for verb in ("get", "list", "watch")),
    *((verb, DECISIONS, "") for verb in ("create", "delete")),
]


DECLARES: dict[str, set[Right]] = {
    "requester": {
        ("create", KINDS[2], ""),
        ("update", KINDS[2], ""),
        ("patch", KINDS[2], ""),
        ("delete", KINDS[2], ""),
    },
    "reader": set(),
}
"""What each role for people who decide nothing may do beyond reading."""


@pytest.fixture(scope="module")
def bound(installed: ControlPlane) -> ControlPlane:
    """Apply the roles and bind each to a group."""
    installed.kubectl("apply", "--server-side", "-k", str(ROLES))
    for role in [*DECIDES, *DECLARES]:
        name = f"roles-{role}"
        installed.kubectl("create", "clusterrolebinding", name, f"--clusterrole=onboarding:{role}", f"--group={name}")
    return installed


def test_there_is_a_row_for_every_role() -> None:
    assert {path.stem for path in ROLES.glob("*.yaml")} - {"kustomization"} == DECIDES.keys()
    assert {path.stem for path in (ROLES / "projects").glob("*.yaml")} - {"kustomization"} == DECLARES.keys()


def test_what_the_profile_waits_for_somebody_decides() -> None:
    """Every approval of its gates, and every check of them that rests on a person's word; the roles name no others."""
    policy = yaml.safe_load((MANIFESTS / "profiles" / "cloud-pi-native" / "policy.yaml").read_text())["spec"]
    gates = {f"{gate['name']}:{approval['name']}" for gate in policy["gates"] for approval in gate.get("approvals", [])}
    checks = {rule["id"] for rule in policy["checks"] if BY_ID[rule["id"]].evidence is Evidence.ATTESTED}
    rights = [right for role in DECIDES.values() for right in role]
    assert sorted(name for verb, _, name in rights if verb == "approve") == sorted(gates)
    assert sorted(name for verb, _, name in rights if verb == "attest") == sorted(checks)


@pytest.mark.parametrize("role", DECIDES)
def test_a_role_decides_its_own_sees_everything_and_edits_nothing(bound: ControlPlane, role: str) -> None:
    others = sorted(set().union(*DECIDES.values()) - DECIDES[role])
    for expected, rights in ((True, [*DECIDES[role], *EVERYBODY]), (False, [*others, *NOBODY])):
        answers = verdicts(bound, [review(f"roles-{role}", *right) for right in rights])
        assert [right for right, answer in zip(rights, answers, strict=True) if answer is not expected] == []


@pytest.mark.parametrize("role", DECLARES)
def test_a_role_for_projects_sees_everything_and_decides_nothing(bound: ControlPlane, role: str) -> None:
    decisions = [right for right in EVERYBODY if right[1] == DECISIONS and right[0] in ("create", "delete")]
    allowed = [*DECLARES[role], *(right for right in EVERYBODY if right not in decisions)]
    refused = sorted({*set().union(*DECIDES.values()), *NOBODY, *decisions} - DECLARES[role])
    for expected, rights in ((True, allowed), (False, refused)):
        answers = verdicts(bound, [review(f"roles-{role}", *right) for right in rights])
        assert [right for right, answer in zip(rights, answers, strict=True) if answer is not expected] == []
