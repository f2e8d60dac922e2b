"""In both profiles administrators release production, everybody else reads there, and nobody has a shell or Secrets."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from onboarding.api.policy import OnboardingPolicySpec

MANIFESTS: Final = Path(__file__).parents[3] / "manifests"
RELEASES = {"get", "sync", "action/*", "logs"}
IN_PRODUCTION = {"admin": RELEASES, "developer": {"get", "logs"}, "viewer": {"get"}, "poa": {"get"}}


@pytest.fixture(params=["default", "cloud-pi-native"])
def policy(request: pytest.FixtureRequest) -> OnboardingPolicySpec:
    text = (MANIFESTS / "profiles" / request.param / "policy.yaml").read_text(encoding="utf-8")
    return OnboardingPolicySpec.model_validate(yaml.safe_load(text)["spec"])


def test_in_production_administrators_release_and_everybody_else_reads(policy: OnboardingPolicySpec) -> None:
    """So it is in a stage that somebody adds to the policy and that no right names."""
    production = [stage.name for stage in policy.stages if stage.production]
    assert production
    for stage in (*production, "added"):
        for persona in policy.personas:
            right = persona.right_in(stage)
            assert right is not None
            assert right.cluster_role == "onboarding:viewer"
            assert {action.value for action in right.argocd} == IN_PRODUCTION[persona.name]


def test_elsewhere_administrators_and_developers_run_their_workload(policy: OnboardingPolicySpec) -> None:
    personas = {persona.name: persona for persona in policy.personas}
    for stage in (stage.name for stage in policy.stages if not stage.production):
        for name in ("admin", "developer"):
            right = personas[name].right_in(stage)
            assert right is not None
            assert (right.cluster_role, "sync" in right.argocd) == (f"onboarding:{name}", True)


def test_the_role_of_production_has_neither_a_shell_nor_secrets() -> None:
    text = (MANIFESTS / "cluster" / "clusterrole-tenant-viewer.yaml").read_text(encoding="utf-8")
    roles = {role["metadata"]["name"]: role for role in yaml.safe_load_all(text)}
    rules: list[dict[str, Any]] = roles["onboarding:aggregate-to-viewer"]["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    named = {resource for rule in rules for resource in rule["resources"]}
    assert named.isdisjoint(
        {"*", "secrets", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"}
    )
