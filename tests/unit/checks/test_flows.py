"""A flow of which nothing would be built is a finding, with the one who can act."""

from typing import Any

import pytest

from onboarding.api.gates import Actor
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.flows import flows_have_an_effect
from onboarding.checks.inputs import EnvironmentDeclaration
from tests.unit.snapshots import POLICY, environment, inputs_of, policy_of, spec_of

ZONES = [
    {"name": "nodelocal", "cidrs": ["169.254.20.10/32", "fd00:ec2::254/128"]},
    {"name": "mixed", "cidrs": ["169.254.20.10/32", "10.9.0.0/24"]},
    {"name": "whole", "cidrs": ["10.0.0.0/24"]},
    {"name": "left", "cidrs": ["10.0.0.0/25"]},
    {"name": "right", "cidrs": ["10.0.0.128/25"]},
    {"name": "rie", "cidrs": ["192.0.2.0/24"], "attested": True},
]
TARGETS = {"main": HostingTargetSpec.model_validate({"sites": [{"name": "a"}], "network": {"zones": ZONES}})}
ASKED = policy_of({"name": "prod", "opens": [{"stages": ["prod"]}]}, checks=[{"id": "FlowsOpened", "gate": "prod"}])


def given(policy: Any = POLICY, **flow: Any) -> EnvironmentDeclaration:
    flows = [{"name": "dns", "port": 53, "justification": "node-local DNS", **flow}]
    spec = spec_of(environment(target="main"), environment("other", target="main"), flows=flows)
    return inputs_of(spec, policy=policy, targets=TARGETS)


PASSES = {
    "a network beside one that is never reached": given(zone="mixed"),
    "a part of two zones": given(zone="left"),
    "an unknown zone, which another check finds": given(zone="moon"),
    "a zone that another environment needs": given(zone="nodelocal", environments=["other"]),
    "an attested zone that a gate asks for": given(ASKED, zone="rie"),
    "another environment": given(environment="dev"),
}
FAILS: dict[str, tuple[EnvironmentDeclaration, str, Actor]] = {
    "never reached": (given(zone="nodelocal"), "zone 'nodelocal' of target 'main' holds only", Actor.PLATFORM),
    "all of it belongs to narrower zones": (given(zone="whole"), "zone 'whole' of target", Actor.PLATFORM),
    "cidrs that belong to narrower zones": (
        given(zone="whole", cidrs=["10.0.0.0/24"]),
        "its cidrs hold only",
        Actor.PROJECT,
    ),
    "an attestation that no gate asks for": (given(zone="rie"), "no gate of the policy asks for", Actor.PLATFORM),
    "to itself": (given(environment="dev", environments=["dev"]), "no other environment needs it", Actor.PROJECT),
}


@pytest.mark.parametrize("inputs", PASSES.values(), ids=PASSES)
def test_a_flow_with_an_effect_passes(inputs: EnvironmentDeclaration) -> None:
    assert flows_have_an_effect.run(inputs) is None


@pytest.mark.parametrize(("inputs", "words", "actor"), FAILS.values(), ids=FAILS)
def test_a_flow_without_effect_is_found(inputs: EnvironmentDeclaration, words: str, actor: Actor) -> None:
    """Case 25, node-local-dns: such a flow passed every check and got no NetworkPolicy."""
    finding = flows_have_an_effect.run(inputs)
    assert finding is not None
    assert words in finding.message
    assert (finding.actor or flows_have_an_effect.actor) is actor
