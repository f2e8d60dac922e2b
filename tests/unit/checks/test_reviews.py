"""What rests on a person's word: it passes when the word is given, or when there is nothing to answer for."""

from typing import Any

import pytest

from onboarding.api.gates import Actor
from onboarding.api.status import Evidence
from onboarding.api.target import HostingTargetSpec
from onboarding.checks import reviews
from onboarding.checks.finding import Check
from onboarding.checks.inputs import ProjectInputs
from tests.unit.snapshots import environment, project_inputs, spec_of

ZONES = [
    {"name": "rie", "cidrs": ["10.0.0.0/8"], "attested": True},
    {"name": "internet", "cidrs": ["0.0.0.0/0"]},
]
TARGETS = {
    "main": HostingTargetSpec.model_validate({"sites": [{"name": "a"}], "network": {"zones": ZONES}}),
    "open": HostingTargetSpec.model_validate({"sites": [{"name": "a"}], "network": {"zones": ZONES[1:]}}),
}
ACTORS = {
    reviews.run_is_acknowledged: Actor.SERVICE_TEAM,
    reviews.flows_are_opened: Actor.NETWORK,
    reviews.security_is_audited: Actor.SECURITY,
    reviews.homologation_is_decided: Actor.SECURITY,
}


def flow(name: str = "mail", **fields: Any) -> dict[str, Any]:
    return {"name": name, "zone": "rie", "port": 25, "justification": "mail", **fields}


def given(*flows: dict[str, Any], attested: str = "", **target: Any) -> ProjectInputs:
    """Return the inputs of a project with one environment ``dev`` and these flows."""
    spec = spec_of(environment(**target), flows=list(flows))
    return project_inputs(spec, targets=TARGETS, attested=frozenset({attested} - {""}))


@pytest.mark.parametrize("check", ACTORS, ids=[check.id for check in ACTORS])
def test_a_word_that_was_given_counts_and_no_other(check: Check[ProjectInputs]) -> None:
    assert check.evidence is Evidence.ATTESTED
    assert check.run(given(flow(), attested=check.id)) is None
    finding = check.run(given(flow(), attested="AnotherCheck"))
    assert finding is not None
    assert "nobody with the right to it has attested it" in finding.message
    assert check.actor is ACTORS[check]
    assert f"Attest of check {check.id}" in check.remedy


NOTHING_TO_OPEN = {
    "no flow": given(),
    "a flow to a zone that is open": given(flow(zone="internet")),
    "a flow to another environment": given(flow(zone=None, environment="dev")),
    "a flow of another environment": given(flow(environments=["prod"])),
    "a target without such a zone": given(flow(), target="open"),
    "a target that does not exist": given(flow(), target="nowhere"),
}
TO_OPEN = {
    "from the zone": ((flow(direction="Ingress"),), "flow 'mail' with zone 'rie' (mail): "),
    "of this environment": ((flow(environments=["dev"]),), "flow 'mail' with zone 'rie' (mail): "),
    "among others": ((flow("web", zone="internet"), flow()), "flow 'mail' with zone 'rie' (mail): "),
    "several": ((flow(), flow("dns"), flow("ntp")), "flow 'dns' with zone 'rie' (mail) and 2 more: "),
}


@pytest.mark.parametrize("inputs", NOTHING_TO_OPEN.values(), ids=NOTHING_TO_OPEN)
def test_where_nothing_is_opened_by_hand_nobody_is_asked(inputs: ProjectInputs) -> None:
    assert reviews.flows_are_opened.run(inputs) is None


@pytest.mark.parametrize(("flows", "message"), TO_OPEN.values(), ids=TO_OPEN)
def test_a_flow_that_is_opened_by_hand_is_named(flows: tuple[dict[str, Any], ...], message: str) -> None:
    finding = reviews.flows_are_opened.run(given(*flows))
    assert finding is not None
    assert message in finding.message


def test_the_default_target_of_the_stage_counts() -> None:
    inputs = given(flow())
    assert inputs.spec.environments[0].target is None
    assert reviews.flows_are_opened.run(inputs) is not None
