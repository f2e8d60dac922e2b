"""What explains a field to people is no part of a digest, and a decision that covered it before still counts."""

import hashlib

import orjson
import pytest

from onboarding.api.journeys import JourneyRule
from onboarding.checks.catalogue import BY_ID
from onboarding.reconcile.gates.digest import Digests
from tests.unit.reconcile.gates.test_digest import FULL, TEXTS, WANTED, Leaf, changed, policy_with, read
from tests.unit.snapshots import POLICY, spec_of

EVERYTHING = policy_with(*BY_ID)


@pytest.mark.parametrize("leaf", TEXTS, ids=lambda leaf: leaf.path)
def test_a_description_or_a_justification_voids_no_decision(leaf: Leaf) -> None:
    assert Digests(changed(leaf), EVERYTHING).of_gate("gate") == Digests(read(FULL), EVERYTHING).of_gate("gate")


def test_a_label_of_that_name_is_a_label() -> None:
    """Keys that a project chooses are values, whatever they are called."""
    specs = [read({**FULL, "environments": [{**WANTED, "labels": {"description": text}}]}) for text in ("a", "b")]
    assert len({Digests(spec, POLICY).of_check("RevisionTooLarge") for spec in specs}) == 2


def test_a_decision_of_a_former_release_counts_unless_the_policy_has_rules_for_journeys() -> None:
    """Its digest had the justifications in it; the journey in force, which rules need, it had not."""
    flow = {"name": "files", "zone": "s3", "port": 443, "justification": "Files"}
    dev = {"name": "dev", "stage": "dev", "target": "here"}
    fields = {"environments.stage": {"dev": "dev"}, "environments.target": {"dev": "here"}, "flows": [flow]}
    former = "v1:" + hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()
    policy = policy_with("FlowsOpened")
    given = Digests(spec_of(dev, flows=[flow]), policy)
    assert given.former_at_gate("gate", former)
    assert given.counts_for_check("FlowsOpened", former)
    assert former != given.of_gate("gate")
    reworded = Digests(spec_of(dev, flows=[{**flow, "justification": "Logs"}]), policy)
    assert not reworded.former_at_gate("gate", former)
    assert reworded.of_gate("gate") == given.of_gate("gate")
    rule = JourneyRule(name="short", last_gate="gate")
    for ruled in ({"default_journey": "standard"}, {"journey_rules": (rule,)}):
        under = Digests(spec_of(dev, flows=[flow]), policy.model_copy(update=ruled))
        assert not under.former_at_gate("gate", former)
        assert under.of_gate("gate") != given.of_gate("gate")
